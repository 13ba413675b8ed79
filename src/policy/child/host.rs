//! The host of a child's runner: what a child asks for, it asks its parent's helper for.
//!
//! Must not depend on: how a child is switched, what its parent does with its pickers.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::family::{Family, InstanceId};
use super::published::{Latest, Published};
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, EndpointId, Words};
use crate::policy::{GuardedPicker, Host, TimerId};
use crate::stats::{Clock, EndpointLease, Registration};
use crate::{Severity, Status};

/// The host of the runner of one policy of a child.
pub(super) struct ChildHost {
    pub(super) id: InstanceId,
    /// The child's name, for the statistics.
    pub(super) name: Arc<str>,
    pub(super) family: Arc<Family>,
    pub(super) latest: Arc<Latest>,
}

impl Host for ChildHost {
    fn register(&self, policy: &str, clock: Weak<dyn Clock>) -> Registration {
        self.family.helper.register_child(&self.name, policy, clock)
    }

    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        let endpoint = self.family.helper.create_endpoint(descriptor)?;
        self.family.add_endpoint(endpoint.id(), self.id, lease.id(), descriptor);
        Ok(Box::new(ChildEndpoint { endpoint, lease, family: Arc::clone(&self.family) }))
    }

    fn makes_several_connections(&self) -> bool {
        false
    }

    fn update_state(&self, state: Connectivity, status: &Status, picker: GuardedPicker) {
        let picker = Arc::new(picker);
        self.latest.set(Published { state, status: status.clone(), picker });
        self.family.set_changed();
    }

    fn request_reresolution(&self) {
        self.family.helper.request_reresolution();
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        self.family.set_load_reports(self.id, period);
    }

    fn load_reports_have_qps(&self) -> bool {
        self.family.helper.load_reports_have_qps()
    }

    fn made_with(&self) -> Option<u64> {
        self.family.helper.made_with()
    }

    fn words(&self) -> Words {
        self.family.helper.words()
    }

    fn run_later(&self) -> bool {
        self.family.helper.wake()
    }

    fn start_timer(&self, timer: TimerId, after: Duration) {
        self.family.start_timer(self.id, timer, after);
    }

    fn cancel_timer(&self, timer: TimerId) {
        self.family.cancel_timer(self.id, timer);
    }

    fn now(&self) -> Duration {
        self.family.helper.now()
    }

    fn random(&self) -> u64 {
        self.family.helper.random()
    }

    fn has_engine_sources(&self) -> bool {
        self.family.helper.has_engine_sources()
    }

    fn log(&self, severity: Severity, message: &str) {
        self.family.helper.log(severity, message);
    }
}

/// A child's endpoint: the parent's, under the number that the child knows.
struct ChildEndpoint {
    endpoint: Box<dyn Endpoint>,
    lease: EndpointLease,
    family: Arc<Family>,
}

impl Endpoint for ChildEndpoint {
    fn id(&self) -> EndpointId {
        self.lease.id()
    }

    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        self.endpoint.matches(descriptor)
    }

    fn connect(&self) {
        self.endpoint.connect();
    }

    fn reset_backoff(&self) {
        self.endpoint.reset_backoff();
    }
}

impl Drop for ChildEndpoint {
    fn drop(&mut self) {
        self.family.remove_endpoint(self.endpoint.id());
    }
}
