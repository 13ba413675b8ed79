//! When two endpoints are the same one.
//!
//! Must not depend on: connections, states, lists.

use std::borrow::Cow;
use std::sync::Arc;

use crate::endpoints::EndpointDescriptor;

/// What identifies an endpoint: which of several connections to its backend it is, and its
/// addresses in sorted order, each once.
pub(super) type Identity<'a> = (u32, Cow<'a, [String]>);

pub(super) fn identity(descriptor: &Arc<EndpointDescriptor>) -> Identity<'_> {
    let mut addresses = Cow::Borrowed(&*descriptor.addresses);
    if !addresses.is_sorted_by(|a, b| a < b) {
        let set = addresses.to_mut();
        set.sort_unstable();
        set.dedup();
    }
    (descriptor.connection, addresses)
}
