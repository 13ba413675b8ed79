//! What a runner asks of its host.
//!
//! Must not depend on: the C ABI.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::guarded_picker::GuardedPicker;
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, Words};
#[cfg(doc)]
use crate::policy::Helper;
use crate::policy::TimerId;
use crate::stats::{self, Clock, EndpointLease, Registration};
use crate::{Severity, Status};

/// What a runner asks of its host: what a [`Helper`] offers, and a way to be run later.
pub trait Host: Send + Sync {
    /// The host's key of the policy's channel: see [`stats::register`].
    fn channel(&self) -> Option<u64> {
        None
    }

    /// Adds the runner's policy to the statistics: as a channel's, or as a child.
    fn register(&self, policy: &str, clock: Weak<dyn Clock>) -> Registration {
        stats::register(policy, self.channel(), clock)
    }

    /// See [`Helper::create_endpoint`]. The host reports the endpoint's states under the number of
    /// the lease. The endpoint keeps the lease.
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status>;

    /// Whether `create_endpoint` gives each [`EndpointDescriptor::connection`] of a backend a
    /// connection of its own.
    fn makes_several_connections(&self) -> bool;

    /// See [`Helper::update_state`].
    fn update_state(&self, state: Connectivity, status: &Status, picker: GuardedPicker);

    /// See [`Helper::request_reresolution`].
    fn request_reresolution(&self);

    /// See [`Helper::request_load_reports`].
    fn request_load_reports(&self, period: Option<Duration>);

    /// See [`Helper::load_reports_have_qps`].
    fn load_reports_have_qps(&self) -> bool;

    /// See [`Helper::made_with`].
    fn made_with(&self) -> Option<u64> {
        None
    }

    /// See [`Helper::words`].
    fn words(&self) -> Words {
        Words::default()
    }

    /// Asks for a call of [`Runner::run`](super::Runner::run) soon, serialised with the host's
    /// other calls. Called on any thread, also from within a pick. Returns `false` if this host
    /// cannot do that.
    fn run_later(&self) -> bool;

    /// Asks for a call of [`Runner::timer`](super::Runner::timer) with this number after this time.
    fn start_timer(&self, timer: TimerId, after: Duration);

    /// Cancels that call.
    fn cancel_timer(&self, timer: TimerId);

    /// See [`Helper::now`].
    fn now(&self) -> Duration;

    /// See [`Helper::random`].
    fn random(&self) -> u64;

    /// See [`Helper::has_engine_sources`].
    fn has_engine_sources(&self) -> bool {
        false
    }

    /// See [`Helper::log`].
    fn log(&self, severity: Severity, message: &str);
}
