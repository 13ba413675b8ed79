//! The policy's runner, called as hosts call it.

use std::sync::Arc;

use steer::Status;
use steer::calls::Metrics;
use steer::endpoints::{EndpointId, Report};
use steer::policy::{Runner, TimerId, Update};
use steer::stats::Fallback;

use super::callbacks::Turn;

/// A runner. Each call is made as a serialised call of a host.
pub struct SerialisedRunner {
    /// `None` only while it is dropped.
    pub(super) runner: Option<Arc<Runner>>,
    pub(super) turn: Arc<Turn>,
}

impl SerialisedRunner {
    fn event<R>(&self, call: impl FnOnce(&Runner) -> R) -> R {
        self.turn
            .within("event", || call(self.runner.as_ref().expect("present until it is dropped")))
    }

    pub fn update(&self, update: Update) -> Result<(), Status> {
        self.event(|runner| runner.update(update))
    }

    pub fn endpoint_report(&self, endpoint: EndpointId, report: Report) -> bool {
        self.event(|runner| runner.endpoint_report(endpoint, report))
    }

    pub fn load_report(&self, endpoint: EndpointId, metrics: Metrics) -> bool {
        self.event(|runner| runner.load_report(endpoint, metrics))
    }

    pub fn exit_idle(&self) {
        self.event(Runner::exit_idle);
    }

    pub fn reset_backoff(&self) {
        self.event(Runner::reset_backoff);
    }

    pub fn timer(&self, timer: TimerId) {
        self.event(|runner| runner.timer(timer));
    }

    pub fn run(&self) {
        self.event(Runner::run);
    }

    pub fn close(&self) {
        let runner = self.runner.as_ref().expect("present until it is dropped");
        self.turn.within("free", || runner.close());
    }

    pub fn faults(&self) -> u64 {
        self.runner.as_ref().expect("present until it is dropped").faults()
    }

    pub fn fallback(&self) -> Option<Fallback> {
        self.runner.as_ref().expect("present until it is dropped").fallback()
    }
}

impl Drop for SerialisedRunner {
    fn drop(&mut self) {
        let runner = self.runner.take();
        self.turn.within("free", || drop(runner));
    }
}
