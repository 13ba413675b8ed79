//! What a policy may ask of its channel, its clock and its random numbers.
//!
//! This is gRPC's `ChannelControlHelper`, with clock, random numbers, timers and log in addition,
//! so that tests and simulators can pass their own.
//!
//! Must not depend on: who implements it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::picker::Picker;
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, EndpointHost, Words};
use crate::stats::{Clock, CustomMetrics, Registration, StatsSource};
use crate::{Severity, Status};

/// The number of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

impl TimerId {
    /// No timer: the number of one that is started after shutdown.
    pub const NONE: TimerId = TimerId(0);
}

/// What a policy may ask for. A wrapper gives its child another helper.
///
/// [`log`](Helper::log), [`now`](Helper::now), [`random`](Helper::random),
/// [`wake`](Helper::wake) and [`new_timer`](Helper::new_timer) may be called on any thread. All
/// other methods may be called within the policy's own methods only, which run in the host's work
/// serializer.
pub trait Helper: Send + Sync {
    /// Makes an endpoint for a descriptor of the latest update. The endpoint reports its state soon
    /// after, and does not connect before it is asked to.
    fn create_endpoint(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status>;

    /// Publishes the policy's state, and the picker for calls from now on. `status` is OK, except
    /// in TRANSIENT_FAILURE.
    fn update_state(&self, state: Connectivity, status: &Status, picker: Box<dyn Picker>);

    /// Asks the resolver to resolve again. The resolver decides when.
    fn request_reresolution(&self);

    /// Starts a timer, which ends with a call of [`Policy::timer`](super::Policy::timer). A timer
    /// that is started before the first update begins to run with that update.
    fn start_timer(&self, after: Duration) -> TimerId;

    /// The number for a timer that [`Helper::start_numbered_timer`] starts later.
    fn new_timer(&self) -> TimerId {
        TimerId::NONE
    }

    /// [`Helper::start_timer`], with a number of [`Helper::new_timer`].
    fn start_numbered_timer(&self, _timer: TimerId, _after: Duration) {}

    /// Cancels a timer. Does nothing if the timer has ended.
    fn cancel_timer(&self, timer: TimerId);

    /// Sets the source that describes the policy's backends for the statistics. It is called on any
    /// thread, until the policy is dropped. Without one, statistics have only what the policy
    /// published, and its endpoints.
    fn set_stats_source(&self, _describe: Arc<dyn StatsSource>) {}

    /// Shows the metrics of a custom policy in the statistics, instead of earlier ones.
    fn set_custom_metrics(&self, _metrics: Arc<CustomMetrics>) {}

    /// Adds a child of the policy to the statistics: the child of this name, with a policy of that
    /// name.
    fn register_child(&self, name: &str, policy: &str, clock: Weak<dyn Clock>) -> Registration;

    /// Requests load reports out of band (ORCA), about once in this time, from all endpoints.
    /// `None` requests no more reports. Reports come to
    /// [`Policy::load_report`](super::Policy::load_report). An endpoint whose reports the host
    /// cannot change does not match any more, so the next update makes it again. Hosts without
    /// such reports ignore this.
    fn request_load_reports(&self, period: Option<Duration>);

    /// Whether load reports out of band have calls per second. Otherwise a policy that needs them
    /// uses the reports that come with calls.
    fn load_reports_have_qps(&self) -> bool;

    /// Identifies everything besides the descriptor that the host makes endpoints with. While this
    /// number stays the same, an endpoint that was made or has matched under it matches the same
    /// descriptor object. With `None`, [`Endpoint::matches`] has to be asked.
    fn made_with(&self) -> Option<u64> {
        None
    }

    /// How the host's own policies word failures. Always the same.
    fn words(&self) -> Words {
        Words::default()
    }

    /// Asks for a call of [`Policy::woken`](super::Policy::woken) soon, in the work serializer. May
    /// be called within a pick. Returns `false` if this host cannot do that.
    fn wake(&self) -> bool;

    /// The time since an arbitrary moment. Never goes back.
    fn now(&self) -> Duration;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// Whether [`now`](Helper::now) and [`random`](Helper::random) are the engine's own:
    /// [`Clock::global`](crate::sync::Clock::global) and [`sync::random`](crate::sync::random).
    /// Then pickers and calls need not ask the host. Always the same.
    fn has_engine_sources(&self) -> bool {
        false
    }

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

    fn words(&self) -> Words {
        Helper::words(self)
    }

    fn random(&self) -> u64 {
        Helper::random(self)
    }

    fn log(&self, severity: Severity, message: &str) {
        Helper::log(self, severity, message);
    }
}
