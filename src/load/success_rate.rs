//! The share of a backend's calls that did not fail, weighted by how recent they are.
//!
//! A backend that fails at once has few calls in flight and quick answers, and would attract load.
//! Policies that compare backends divide by this rate. It is a ratio: failures that all backends
//! share cancel out.
//!
//! The weight of a call falls to 1/e in the decay time, and while many calls end, as others end
//! ([`MOST_CALLS`]). One more call counts as a success ([`PRIOR`]), so that a single failure of a
//! backend that is rarely called does not condemn it. After 100 failures in a row the rate is 1 %.
//! While a backend is avoided its calls lose weight, and the rate rises: so it is tried again,
//! about once in a second or two if the others have a few calls in flight.
//!
//! Cost of a call's end: two atomic operations on a cache line of this backend. Cost of a reading:
//! a load if no recent call has failed, otherwise two and an exponential.
//!
//! Must not depend on: how backends are chosen.

use super::decay::{advance, left_after, packed, unpacked};
use crate::Code;
use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The most calls that count. With more calls in the decay time, older ones lose weight sooner: a
/// backend that fails is avoided, and one that recovers is believed, within some 100 calls. Rates
/// from 1 % on can be told apart.
const MOST_CALLS: f64 = 100.0;

/// Successes that every backend is credited with.
const PRIOR: f64 = 1.0;

/// The least weight of failures that counts: a twentieth of a call. Below, the rate is 1. Where
/// backends have hardly any calls in flight, the slightest difference decides, and a failure would
/// be remembered for more than a minute.
const LEAST_FAILURES: f64 = 0.05;

/// The codes that count as failures of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCodes(u32);

impl FailureCodes {
    /// No codes.
    pub const NONE: FailureCodes = FailureCodes(0);

    /// These codes, except OK.
    pub const fn new(codes: &[Code]) -> FailureCodes {
        let mut set = 0;
        let mut index = 0;
        while index < codes.len() {
            set |= 1 << codes[index] as u32;
            index += 1;
        }
        FailureCodes(set & !(1 << Code::Ok as u32))
    }

    /// Whether a call with this status counts as a failure.
    pub fn contains(self, code: Code) -> bool {
        self.0 & (1 << code as u32) != 0
    }

    pub(super) fn bits(self) -> u32 {
        self.0
    }

    pub(super) fn from_bits(bits: u32) -> FailureCodes {
        FailureCodes(bits)
    }
}

impl Default for FailureCodes {
    /// Codes that a backend answers with when it is broken or overloaded, those of servers that
    /// lack a method or a permission that others have, and CANCELLED: a backend that resets its
    /// calls, or whose calls are given up because they take too long, shows in nothing else.
    fn default() -> FailureCodes {
        FailureCodes::new(&[
            Code::Cancelled,
            Code::Unknown,
            Code::DeadlineExceeded,
            Code::PermissionDenied,
            Code::ResourceExhausted,
            Code::Unimplemented,
            Code::Internal,
            Code::Unavailable,
            Code::DataLoss,
            Code::Unauthenticated,
        ])
    }
}

/// The success rate of one backend.
///
/// Made by a policy for each address. Any thread, many at the same time.
#[derive(Debug)]
pub struct SuccessRate {
    /// When a call ended last, in nanoseconds. An update advances it, and uses the time in between
    /// for its decay.
    stamp: AtomicU64,
    /// The weights of all calls and of those that failed, at that time ([`packed`]). A reader may
    /// see one of the two values newer than the other, and be off by the change of one call.
    weights: AtomicU64,
}

impl SuccessRate {
    /// No calls, at this time.
    pub fn new(now: Nanos) -> SuccessRate {
        SuccessRate { stamp: AtomicU64::new(now.get()), weights: AtomicU64::new(packed(0.0, 0.0)) }
    }

    /// A call has ended. The decay time is in nanoseconds.
    #[inline]
    pub fn observe(&self, failed: bool, now: Nanos, decay_time: f64) {
        let passed = advance(&self.stamp, now);
        // Most backends have many calls, and none that fails. Then a call leaves the weights as
        // they are, unless more than the weight of one call has gone: exp(−1 / MOST_CALLS).
        // Relaxed, here and below: the two values are independent.
        let is_busy = self.weights.load(Ordering::Relaxed) == packed(MOST_CALLS, 0.0);
        if failed || !is_busy || passed * MOST_CALLS > decay_time {
            self.weigh(failed, passed / decay_time);
        }
    }

    /// Adds a call, after so many decay times.
    // Not inlined, so that the usual path stays small.
    #[inline(never)]
    fn weigh(&self, failed: bool, passed: f64) {
        let left = left_after(passed);
        let next = |word| {
            let (calls, failures) = unpacked(word);
            let calls_left = (calls * left).min(MOST_CALLS - 1.0);
            if failures == 0.0 && !failed {
                return Some(packed(calls_left + 1.0, 0.0));
            }
            // As many failures as calls lose their weight.
            let share = if calls > 0.0 { calls_left / calls } else { 0.0 };
            let failures = failures * share + f64::from(u8::from(failed));
            Some(packed(calls_left + 1.0, if failures < LEAST_FAILURES { 0.0 } else { failures }))
        };
        let _ = self.weights.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Whether all calls of late were successes. Then the rate is 1.
    #[inline]
    pub fn is_one(&self) -> bool {
        // Relaxed: as in `observe`.
        self.weights.load(Ordering::Relaxed) as u32 == 0
    }

    /// The rate, from 0.01 to 1. The decay time is in nanoseconds.
    pub fn rate(&self, now: Nanos, decay_time: f64) -> f64 {
        let (calls, failures) = unpacked(self.weights.load(Ordering::Relaxed));
        if failures == 0.0 {
            return 1.0;
        }
        let passed = now.as_f64_since(Nanos::new(self.stamp.load(Ordering::Relaxed)));
        let left = left_after(passed / decay_time);
        let (calls, failures) = (calls * left, failures * left);
        if failures < LEAST_FAILURES {
            return 1.0;
        }
        (1.0 - failures / (calls + PRIOR)).clamp(0.01, 1.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 10 s.
    const DECAY: f64 = 1e10;

    fn s(seconds: f64) -> Nanos {
        Duration::from_secs_f64(seconds).into()
    }

    /// The rate after these calls, one in each interval.
    fn after(calls: &[bool], interval: f64) -> (SuccessRate, f64) {
        let rate = SuccessRate::new(s(0.0));
        let mut now = 0.0;
        for failed in calls {
            now += interval;
            rate.observe(*failed, s(now), DECAY);
        }
        (rate, now)
    }

    #[test]
    fn without_failures_it_is_one() {
        let (rate, now) = after(&[false; 200], 0.001);
        assert!(rate.is_one());
        assert_eq!(rate.rate(s(now), DECAY), 1.0);
    }

    #[test]
    fn one_failure_of_a_backend_that_is_rarely_called_halves_it() {
        let (rate, now) = after(&[false, true], 100.0);
        assert!(!rate.is_one());
        let rate = rate.rate(s(now), DECAY);
        assert!((0.49..0.52).contains(&rate), "{rate}");
    }

    /// Successes of a busy backend change nothing, except after a pause.
    #[test]
    fn calls_of_a_busy_backend_weigh_as_without_the_short_cut() {
        let (short, slow) = (SuccessRate::new(s(0.0)), SuccessRate::new(s(0.0)));
        let mut now = 0.0;
        for call in 0..if cfg!(miri) { 200 } else { 2000 } {
            let pause = if call % 100 == 99 { 0.05 * f64::from(call / 100) } else { 0.001 };
            now += pause;
            short.observe(false, s(now), DECAY);
            slow.weigh(false, pause * 1e9 / DECAY);
            let calls = |rate: &SuccessRate| unpacked(rate.weights.load(Ordering::Relaxed)).0;
            assert!((calls(&short) - calls(&slow)).abs() < 1e-4, "{call}");
        }
    }

    #[test]
    fn many_failures_bring_it_to_a_hundredth() {
        let (rate, now) = after(&[true; 100], 0.001);
        let rate = rate.rate(s(now), DECAY);
        assert!((0.01..0.012).contains(&rate), "{rate}");
    }

    #[test]
    fn it_is_the_share_of_calls_that_do_not_fail() {
        let calls: Vec<bool> = (0..1000).map(|number| number % 20 == 0).collect();
        let (rate, now) = after(&calls, 0.01);
        let rate = rate.rate(s(now), DECAY);
        assert!((0.93..0.97).contains(&rate), "{rate}");
    }

    #[test]
    fn it_rises_while_no_call_ends() {
        let (rate, now) = after(&[true; 100], 0.001);
        let at = |later: f64| rate.rate(s(now + later), DECAY);
        assert!(at(10.0) < 0.04 && at(30.0) > 0.15 && at(60.0) > 0.7, "{}", at(30.0));
        assert_eq!(at(100.0), 1.0);
    }

    #[test]
    fn a_recovered_backend_is_believed_within_some_calls() {
        let mut calls = vec![true; 1000];
        calls.extend([false; 100]);
        let (rate, now) = after(&calls, 0.001);
        assert!(rate.rate(s(now), DECAY) > 0.6);
    }

    #[test]
    fn codes_of_the_caller_are_no_failures() {
        let codes = FailureCodes::default();
        let no_failures = [
            Code::Ok,
            Code::InvalidArgument,
            Code::NotFound,
            Code::AlreadyExists,
            Code::FailedPrecondition,
            Code::Aborted,
            Code::OutOfRange,
        ];
        for code in Code::ALL {
            assert_eq!(codes.contains(code), !no_failures.contains(&code), "{code:?}");
        }
        assert!(!FailureCodes::NONE.contains(Code::Internal));
        assert!(!FailureCodes::new(&[Code::Ok, Code::Internal]).contains(Code::Ok));
    }
}

#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc;

    use super::*;

    /// No failure is lost when two calls end at the same time.
    #[test]
    fn each_call_counts_once() {
        loom::model(|| {
            let second = Nanos::new(1_000_000_000);
            let rate = Arc::new(SuccessRate::new(second));
            let other = {
                let rate = Arc::clone(&rate);
                loom::thread::spawn(move || rate.observe(true, second, 1e9))
            };
            rate.observe(true, second, 1e9);
            assert!(rate.rate(second, 1e9) < 1.0);
            other.join().unwrap();
            // Two failures of two calls, and one success that is always there.
            assert!((rate.rate(second, 1e9) - 1.0 / 3.0).abs() < 1e-6);
        });
    }
}
