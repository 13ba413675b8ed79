//! Estimates how long the calls of one backend take, and what another call to it costs. The
//! estimate rises quickly and falls slowly, and needs no lock.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the estimate, how the end of a call changes it, the cost of another call |
//! | `rule.rs` | the parameters, which all backends of a policy share |
//!
//! **Served calls.** A call that took longer than the estimate replaces it. Any other call moves
//! the estimate nearer to its latency r, by a share that depends on the time Δt since the call
//! before:
//!
//! estimate ← r + (estimate − r) · exp(−Δt / decay time)
//!
//! **Calls that end with an error, and cancelled ones,** say that a call takes at least their
//! latency. They can raise the estimate, and never lower it. Those that are the backend's failure
//! lower its success rate (`success_rate.rs`); if most calls fail, the estimate is at least the
//! default RTT. A backend that answers others quickly is charged
//! with calls (`charged_calls.rs`), so that it does not look idle.
//!
//! **Between calls.** While a backend has no calls, its estimate decays, so that it is tried again.
//! While it has calls and none ends, the estimate does not decay, and is never below the time since
//! the last call ended: a backend that hangs gets expensive within milliseconds. It is tried again
//! when it has got no call for two decay times, and then after longer and longer pauses
//! ([`PROBE_PAUSE`]): a call that never ends, such as a stream, must not hide a good backend.
//!
//! **A backend that is new, or that is back,** begins with the greater of the default RTT and the
//! mean of the others, and is charged with as many calls as the others have.
//!
//! cost = estimate × (calls in flight + charged calls + 1) ÷ success rate
//!
//! Source: Finagle's `PeakEwma`, linkerd2-proxy, tower's `PeakEwma`, which have none of this for
//! errors, hanging backends and backends that are back.
//!
//! Cost of a call's end: four atomic operations on cache lines of this backend, and an exponential.
//! Cost of a reading: four loads. Exponentials only for a backend that is idle, that has failed or
//! that is charged.
//!
//! Must not depend on: how backends are chosen, how their calls are counted.

mod rule;
#[cfg(all(test, not(loom), not(miri)))]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use self::rule::EwmaRule;
use super::charged_calls::ChargedCalls;
use super::decay::{advance, left_after};
use super::success_rate::SuccessRate;
use crate::Code;
use crate::calls::{CallEnd, CallObserver};
use crate::stats::BackendStats;
use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// A backend whose calls do not end is tried again after this many decay times without a pick. One
/// that hangs for ten minutes gets ten to twenty such calls.
const PROBE_PAUSE: f64 = 2.0;

/// And after this share of the time in which none of its calls has ended, so that pauses grow.
const PROBE_SHARE: f64 = 0.5;

/// A backend with a lower success rate fails mostly.
const MOSTLY: f64 = 0.5;

/// The estimate of one backend.
///
/// Made by a policy for each address, and shared with its pickers and with statistics. Any thread,
/// many at the same time. Ends with the last of them.
#[derive(Debug)]
pub struct PeakEwma {
    rule: Arc<EwmaRule>,
    /// The time of the estimate, in nanoseconds: when a call ended last, or when the backend got
    /// calls after it had none. An update advances it, and uses the time in between for its decay.
    /// So no two updates use the same time.
    stamp: AtomicU64,
    /// The estimate at that time: the bits of an f64, in nanoseconds. A reader may see one of the
    /// two values newer than the other, and be off by the change of one call.
    estimate: AtomicU64,
    /// The time of the last pick, in nanoseconds.
    picked: AtomicU64,
    success: SuccessRate,
    charged: ChargedCalls,
}

impl PeakEwma {
    /// The estimate of a backend that is new at `now`.
    pub fn new(rule: &Arc<EwmaRule>, now: Nanos) -> PeakEwma {
        PeakEwma {
            rule: Arc::clone(rule),
            stamp: AtomicU64::new(now.get()),
            estimate: AtomicU64::new(rule.default_rtt().to_bits()),
            picked: AtomicU64::new(now.get()),
            success: SuccessRate::new(now),
            charged: ChargedCalls::default(),
        }
    }

    /// The backend is new, or is back. The others have this mean estimate, in nanoseconds, and this
    /// mean number of calls.
    pub fn restart(&self, mean_estimate: f64, mean_calls: f64, now: Nanos) {
        let estimate = mean_estimate.max(self.rule.default_rtt());
        // Relaxed: as in `update`.
        self.stamp.fetch_max(now.get(), Ordering::Relaxed);
        self.estimate.store(estimate.to_bits(), Ordering::Relaxed);
        self.charged.set(mean_calls, Nanos::new(estimate as u64), now);
    }

    /// A call ended at `now` with this code, `latency` after its start.
    pub fn observe(&self, code: Code, latency: Nanos, now: Nanos) {
        // At least 1 ns: an estimate of 0 would cost 0 with any number of calls in flight.
        let ns = latency.as_f64().max(1.0);
        if code != Code::Ok {
            return self.observe_error(code, ns, now);
        }
        let decay_time = self.rule.decay_time();
        self.update(now, |estimate, passed| {
            if ns > estimate { ns } else { ns + (estimate - ns) * left_after(passed / decay_time) }
        });
        self.success.observe(false, now, decay_time);
    }

    /// A call ended at `now` with an error, these nanoseconds after its start.
    #[cold]
    fn observe_error(&self, code: Code, ns: f64, now: Nanos) {
        let failed = self.rule.failure_codes().contains(code);
        self.success.observe(failed, now, self.rule.decay_time());
        let before = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        if !failed && ns < before {
            self.charged.add(1.0 - ns / before, Nanos::new(before as u64), now);
        }
        // Otherwise the estimate of a backend that fails at once would decay to the time of its
        // quick failures while it is avoided, and make up for its success rate.
        let fails_mostly = failed && self.success_rate(now) < MOSTLY;
        let least = if fails_mostly { self.rule.default_rtt() } else { 0.0 };
        self.update(now, |estimate, _| estimate.max(ns).max(least));
    }

    /// The backend was picked at `now`, when it had this many calls.
    #[inline]
    pub fn picked_at(&self, in_flight: u32, now: Nanos) {
        self.picked.store(now.get(), Ordering::Relaxed);
        if in_flight == 0 && self.charged.is_none() {
            // From here on, the estimate does not decay.
            let decay_time = self.rule.decay_time();
            self.update(now, |estimate, passed| {
                (estimate * left_after(passed / decay_time)).max(1.0)
            });
        }
    }

    /// Replaces the estimate. `next` gets the present one and the time that passed since.
    #[inline]
    fn update(&self, now: Nanos, next: impl Fn(f64, f64) -> f64) {
        let passed = advance(&self.stamp, now);
        // Relaxed: the two values are independent.
        let next = |bits| Some(next(f64::from_bits(bits), passed).to_bits());
        let _ = self.estimate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// The estimate at `now` of a backend with this many calls, in nanoseconds.
    #[inline]
    pub fn estimate(&self, in_flight: u32, now: Nanos) -> f64 {
        self.estimate_if_charged(!self.charged.is_none(), in_flight, now)
    }

    /// The estimate of a backend that is charged with calls, or is not.
    #[inline]
    fn estimate_if_charged(&self, charged: bool, in_flight: u32, now: Nanos) -> f64 {
        let estimate = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        let passed = now.as_f64_since(Nanos::new(self.stamp.load(Ordering::Relaxed)));
        if in_flight > 0 {
            return if passed > estimate {
                self.without_ends(estimate, passed, now)
            } else {
                estimate
            };
        }
        // A backend that answers at once has no calls in flight, and is not idle.
        if charged { estimate } else { estimate * left_after(passed / self.rule.decay_time()) }
    }

    /// The estimate of a backend that has calls of which none has ended for longer than they take.
    #[cold]
    fn without_ends(&self, estimate: f64, passed: f64, now: Nanos) -> f64 {
        let decay_time = self.rule.decay_time();
        let unpicked = now.as_f64_since(Nanos::new(self.picked.load(Ordering::Relaxed)));
        if unpicked > (PROBE_PAUSE * decay_time).max(PROBE_SHARE * passed) {
            return estimate * left_after(unpicked / decay_time);
        }
        passed
    }

    /// The cost of another call at `now`, if the backend has this many calls.
    #[inline]
    pub fn cost(&self, in_flight: u32, now: Nanos) -> f64 {
        let cost = if self.charged.is_none() {
            self.estimate_if_charged(false, in_flight, now) * (f64::from(in_flight) + 1.0)
        } else {
            self.cost_if_charged(in_flight, now)
        };
        if self.success.is_one() { cost } else { self.after_failures(cost, now) }
    }

    /// The cost without failures.
    #[cold]
    fn cost_if_charged(&self, in_flight: u32, now: Nanos) -> f64 {
        let calls = self.calls(in_flight, now) + 1.0;
        self.estimate(in_flight, now) * calls
    }

    #[cold]
    fn after_failures(&self, cost: f64, now: Nanos) -> f64 {
        cost / self.success_rate(now)
    }

    /// The calls that the backend has or is charged with.
    pub fn calls(&self, in_flight: u32, now: Nanos) -> f64 {
        f64::from(in_flight) + self.charged.count(now)
    }

    fn success_rate(&self, now: Nanos) -> f64 {
        self.success.rate(now, self.rule.decay_time())
    }
}

impl CallObserver for PeakEwma {
    fn ended(&self, end: &CallEnd<'_>) {
        if let CallEnd::Finished { status, latency, ended, .. } = end {
            self.observe(status.code, *latency, *ended);
        }
    }

    fn write_stats(&self, row: &mut BackendStats, now: Duration) {
        let in_flight = u32::try_from(row.in_flight.unwrap_or(0)).unwrap_or(u32::MAX);
        row.ewma_seconds = Some(self.estimate(in_flight, now.into()) / 1e9);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::load::FailureCodes;

    fn ewma(decay_time: u64, default_rtt: u64) -> Arc<PeakEwma> {
        let [decay_time, default_rtt] = [decay_time, default_rtt].map(Duration::from_secs);
        let rule = EwmaRule::new(decay_time, default_rtt, FailureCodes::NONE);
        Arc::new(PeakEwma::new(&Arc::new(rule), s(0)))
    }

    fn s(seconds: u64) -> Nanos {
        Nanos::new(seconds * 1_000_000_000)
    }

    /// Calls that end at the same time share the time that passed. Together they use as much as one
    /// call that ended last would. Readers see estimates in between.
    #[test]
    fn updates_share_the_time_that_has_passed() {
        loom::model(|| {
            let ewma = ewma(10, 100);
            let calls: Vec<_> = [5, 10]
                .into_iter()
                .map(|now| {
                    let ewma = Arc::clone(&ewma);
                    loom::thread::spawn(move || ewma.observe(Code::Ok, s(20), s(now)))
                })
                .collect();
            let estimate = ewma.estimate(1, s(0)) / 1e9;
            assert!((49.0..=100.0).contains(&estimate), "{estimate}");
            for call in calls {
                call.join().unwrap();
            }
            let expected = 20.0 + 80.0 * (-1.0f64).exp();
            assert!((ewma.estimate(1, s(10)) / 1e9 - expected).abs() < 1e-6);
        });
    }

    /// A served call at the same time does not undo what a failed one has shown.
    #[test]
    fn a_failure_is_not_lost() {
        loom::model(|| {
            let ewma = ewma(100, 1);
            let failure = {
                let ewma = Arc::clone(&ewma);
                loom::thread::spawn(move || ewma.observe(Code::Internal, s(8), s(0)))
            };
            ewma.observe(Code::Ok, s(1), s(0));
            failure.join().unwrap();
            assert_eq!(ewma.estimate(1, s(0)), 8e9);
        });
    }
}
