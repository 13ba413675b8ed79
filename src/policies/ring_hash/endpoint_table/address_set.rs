//! When two endpoints are the same one.
//!
//! Must not depend on: connections, states, lists.

use std::borrow::Cow;
use std::sync::Arc;

use crate::endpoints::EndpointDescriptor;

/// The addresses in sorted order, each once. Endpoints with the same set of addresses are the same
/// endpoint.
pub(super) fn address_set(descriptor: &Arc<EndpointDescriptor>) -> Cow<'_, [String]> {
    let mut addresses = Cow::Borrowed(&*descriptor.addresses);
    if !addresses.is_sorted_by(|a, b| a < b) {
        let set = addresses.to_mut();
        set.sort_unstable();
        set.dedup();
    }
    addresses
}

pub(super) fn same_addresses(
    one: &Arc<EndpointDescriptor>,
    other: &Arc<EndpointDescriptor>,
) -> bool {
    address_set(one) == address_set(other)
}
