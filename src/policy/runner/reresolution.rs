//! The timer of `reresolutionPeriod`: asks the resolver again from time to time.
//!
//! gRPC asks its resolver again only when a connection fails. So a channel to a headless service
//! whose pods all work never hears of new ones (grpc/grpc#12295).
//!
//! Must not depend on: the policy that runs.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::policy::TimerId;

/// A period ends at most this share of it early, by chance. Otherwise the clients of a fleet that
/// start together would all ask at the same time. gRPC's backoff varies by 20 %, too.
const MOST_EARLY: f64 = 0.2;

/// Made by the runner, and used in the host's work serializer. Ends with the runner's host.
pub(super) struct Reresolution {
    shared: Arc<Shared>,
    /// The timer that runs, and the period that it was started for.
    running: Option<(TimerId, Duration)>,
}

impl Reresolution {
    /// Nothing runs yet.
    pub(super) fn new(shared: Arc<Shared>) -> Reresolution {
        Reresolution { shared, running: None }
    }

    /// From now on, asks the resolver again once in this time. `None`: never. The same period
    /// goes on.
    pub(super) fn set_period(&mut self, period: Option<Duration>) {
        if self.running.map(|(_, period)| period) == period {
            return;
        }
        if let Some((timer, _)) = self.running.take() {
            self.shared.cancel_timer(timer);
        }
        self.running = period.map(|period| self.start(period));
    }

    /// Asks the resolver if this timer is the one that runs. Returns whether it is.
    pub(super) fn timer(&mut self, timer: TimerId) -> bool {
        let Some((_, period)) = self.running.filter(|(running, _)| *running == timer) else {
            return false;
        };
        self.running = Some(self.start(period));
        self.shared.host.request_reresolution();
        true
    }

    fn start(&self, period: Duration) -> (TimerId, Duration) {
        let chance = self.shared.host.random() as f64 / u64::MAX as f64;
        let early = period.mul_f64(MOST_EARLY * chance);
        (self.shared.start_timer(period.saturating_sub(early)), period)
    }
}
