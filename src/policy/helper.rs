//! What a policy may ask of its channel and of the world: gRPC's ChannelControlHelper, and clock,
//! chance, timers and log, so that tests and simulators can pass their own.
//!
//! Must not know: who answers.

use std::sync::Arc;
use std::time::Duration;

use super::picker::Picker;
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, EndpointHost};
use crate::stats::StatsSource;
use crate::{Severity, Status};

/// A running timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

impl TimerId {
    /// No timer: what is started too late has this number.
    pub const NONE: TimerId = TimerId(0);
}

/// What a policy may ask for. A wrapper hands its child a helper of its own.
///
/// All but [`log`](Helper::log), [`now`](Helper::now), [`random`](Helper::random) and
/// [`wake`](Helper::wake) are for the policy's own calls only (the host's work serializer); those four are
/// for any thread.
pub trait Helper: Send + Sync {
    /// Makes an endpoint for a descriptor of the latest update. It reports its state soon after,
    /// and does not connect before it is asked to.
    fn create_endpoint(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status>;

    /// Publishes the policy's state and the picker for calls from now on. `status` is OK but in
    /// TRANSIENT_FAILURE.
    fn update_state(&self, state: Connectivity, status: &Status, picker: Box<dyn Picker>);

    /// Asks the resolver to resolve again, when it sees fit.
    fn request_reresolution(&self);

    /// Starts a timer, of which [`Policy::timer`](super::Policy::timer) hears. One that is started
    /// before the first update begins to run with that.
    fn start_timer(&self, after: Duration) -> TimerId;

    /// Stops a timer. Nothing happens when it has run out.
    fn cancel_timer(&self, timer: TimerId);

    /// Who can tell statistics of the policy's backends, from now on. Any thread may ask it, until the
    /// policy is dropped. Without one, statistics know what the policy has published, and its endpoints.
    fn set_stats_source(&self, _describe: Arc<dyn StatsSource>) {}

    /// Asks for load reports out of band (ORCA), about once in this time, of the endpoints that are made from
    /// now on; none: for no more. Reports come to [`Policy::load_report`](super::Policy::load_report). An
    /// endpoint that was made under another period does not match any more, so that the next update makes it anew. Hosts that
    /// have no such reports ignore this.
    fn request_load_reports(&self, period: Option<Duration>);

    /// A number for what the host makes endpoints with beside their descriptors. While it stays, an endpoint that
    /// was made or has matched under it matches its very descriptor. None: [`Endpoint::matches`] has to be asked.
    fn made_with(&self) -> Option<u64> {
        None
    }

    /// Asks for a call of [`Policy::woken`](super::Policy::woken), soon, where the host makes its other
    /// calls. For any thread, also from within a pick. `false`: this host cannot do that.
    fn wake(&self) -> bool;

    /// Time since an arbitrary moment; never goes back.
    fn now(&self) -> Duration;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// Writes a line to the host's log.
    fn log(&self, severity: Severity, message: &str);
}

/// Every helper makes endpoints for the endpoint lists of its policy.
impl<H: Helper + ?Sized> EndpointHost for H {
    fn create_endpoint(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        Helper::create_endpoint(self, descriptor)
    }

    fn request_reresolution(&self) {
        Helper::request_reresolution(self);
    }

    fn made_with(&self) -> Option<u64> {
        Helper::made_with(self)
    }

    fn log(&self, severity: Severity, message: &str) {
        Helper::log(self, severity, message);
    }
}
