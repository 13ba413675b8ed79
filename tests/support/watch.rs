//! Checks each callback of the engine by the rules of `host_callbacks.inc`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use steer::endpoints::{EndpointId, Report};
use steer::policy::{GuardedPicker, Runner};
use steer::virtual_host::Watch;

use super::callbacks::{self, Turn, within};

/// The watch of one channel.
#[derive(Default)]
pub(super) struct ChannelWatch {
    pub(super) turn: Turn,
    /// Set after the host is made, because the runner owns the host.
    pub(super) runner: OnceLock<Weak<Runner>>,
    /// The report that an endpoint makes during a request to connect.
    pub(super) on_connect: Mutex<Option<fn() -> Report>>,
    /// How often the host was asked whether it would make the same endpoint.
    pub(super) comparisons: AtomicUsize,
}

impl Watch for ChannelWatch {
    fn called(&self, callback: &'static str, endpoint: Option<EndpointId>) {
        // Tests also drop calls and pickers outside of the engine's functions.
        if callback != "connection_free" || callbacks::innermost() != "none" {
            self.turn.came(callback);
        }
        if callback == "endpoint_matches" {
            self.comparisons.fetch_add(1, Ordering::Relaxed);
        }
        if callback == "endpoint_connect" {
            self.report_within_connect(endpoint.expect("it is for an endpoint"));
        }
    }

    fn drop_picker(&self, picker: Arc<GuardedPicker>) {
        within("picker free", || drop(picker));
    }
}

impl ChannelWatch {
    fn report_within_connect(&self, endpoint: EndpointId) {
        let report = *self.on_connect.lock().unwrap_or_else(PoisonError::into_inner);
        let runner = self.runner.get().and_then(Weak::upgrade);
        if let (Some(report), Some(runner)) = (report, runner) {
            let report = || runner.endpoint_report(endpoint, report());
            assert!(self.turn.within("event", report), "a nested report was not queued");
        }
    }
}
