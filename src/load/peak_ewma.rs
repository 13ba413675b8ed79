//! How long one backend's calls take: an estimate that is quick to rise and slow to fall, without
//! locks.
//!
//! A call that took longer than the estimate sets it; any other draws it near, by a share that
//! depends on the time since the last one: estimate ← r + (estimate − r) · exp(−Δt / decay time). As
//! long as none ends, the estimate that readers see decays the same way, so that a backend which was
//! slow is tried again some time.
//!
//! A *failure* (UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL) doubles the estimate,
//! up to 1000 × the default RTT, and sets it to no less than the latency and the default RTT. A fixed
//! penalty would not do: a backend that fails at once has no calls in flight, and draws all of them as
//! soon as latency × (calls in flight + 1) of the others is above the penalty, which it is under any
//! real load. With each failure in a row the backend is tried more rarely, and when all fail they
//! rise alike. What doubles is the estimate after the last call, not what it has decayed to. The
//! bound is far above what calls to a healthy backend cost, and not tied to the decay time, which
//! says nothing of latencies: a backend that keeps failing is tried about once in ln(bound / cost of
//! the others) decay times, which is 4 to 7, and is believed at once when it answers. A call that was
//! *cancelled* only shows how long it took at least, so it can raise the estimate and not improve it.
//! One that was abandoned shows nothing.
//!
//! Source: Finagle's `PeakEwma`, linkerd2-proxy, tower's `PeakEwma`; the comparison without a
//! clock is forward decay (Cormode et al., ICDE 2009).
//!
//! Cost of a call's end: two atomic operations on this backend's own line and an exponential. Of a
//! reading: two loads; of a comparison: an exponential, and no look at the clock.
//!
//! Must not know: how backends are chosen, who counts their calls.

use std::sync::Arc;
use std::time::Duration;

use crate::Code;
use crate::calls::{CallEnd, CallObserver};
use crate::stats::BackendStats;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What the estimates of all backends of a policy have in common. It may change at any time.
#[derive(Debug)]
pub struct EwmaRule {
    /// The bits of f64s, in nanoseconds.
    decay_time: AtomicU64,
    default_rtt: AtomicU64,
}

impl EwmaRule {
    /// Estimates fall to 1/e in this time; they begin at this RTT.
    pub fn new(decay_time: Duration, default_rtt: Duration) -> EwmaRule {
        let bits = |time| AtomicU64::new(f64::to_bits(nanoseconds(time)));
        EwmaRule { decay_time: bits(decay_time), default_rtt: bits(default_rtt) }
    }

    /// [`EwmaRule::new`], from now on.
    pub fn set(&self, decay_time: Duration, default_rtt: Duration) {
        // Relaxed, here and below: two numbers that mean something without each other.
        self.decay_time.store(nanoseconds(decay_time).to_bits(), Ordering::Relaxed);
        self.default_rtt.store(nanoseconds(default_rtt).to_bits(), Ordering::Relaxed);
    }

    fn decay_time(&self) -> f64 {
        f64::from_bits(self.decay_time.load(Ordering::Relaxed))
    }

    fn default_rtt(&self) -> f64 {
        f64::from_bits(self.default_rtt.load(Ordering::Relaxed))
    }
}

/// Failures double an estimate up to this many default RTTs.
const MOST_DOUBLED: f64 = 1000.0;

/// What the end of a call shows of its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It served the call, be it with an error that is the caller's affair.
    Served,
    /// It failed.
    Failed,
    /// It took at least as long.
    Cancelled,
}

impl Outcome {
    /// What a call with this status shows.
    fn of(code: Code) -> Outcome {
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

/// One backend's estimate. Any thread, many at once.
#[derive(Debug)]
pub struct PeakEwma {
    rule: Arc<EwmaRule>,
    /// When the estimate was made, in nanoseconds. Each update moves it on and thereby takes the time
    /// since the one before for its own, so that no two let the same time pass.
    stamp: AtomicU64,
    /// The estimate at that time: the bits of an f64, in nanoseconds. Readers may see one that is newer than
    /// the other, and be off by what one call changes.
    estimate: AtomicU64,
}

impl PeakEwma {
    /// Of a backend of which nothing is known but that it is there now.
    pub fn new(rule: &Arc<EwmaRule>, now: Duration) -> PeakEwma {
        PeakEwma {
            rule: Arc::clone(rule),
            stamp: AtomicU64::new(stamp(now)),
            estimate: AtomicU64::new(rule.default_rtt().to_bits()),
        }
    }

    /// A call has ended at `now`, `latency` after its start.
    pub fn observe(&self, outcome: Outcome, latency: Duration, now: Duration) {
        // An estimate of 0 would stay the least however many calls are in flight.
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
                let (least, bound) = (latency.max(default_rtt), MOST_DOUBLED * default_rtt);
                self.update(now, |estimate, _| {
                    (2.0 * estimate).min(bound).max(estimate).max(least)
                });
            }
            // Relaxed: as in `update`. What does not raise the estimate lets no time pass.
            Outcome::Cancelled => {
                if latency > f64::from_bits(self.estimate.load(Ordering::Relaxed)) {
                    self.update(now, |estimate, _| estimate.max(latency));
                }
            }
        }
    }

    /// Makes another estimate of the present one and of the time that has passed since.
    fn update(&self, now: Duration, next: impl Fn(f64, f64) -> f64) {
        let now = stamp(now);
        // Relaxed: each is for itself. A thread whose clock reading was overtaken lets no time pass.
        let passed = now.saturating_sub(self.stamp.fetch_max(now, Ordering::Relaxed));
        let next = |bits| Some(next(f64::from_bits(bits), passed as f64).to_bits());
        let _ = self.estimate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// What another call would cost: the estimate × (calls in flight + 1).
    #[inline]
    pub fn cost(&self, in_flight: u32) -> Cost {
        let estimate = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        Cost {
            value: estimate * (f64::from(in_flight) + 1.0),
            stamp: self.stamp.load(Ordering::Relaxed),
        }
    }

    /// The estimate, decayed.
    pub fn estimate(&self, now: Duration) -> Duration {
        let passed = stamp(now).saturating_sub(self.stamp.load(Ordering::Relaxed)) as f64;
        let estimate = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        Duration::from_nanos((estimate * (-passed / self.rule.decay_time()).exp()) as u64)
    }
}

impl CallObserver for PeakEwma {
    fn ended(&self, end: &CallEnd<'_>) {
        if let CallEnd::Finished { status, latency, ended, .. } = end {
            self.observe(Outcome::of(status.code), *latency, *ended);
        }
    }

    fn write_stats(&self, row: &mut BackendStats, now: Duration) {
        row.ewma_seconds = Some(self.estimate(now).as_secs_f64());
    }
}

/// What another call to a backend would cost. Costs decay from different times on, and alike: which of two
/// is less does not depend on the present time.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    value: f64,
    stamp: u64,
}

impl Cost {
    /// Whether this is less than `other`, if they decay at this rate.
    #[inline]
    pub fn is_below(&self, other: &Cost, decay: DecayRate) -> bool {
        // Overflow and underflow say the same as the exact numbers.
        let later = self.stamp.wrapping_sub(other.stamp) as i64;
        let is_less = self.value < other.value;
        // Where both say the same, the exponential would too, and it costs more than all else here.
        if (is_less && later <= 0) || (!is_less && later >= 0) {
            return is_less;
        }
        self.value * exp(later as f64 * decay.0) < other.value
    }
}

/// How fast costs decay.
#[derive(Clone, Copy, Debug)]
pub struct DecayRate(f64);

impl DecayRate {
    /// They fall to 1/e in this time, which is above 0.
    pub fn from_decay_time(decay_time: Duration) -> DecayRate {
        DecayRate(1.0 / nanoseconds(decay_time))
    }
}

/// The exponential: of what a busy backend's calls are apart, to 13 digits, by a part of its series, which takes a
/// fifth of the time.
#[inline]
fn exp(x: f64) -> f64 {
    if x.abs() < 1e-3 { 1.0 + x * (1.0 + x * (0.5 + x / 6.0)) } else { x.exp() }
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// Up to 584 years.
fn stamp(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Status;

    #[test]
    fn the_short_exponential_is_the_long_one() {
        for x in [0.0, 1e-12, 1e-5, 9.99e-4, 1e-3, 0.1, 700.0_f64] {
            for x in [x, -x] {
                assert!((exp(x) / x.exp() - 1.0).abs() < 1e-13, "{x}");
            }
        }
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Decay time 10 s, default RTT 30 ms, made at 0.
    fn ewma() -> PeakEwma {
        PeakEwma::new(&Arc::new(EwmaRule::new(ms(10_000), ms(30))), ms(0))
    }

    /// In milliseconds.
    fn estimate(ewma: &PeakEwma, now: u64) -> f64 {
        ewma.estimate(ms(now)).as_secs_f64() * 1e3
    }

    #[track_caller]
    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-5, "{value}, expected {expected}");
    }

    #[test]
    fn begins_at_the_default_and_decays() {
        let ewma = ewma();
        assert_near(estimate(&ewma, 0), 30.0);
        assert_near(estimate(&ewma, 10_000), 30.0 / std::f64::consts::E);
        assert_near(estimate(&ewma, 20_000), 30.0 * (-2.0f64).exp());
    }

    #[test]
    fn rises_at_once_and_falls_slowly() {
        let ewma = ewma();
        ewma.observe(Outcome::Served, ms(100), ms(0));
        assert_near(estimate(&ewma, 0), 100.0);
        ewma.observe(Outcome::Served, ms(50), ms(10_000));
        let fallen = 50.0 + 50.0 * (-1.0f64).exp();
        assert_near(estimate(&ewma, 10_000), fallen);
        // At the same moment: no time has passed for another.
        ewma.observe(Outcome::Served, ms(10), ms(10_000));
        assert_near(estimate(&ewma, 10_000), fallen);
        ewma.observe(Outcome::Served, ms(10), ms(15_000));
        assert_near(estimate(&ewma, 15_000), 10.0 + (fallen - 10.0) * (-0.5f64).exp());
        ewma.observe(Outcome::Served, ms(80), ms(15_001));
        assert_near(estimate(&ewma, 15_001), 80.0);
    }

    #[test]
    fn an_update_of_an_earlier_time_lets_no_time_pass() {
        let ewma = ewma();
        ewma.observe(Outcome::Served, ms(100), ms(5_000));
        ewma.observe(Outcome::Served, ms(10), ms(4_000));
        assert_near(estimate(&ewma, 5_000), 100.0);
        assert_near(estimate(&ewma, 4_000), 100.0);
    }

    #[test]
    fn failures_in_a_row_double_it_up_to_a_bound() {
        let ewma = ewma();
        let after: Vec<u64> = (0..12)
            .map(|_| {
                ewma.observe(Outcome::Failed, ms(1), ms(0));
                ewma.estimate(ms(0)).as_millis() as u64
            })
            .collect();
        assert_eq!(
            after,
            [60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_000, 30_000, 30_000]
        );
    }

    #[test]
    fn a_failure_is_no_less_than_its_latency_and_the_default() {
        let fast = ewma();
        fast.observe(Outcome::Served, ms(1), ms(1_000_000));
        assert_near(estimate(&fast, 1_000_000), 1.0);
        fast.observe(Outcome::Failed, ms(2), ms(1_000_000));
        assert_near(estimate(&fast, 1_000_000), 30.0);
        let slow = ewma();
        slow.observe(Outcome::Failed, ms(40_000), ms(0));
        assert_near(estimate(&slow, 0), 40_000.0);
        // Above the bound nothing doubles and nothing is lost.
        slow.observe(Outcome::Failed, ms(1), ms(0));
        assert_near(estimate(&slow, 0), 40_000.0);
    }

    #[test]
    fn which_statuses_are_failures() {
        let of = |outcome| {
            let codes = (0..17).map(Code::from_number);
            codes.filter(|code| Outcome::of(*code) == outcome).collect::<Vec<_>>()
        };
        let failures =
            [Code::DeadlineExceeded, Code::ResourceExhausted, Code::Internal, Code::Unavailable];
        assert_eq!(of(Outcome::Failed), failures);
        assert_eq!(of(Outcome::Cancelled), [Code::Cancelled]);
    }

    #[test]
    fn learns_from_the_end_of_a_call() {
        let ewma = ewma();
        let status = Status::unavailable("down");
        let (latency, ended) = (ms(100), ms(10_000));
        ewma.ended(&CallEnd::Finished { status: &status, latency, ended, metrics: None });
        assert_near(estimate(&ewma, 10_000), 100.0);
        ewma.ended(&CallEnd::Abandoned);
        assert_near(estimate(&ewma, 10_000), 100.0);
    }

    #[test]
    fn a_cancelled_call_only_raises_it() {
        let ewma = ewma();
        ewma.observe(Outcome::Cancelled, ms(1), ms(10_000));
        assert_near(estimate(&ewma, 10_000), 30.0 / std::f64::consts::E);
        ewma.observe(Outcome::Cancelled, ms(40), ms(10_000));
        assert_near(estimate(&ewma, 10_000), 40.0);
    }

    #[test]
    fn a_call_that_takes_no_time_costs_something() {
        let ewma = ewma();
        ewma.observe(Outcome::Served, ms(0), ms(100_000_000));
        assert_eq!(ewma.estimate(ms(100_000_000)), Duration::from_nanos(1));
    }

    #[test]
    fn another_rule_holds_from_then_on() {
        let rule = Arc::new(EwmaRule::new(ms(10_000), ms(30)));
        let ewma = PeakEwma::new(&rule, ms(0));
        rule.set(ms(1_000), ms(500));
        assert_near(estimate(&ewma, 1_000), 30.0 / std::f64::consts::E);
        ewma.observe(Outcome::Failed, ms(1), ms(1_000));
        assert_near(estimate(&ewma, 1_000), 500.0);
        assert_near(PeakEwma::new(&rule, ms(0)).estimate(ms(0)).as_secs_f64(), 0.5);
    }

    #[test]
    fn a_cost_counts_the_calls_in_flight() {
        let rate = DecayRate::from_decay_time(ms(10_000));
        let (a, b) = (ewma(), ewma());
        b.observe(Outcome::Served, ms(100), ms(0));
        assert!(a.cost(2).is_below(&b.cost(0), rate));
        assert!(!a.cost(3).is_below(&b.cost(0), rate));
        assert!(b.cost(0).is_below(&a.cost(3), rate));
        assert!(!a.cost(1).is_below(&a.cost(1), rate));
    }

    #[test]
    fn a_cost_that_is_long_past_is_below_any_other() {
        let rate = DecayRate::from_decay_time(ms(1));
        let (a, b) = (ewma(), ewma());
        b.observe(Outcome::Served, ms(1), ms(100_000_000));
        assert!(a.cost(1000).is_below(&b.cost(0), rate));
        assert!(!b.cost(0).is_below(&a.cost(1000), rate));
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        prop::sample::select(vec![Outcome::Served, Outcome::Failed, Outcome::Cancelled])
    }

    proptest! {
        /// The comparison without a clock is that of the decayed estimates at any time.
        #[test]
        fn costs_compare_as_decayed_estimates(
            a in (1u64..1000, 0u64..20_000, 0u32..10),
            b in (1u64..1000, 0u64..20_000, 0u32..10),
            later in 0u64..10_000,
        ) {
            let cost = |(latency, at, in_flight): (u64, u64, u32)| {
                let ewma = ewma();
                ewma.observe(Outcome::Served, ms(latency), ms(at));
                let decayed = estimate(&ewma, 20_000 + later) * f64::from(in_flight + 1);
                (ewma.cost(in_flight), decayed)
            };
            let ((a, decayed_a), (b, decayed_b)) = (cost(a), cost(b));
            prop_assume!((decayed_a / decayed_b - 1.0).abs() > 1e-3);
            prop_assert_eq!(a.is_below(&b, DecayRate::from_decay_time(ms(10_000))), decayed_a < decayed_b);
        }

        /// It never leaves what was observed, and a failure never improves it.
        #[test]
        fn stays_within_what_was_observed(
            calls in prop::collection::vec((outcomes(), 1u64..20_000, 0u64..30_000), 1..50),
        ) {
            let ewma = ewma();
            let (mut now, mut before) = (0, 30.0);
            for (outcome, latency, passed) in calls {
                now += passed;
                ewma.observe(outcome, ms(latency), ms(now));
                let after = estimate(&ewma, now);
                let r = latency as f64;
                match outcome {
                    Outcome::Served => {
                        prop_assert!(after >= r - 1e-5 && after <= r.max(before) + 1e-5);
                        before = after;
                    }
                    Outcome::Failed => {
                        prop_assert!(after >= before.max(r).max(30.0) - 1e-5);
                        before = after;
                    }
                    Outcome::Cancelled => {
                        prop_assert!(r <= before || (after - r).abs() < 1e-5);
                        before = before.max(r);
                    }
                }
            }
        }
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Calls that end at the same time each take a part of the time that has passed: together, as much as one
    /// call would that ended last. And readers see nothing else than estimates between.
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

    /// Of a failure and a served call at the same time, the failure is not lost.
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
