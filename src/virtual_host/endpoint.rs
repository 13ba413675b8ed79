//! An endpoint, as a virtual host knows it.
//!
//! Must not depend on: the host.

use std::sync::Arc;

#[cfg(doc)]
use super::host::VirtualHost;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId};

/// An endpoint that the engine has made and not dropped.
#[derive(Clone, Debug)]
pub struct LiveEndpoint {
    /// The engine's number.
    pub id: EndpointId,
    /// What the resolver said of it.
    pub descriptor: Arc<EndpointDescriptor>,
    /// Which of several connections to its backend it is: [`EndpointDescriptor::connection`].
    pub number: u32,
    /// The state that [`VirtualHost::report`] reported last. `None` before the first report.
    pub state: Option<Connectivity>,
    /// Whether the engine has asked for a connection that does not exist yet.
    pub asked: bool,
    /// The number of its connection, while it is READY.
    pub connection: Option<usize>,
    /// The args that it was made with: see [`Settings::args_of`](super::Settings::args_of).
    pub args: (u64, u64),
}

impl LiveEndpoint {
    /// The first address, which identifies a backend in tests.
    pub fn address(&self) -> &str {
        first_address(&self.descriptor)
    }
}

/// The first address. Empty if there is none.
pub(super) fn first_address(descriptor: &EndpointDescriptor) -> &str {
    descriptor.addresses.first().map_or("", String::as_str)
}
