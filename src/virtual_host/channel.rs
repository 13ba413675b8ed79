//! A channel with one policy: its host and its runner, driven together.
//!
//! Must not depend on: any policy, what a test checks.

use std::sync::Arc;
use std::time::Duration;

use super::host::VirtualHost;
use crate::Status;
use crate::endpoints::{Connectivity, EndpointId};
use crate::policy::{PolicyFactory, Runner, Update};

/// A channel with one policy. Its owner serialises the calls. Dropping it ends the policy and drops
/// the latest picker; others live on.
pub struct VirtualChannel {
    host: VirtualHost,
    runner: Arc<Runner>,
}

impl VirtualChannel {
    /// A channel whose policy `factory` makes. `round_robin` makes its fallback.
    pub fn new(
        factory: Arc<dyn PolicyFactory>,
        round_robin: Arc<dyn PolicyFactory>,
        host: VirtualHost,
    ) -> VirtualChannel {
        let runner = Arc::new(Runner::new(factory, round_robin, Box::new(host.clone())));
        VirtualChannel { host, runner }
    }

    /// Its host.
    pub fn host(&self) -> &VirtualHost {
        &self.host
    }

    /// Its runner.
    pub fn runner(&self) -> &Arc<Runner> {
        &self.runner
    }

    /// Updates the policy. Sets the indices of the list.
    pub fn update(&self, mut update: Update) -> Result<(), Status> {
        update.endpoints = update.endpoints.map(|list| self.host.set_list(list));
        self.runner.update(update)
    }

    /// An endpoint reports this state. Returns whether the engine knows the endpoint.
    pub fn report(&self, id: EndpointId, state: Connectivity) -> bool {
        let report = self.host.report(id, state);
        report.is_some_and(|report| self.runner.endpoint_report(id, report))
    }

    /// Lets time pass. Timers end in their order, each at its time.
    pub fn advance(&self, by: Duration) {
        let end = self.host.clock().now().saturating_add(by);
        while let Some(timer) = self.host.take_timer_by(end) {
            self.runner.timer(timer);
        }
        self.host.clock().set(end);
    }
}

impl Drop for VirtualChannel {
    fn drop(&mut self) {
        self.runner.close();
        self.host.drop_picker();
    }
}
