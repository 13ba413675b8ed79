//! Estimates how long the calls of one backend take. The estimate rises quickly and falls slowly,
//! and needs no lock.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the estimate, and how the end of a call changes it |
//! | `rule.rs` | the parameters, which all backends of a policy share |
//! | `cost.rs` | the cost of another call, and how costs compare without a clock |
//!
//! A call that took longer than the estimate replaces it. Any other call moves the estimate nearer
//! to its latency r, by a share that depends on the time Δt since the call before:
//!
//! estimate ← r + (estimate − r) · exp(−Δt / decay time)
//!
//! While no call ends, readers see the estimate decay the same way. So a backend that was slow is
//! tried again some time.
//!
//! A *failure* (UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL) doubles the estimate,
//! up to 1000 × the default RTT, and makes it at least the call's latency and the default RTT.
//! - A fixed penalty would not do. A backend that fails at once has no calls in flight. It would
//!   get all calls as soon as latency × (calls in flight + 1) of the others is above the penalty,
//!   which happens under any real load.
//! - With each failure in a row, the backend is tried more rarely. If all backends fail, they rise
//!   alike.
//! - The estimate after the last call is doubled, not the value that it has decayed to since.
//! - The limit is far above the cost of calls to a healthy backend. It does not depend on the decay
//!   time, which says nothing about latencies. A backend that keeps failing is tried about once in
//!   ln(limit / cost of the others) decay times, which is 4 to 7. By the time it
//!   answers, so much time has passed that the estimate falls close to that call's latency.
//!
//! A *cancelled* call took at least its latency. So it can raise the estimate, but not lower it. An
//! abandoned call changes nothing.
//!
//! Source: Finagle's `PeakEwma`, linkerd2-proxy, tower's `PeakEwma`.
//!
//! Cost of a call's end: two atomic operations on a cache line of this backend, and an exponential.
//! Cost of a reading: two loads. Cost of a comparison: an exponential, and no reading of the clock.
//!
//! Must not depend on: how backends are chosen, how their calls are counted.

mod cost;
mod rule;
#[cfg(all(test, not(loom), not(miri)))]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use self::cost::exp;
pub use self::cost::{Cost, DecayRate};
pub use self::rule::EwmaRule;
use self::rule::nanoseconds;
use crate::Code;
use crate::calls::{CallEnd, CallObserver};
use crate::stats::BackendStats;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Failures double an estimate up to this many default RTTs. See above for the reasons.
const MAX_DOUBLED: f64 = 1000.0;

/// What the end of a call shows about its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The backend served the call. The call may have ended with an error that is the caller's
    /// fault.
    Served,
    /// The backend failed.
    Failed,
    /// The call would have taken at least as long.
    Cancelled,
}

impl Outcome {
    /// The outcome of a call with this status.
    fn from_code(code: Code) -> Outcome {
        match code {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Internal => Outcome::Failed,
            Code::Cancelled => Outcome::Cancelled,
            _ => Outcome::Served,
        }
    }
}

/// The estimate of one backend.
///
/// Made by a policy for each address, and shared with its pickers and with statistics. Any thread,
/// many at the same time. Ends with the last of them.
#[derive(Debug)]
pub struct PeakEwma {
    rule: Arc<EwmaRule>,
    /// The time of the estimate, in nanoseconds. An update advances it, and uses the time in
    /// between for its decay. So no two updates use the same time.
    stamp: AtomicU64,
    /// The estimate at that time: the bits of an f64, in nanoseconds. A reader may see one of the
    /// two values newer than the other, and be off by the change of one call.
    estimate: AtomicU64,
}

impl PeakEwma {
    /// The estimate of a backend that is new at `now`.
    pub fn new(rule: &Arc<EwmaRule>, now: Duration) -> PeakEwma {
        PeakEwma {
            rule: Arc::clone(rule),
            stamp: AtomicU64::new(stamp(now)),
            estimate: AtomicU64::new(rule.default_rtt().to_bits()),
        }
    }

    /// Updates the estimate by a call that ended at `now`, `latency` after its start.
    pub fn observe(&self, outcome: Outcome, latency: Duration, now: Duration) {
        // At least 1 ns: an estimate of 0 would cost 0 with any number of calls in flight.
        let latency = nanoseconds(latency).max(1.0);
        match outcome {
            Outcome::Served => {
                let decay_time = self.rule.decay_time();
                self.update(now, |estimate, passed| {
                    if latency > estimate {
                        latency
                    } else {
                        latency + (estimate - latency) * exp(-passed / decay_time)
                    }
                });
            }
            Outcome::Failed => {
                let default_rtt = self.rule.default_rtt();
                let (least, limit) = (latency.max(default_rtt), MAX_DOUBLED * default_rtt);
                self.update(now, |estimate, _| {
                    (2.0 * estimate).min(limit).max(estimate).max(least)
                });
            }
            // Relaxed: as in `update`. A call that does not raise the estimate does not advance its
            // time.
            Outcome::Cancelled => {
                if latency > f64::from_bits(self.estimate.load(Ordering::Relaxed)) {
                    self.update(now, |estimate, _| estimate.max(latency));
                }
            }
        }
    }

    /// Replaces the estimate. `next` gets the present one and the time that passed since.
    fn update(&self, now: Duration, next: impl Fn(f64, f64) -> f64) {
        let now = stamp(now);
        // Relaxed: the two values are independent. If another thread has set a later time, no time
        // passes here.
        let passed = now.saturating_sub(self.stamp.fetch_max(now, Ordering::Relaxed));
        let next = |bits| Some(next(f64::from_bits(bits), passed as f64).to_bits());
        let _ = self.estimate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// The cost of another call: the estimate × (calls in flight + 1).
    #[inline]
    pub fn cost(&self, in_flight: u32) -> Cost {
        let estimate = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        Cost {
            value: estimate * (f64::from(in_flight) + 1.0),
            stamp: self.stamp.load(Ordering::Relaxed),
        }
    }

    /// The estimate, decayed until `now`.
    pub fn estimate(&self, now: Duration) -> Duration {
        let passed = stamp(now).saturating_sub(self.stamp.load(Ordering::Relaxed)) as f64;
        let estimate = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        Duration::from_nanos((estimate * (-passed / self.rule.decay_time()).exp()) as u64)
    }
}

impl CallObserver for PeakEwma {
    fn ended(&self, end: &CallEnd<'_>) {
        if let CallEnd::Finished { status, latency, ended, .. } = end {
            self.observe(Outcome::from_code(status.code), *latency, *ended);
        }
    }

    fn write_stats(&self, row: &mut BackendStats, now: Duration) {
        row.ewma_seconds = Some(self.estimate(now).as_secs_f64());
    }
}

/// Nanoseconds, up to 584 years.
fn stamp(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Calls that end at the same time share the time that passed. Together they use as much as one
    /// call that ended last would. Readers see estimates in between.
    #[test]
    fn updates_share_the_time_that_has_passed() {
        loom::model(|| {
            let s = Duration::from_secs;
            let ewma = Arc::new(PeakEwma::new(&Arc::new(EwmaRule::new(s(10), s(100))), s(0)));
            let calls: Vec<_> = [5, 10]
                .into_iter()
                .map(|now| {
                    let ewma = Arc::clone(&ewma);
                    loom::thread::spawn(move || ewma.observe(Outcome::Served, s(20), s(now)))
                })
                .collect();
            let cost = ewma.cost(0).value / 1e9;
            assert!((49.0..=100.0).contains(&cost), "{cost}");
            for call in calls {
                call.join().unwrap();
            }
            let expected = 20.0 + 80.0 * (-1.0f64).exp();
            assert!((ewma.estimate(s(10)).as_secs_f64() - expected).abs() < 1e-6);
        });
    }

    /// A served call at the same time does not undo a failure.
    #[test]
    fn a_failure_is_not_lost() {
        loom::model(|| {
            let s = Duration::from_secs;
            let ewma = Arc::new(PeakEwma::new(&Arc::new(EwmaRule::new(s(100), s(1))), s(0)));
            let failure = {
                let ewma = Arc::clone(&ewma);
                loom::thread::spawn(move || ewma.observe(Outcome::Failed, s(8), s(0)))
            };
            ewma.observe(Outcome::Served, s(1), s(0));
            failure.join().unwrap();
            assert_eq!(ewma.estimate(s(0)), s(8));
        });
    }
}
