//! The state of a virtual host.
//!
//! Must not depend on: who changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::LiveEndpoint;
use super::settings::Settings;
use crate::Status;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId};
use crate::policy::{GuardedPicker, TimerId};

#[derive(Default)]
pub(super) struct State {
    pub(super) settings: Settings,
    /// The resolver's latest list, if the host knows it.
    pub(super) list: Option<List>,
    /// In the order in which they were made.
    pub(super) endpoints: BTreeMap<EndpointId, LiveEndpoint>,
    /// The number of the endpoint that was made last.
    pub(super) newest: Option<EndpointId>,
    pub(super) published: Option<(Connectivity, Status)>,
    pub(super) picker: Option<Arc<GuardedPicker>>,
    /// Timers that run, by when they end and the order of their starts.
    pub(super) timers: BTreeSet<(Duration, TimerId)>,
    /// The connections that the engine holds: their addresses, by their numbers.
    pub(super) held: BTreeMap<usize, String>,
    /// The number of the latest connection that the host numbered itself.
    pub(super) latest_connection: usize,
}

/// A resolver's list.
pub(super) type List = Arc<[Arc<EndpointDescriptor>]>;

impl State {
    /// Finds a descriptor by its index in the latest list, as a host in another language does.
    pub(super) fn look_up(&self, descriptor: &Arc<EndpointDescriptor>) -> Arc<EndpointDescriptor> {
        self.listed(descriptor).unwrap_or_else(|| Arc::clone(descriptor))
    }

    pub(super) fn listed(
        &self,
        descriptor: &EndpointDescriptor,
    ) -> Option<Arc<EndpointDescriptor>> {
        let list = self.list.as_ref()?;
        let index = descriptor.index.get().expect("it is in the latest list");
        let listed = &list[index as usize];
        assert_eq!(**listed, *descriptor.resolved(), "the index is that of another endpoint");
        Some(Arc::clone(listed))
    }
}
