//! What another call to a backend costs by its number of calls. How long calls take matters only
//! for calls that it is charged with, and does not have: see `charged_calls.rs`.
//!
//! cost = (calls in flight + charged calls + 1) ÷ success rate
//!
//! Cost of a call's end: four atomic operations on a cache line of this backend. Cost of a reading:
//! two loads. The clock is read only for a backend that has failed or is charged.
//!
//! Must not depend on: how backends are chosen, how their calls are counted.

use std::sync::Arc;

use super::charged_calls::ChargedCalls;
use super::success_rate::{FailureCodes, SuccessRate};
use crate::Code;
use crate::calls::{CallEnd, CallObserver};
use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The time in which failures fall to 1/e of their weight, in nanoseconds: 10 s, as the default of
/// peak EWMA.
const DECAY_TIME: f64 = 1e10;

/// The share by which a call that succeeds moves the usual time of calls.
const NEWEST: f64 = 1.0 / 16.0;

/// The codes that count as failures, for all backends of a policy. A new config may change them.
#[derive(Debug, Default)]
pub struct FailureRule(AtomicU32);

impl FailureRule {
    /// Sets the codes.
    pub fn set(&self, codes: FailureCodes) {
        // Relaxed, here and below: a call that ends at the same time may fall on either side.
        self.0.store(codes.bits(), Ordering::Relaxed);
    }

    fn codes(&self) -> FailureCodes {
        FailureCodes::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// What the calls of one backend cost.
///
/// Made by a policy for each address, and shared with its pickers. Any thread, many at the same
/// time.
#[derive(Debug)]
pub struct RequestCost {
    rule: Arc<FailureRule>,
    /// When the backend was new.
    since: Nanos,
    success: SuccessRate,
    charged: ChargedCalls,
    /// How long calls that succeed usually take: the bits of an f64, in nanoseconds. 0 if none has.
    usual: AtomicU64,
}

impl RequestCost {
    /// The cost of a backend that is new at `now`.
    pub fn new(rule: &Arc<FailureRule>, now: Nanos) -> RequestCost {
        RequestCost {
            rule: Arc::clone(rule),
            since: now,
            success: SuccessRate::new(now),
            charged: ChargedCalls::default(),
            usual: AtomicU64::new(0),
        }
    }

    /// Charges calls that the backend does not have: see [`ChargedCalls::set`].
    pub fn charge(&self, calls: f64, lasting: Nanos, now: Nanos) {
        self.charged.set(calls, lasting, now);
    }

    /// The backend is new, or is back: charges as many calls as the others have, for as long as
    /// theirs take. They come with their calls in flight.
    pub fn charge_like(&self, others: &[(&RequestCost, u32)], now: Nanos) {
        if others.is_empty() {
            return;
        }
        let count = others.len() as f64;
        let calls = others.iter().map(|(it, in_flight)| it.calls(*in_flight, now)).sum::<f64>();
        let lasting = others.iter().map(|(it, _)| it.usual(now).as_f64()).sum::<f64>() / count;
        self.charge(calls / count, Nanos::new(lasting as u64), now);
    }

    /// The calls that it has or is charged with.
    pub fn calls(&self, in_flight: u32, now: Nanos) -> f64 {
        f64::from(in_flight) + self.charged.count(now)
    }

    /// How long its calls take. As long as none has succeeded, it is how long the backend has been
    /// there: no call is older.
    pub fn usual(&self, now: Nanos) -> Nanos {
        // Relaxed, here and below: the number is independent.
        match f64::from_bits(self.usual.load(Ordering::Relaxed)) {
            0.0 => now.since(self.since),
            usual => Nanos::new(usual as u64),
        }
    }

    /// The share of its calls that did not fail.
    #[inline]
    pub fn success_rate(&self, now: Nanos) -> f64 {
        self.success.rate(now, DECAY_TIME)
    }

    /// A call succeeded, and took this time.
    fn learn(&self, latency: Nanos) {
        let usual = f64::from_bits(self.usual.load(Ordering::Relaxed));
        let latency = latency.as_f64();
        let next = if usual == 0.0 { latency } else { usual + (latency - usual) * NEWEST };
        // Calls that end at the same time may overwrite each other: one of them counts.
        self.usual.store(next.to_bits(), Ordering::Relaxed);
    }

    /// A call took this time, and ended with an error of the caller. It is charged if that took
    /// less time than a call does.
    #[cold]
    fn error_of_caller(&self, latency: Nanos, now: Nanos, is_charged: bool) {
        let usual = f64::from_bits(self.usual.load(Ordering::Relaxed));
        let latency = latency.as_f64();
        if is_charged && latency < usual {
            self.charged.add(1.0 - latency / usual, Nanos::new(usual as u64), now);
        }
        self.success.observe(false, now, DECAY_TIME);
    }

    /// The cost of another call, if the backend has this many calls. `now` is called only if the
    /// cost depends on the time.
    #[inline]
    pub fn cost(&self, in_flight: u32, now: impl FnOnce() -> Nanos) -> f64 {
        let calls = f64::from(in_flight) + 1.0;
        if self.success.is_one() && self.charged.is_none() {
            return calls;
        }
        self.cost_at(calls, now())
    }

    #[cold]
    fn cost_at(&self, calls: f64, now: Nanos) -> f64 {
        (calls + self.charged.count(now)) / self.success.rate(now, DECAY_TIME)
    }
}

impl CallObserver for RequestCost {
    // Inlined into the one other function that a call's end consists of.
    #[inline(always)]
    fn ended(&self, end: &CallEnd<'_>) {
        if let CallEnd::Finished { status, latency, ended, .. } = end {
            // Without any codes, the policy counts calls in flight alone.
            let codes = self.rule.codes();
            let learns = codes != FailureCodes::NONE;
            if status.code == Code::Ok {
                if learns {
                    self.learn(*latency);
                }
                self.success.observe(false, *ended, DECAY_TIME);
            } else if codes.contains(status.code) {
                self.success.observe(true, *ended, DECAY_TIME);
            } else {
                self.error_of_caller(*latency, *ended, learns);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Status;

    fn s(seconds: u64) -> Nanos {
        Nanos::new(seconds * 1_000_000_000)
    }

    fn ms(milliseconds: u64) -> Nanos {
        Nanos::new(milliseconds * 1_000_000)
    }

    fn end(cost: &RequestCost, status: &Status, ended: Nanos) {
        let latency = Nanos::ZERO;
        cost.ended(&CallEnd::Finished { status, latency, ended, metrics: None });
    }

    #[test]
    fn without_failures_it_is_the_number_of_calls_and_needs_no_clock() {
        let cost = RequestCost::new(&Arc::default(), s(0));
        end(&cost, &Status::unavailable("no failure by this rule"), s(1));
        assert_eq!(cost.cost(4, || unreachable!("no time is needed")), 5.0);
    }

    #[test]
    fn quick_errors_of_callers_do_not_make_it_look_idle() {
        let rule = Arc::<FailureRule>::default();
        rule.set(FailureCodes::default());
        let cost = RequestCost::new(&rule, s(0));
        let end = |code, latency, ended| {
            let status = Status::new(code, "");
            let (latency, ended) = (ms(latency), ms(ended));
            cost.ended(&CallEnd::Finished { status: &status, latency, ended, metrics: None });
        };
        (0..100).for_each(|call| end(Code::Ok, 100, call));
        assert_eq!(cost.usual(s(1)), ms(100));
        (0..1000).for_each(|call| end(Code::InvalidArgument, 1, 100 + call * 10));
        // 100 calls per second, 0.1 s each: 10 calls, and one more.
        let cost = cost.cost(0, || ms(10_100));
        assert!((9.0..13.0).contains(&cost), "{cost}");
    }

    #[test]
    fn failures_and_charged_calls_raise_it() {
        let rule = Arc::<FailureRule>::default();
        rule.set(FailureCodes::default());
        let cost = RequestCost::new(&rule, s(0));
        end(&cost, &Status::unavailable("broken"), s(1));
        assert!((cost.cost(0, || s(1)) - 2.0).abs() < 1e-6);
        cost.charge(3.0, s(10), s(1));
        assert!((cost.cost(0, || s(1)) - 8.0).abs() < 1e-6);
        assert!((cost.calls(2, s(1)) - 5.0).abs() < 1e-6);
        assert!((cost.cost(0, || s(1000)) - 1.0).abs() < 1e-3);
    }
}
