//! The helper of the policy that a runner runs.
//!
//! Must not depend on: which policy that is, the C ABI.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::guarded_picker::{GuardedPicker, PickerOwner};
use super::shared::Shared;
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, Words};
use crate::policy::{Helper, Picker, TimerId};
use crate::stats::{self, Clock, CustomMetrics, Registration, StatsSource};
use crate::sync::atomic::Ordering;
use crate::{Severity, Status};

/// The helper of the policy that a runner runs.
pub(super) struct RunnerHelper(pub(super) Arc<Shared>);

impl Helper for RunnerHelper {
    fn create_endpoint(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        if !self.0.is_open() {
            return Err(Status::unavailable("the policy has no update yet, or was shut down"));
        }
        let lease = self.0.record.add_endpoint(descriptor)?;
        self.0.host.create_endpoint(lease, descriptor)
    }

    fn update_state(&self, state: Connectivity, status: &Status, picker: Box<dyn Picker>) {
        if !self.0.is_open() {
            return;
        }
        // Relaxed: as in `Shared::is_open`.
        if self.0.taking_over.load(Ordering::Relaxed) {
            if state == Connectivity::Connecting {
                return;
            }
            self.0.taking_over.store(false, Ordering::Relaxed);
        }
        self.0.published.store(true, Ordering::Relaxed);
        self.0.record.published(state, status);
        let owner = Arc::clone(&self.0) as Arc<dyn PickerOwner>;
        let picker = GuardedPicker::new(picker, owner);
        self.0.host.update_state(state, status, picker);
    }

    fn request_reresolution(&self) {
        if self.0.is_open() {
            self.0.host.request_reresolution();
        }
    }

    fn start_timer(&self, after: Duration) -> TimerId {
        self.0.start_timer(after)
    }

    fn new_timer(&self) -> TimerId {
        self.0.new_timer()
    }

    fn start_numbered_timer(&self, timer: TimerId, after: Duration) {
        self.0.start_numbered_timer(timer, after);
    }

    fn cancel_timer(&self, timer: TimerId) {
        self.0.cancel_timer(timer);
    }

    fn set_stats_source(&self, source: Arc<dyn StatsSource>) {
        self.0.record.set_source(source);
    }

    fn set_custom_metrics(&self, metrics: Arc<CustomMetrics>) {
        self.0.record.set_custom_metrics(metrics);
    }

    fn register_child(&self, name: &str, policy: &str, clock: Weak<dyn Clock>) -> Registration {
        stats::register_child(&self.0.record, name, policy, clock)
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        if self.0.is_open() {
            self.0.host.request_load_reports(period);
        }
    }

    fn load_reports_have_qps(&self) -> bool {
        self.0.host.load_reports_have_qps()
    }

    fn made_with(&self) -> Option<u64> {
        self.0.host.made_with()
    }

    fn words(&self) -> Words {
        self.0.host.words()
    }

    fn wake(&self) -> bool {
        self.0.woken.wake(|| self.0.host.run_later())
    }

    fn now(&self) -> Duration {
        self.0.host.now()
    }

    fn random(&self) -> u64 {
        self.0.host.random()
    }

    fn has_engine_sources(&self) -> bool {
        self.0.host.has_engine_sources()
    }

    fn log(&self, severity: Severity, message: &str) {
        self.0.host.log(severity, message);
    }
}
