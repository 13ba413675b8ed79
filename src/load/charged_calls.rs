//! Calls that a backend is charged with although it does not have them. They fade away like calls
//! that end.
//!
//! A backend looks idle in two cases in which it should not attract calls:
//! - It is new, or is back. The calls that it would have by now if it had been there all the time
//!   are charged. They fade as real calls take their place, so that it gets about its share from
//!   the first moment on, and not all calls until it is as full as the others.
//! - It answers calls at once, with statuses that are not its own failure (INVALID_ARGUMENT). Each
//!   such call is charged for as long as a call usually takes.
//!
//! The number of calls falls to 1/e in the time that calls take, as it does when calls of a random
//! length end and no new ones come.
//!
//! Cost of a reading: a load if there are none, otherwise two and an exponential.
//!
//! Must not depend on: how backends are chosen.

use super::decay::{left_after, packed, unpacked};
use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Fewer calls are none.
const LEAST: f64 = 0.01;

/// The calls that one backend is charged with. Any thread, many at the same time.
#[derive(Debug, Default)]
pub struct ChargedCalls {
    /// When the calls were changed last, in nanoseconds.
    stamp: AtomicU64,
    /// Their number at that time, and the time in seconds in which it falls to 1/e ([`packed`]).
    calls: AtomicU64,
}

impl ChargedCalls {
    /// Charges these calls, which take this time, instead of those that are left.
    pub fn set(&self, calls: f64, lasting: Nanos, now: Nanos) {
        // Relaxed, here and below: a reader may see one of the two values newer than the other, and
        // be off by this change.
        self.stamp.store(now.get(), Ordering::Relaxed);
        let calls = if lasting == Nanos::ZERO { 0.0 } else { calls };
        self.calls.store(packed_unless_none(calls, lasting), Ordering::Relaxed);
    }

    /// Charges a part of a call, which takes this time, on top of those that are left.
    pub fn add(&self, part: f64, lasting: Nanos, now: Nanos) {
        let left = self.count(now);
        self.stamp.fetch_max(now.get(), Ordering::Relaxed);
        // A charge that another thread adds at the same moment may be lost.
        self.calls.store(packed_unless_none(left + part, lasting), Ordering::Relaxed);
    }

    /// Whether there are none.
    #[inline]
    pub fn is_none(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 0
    }

    /// The number of calls.
    #[inline]
    pub fn count(&self, now: Nanos) -> f64 {
        match self.calls.load(Ordering::Relaxed) {
            0 => 0.0,
            word => self.faded(word, now),
        }
    }

    #[cold]
    fn faded(&self, word: u64, now: Nanos) -> f64 {
        let (calls, lasting) = unpacked(word);
        let passed = now.as_f64_since(Nanos::new(self.stamp.load(Ordering::Relaxed))) / 1e9;
        let left = calls * left_after(passed / lasting.max(1e-9));
        if left < LEAST {
            // Saves later readers the exponential. If a charge has come meanwhile, it stays.
            let _ = self.calls.compare_exchange(word, 0, Ordering::Relaxed, Ordering::Relaxed);
            return 0.0;
        }
        left
    }
}

/// 0 if there are hardly any calls.
fn packed_unless_none(calls: f64, lasting: Nanos) -> u64 {
    if calls < LEAST { 0 } else { packed(calls, lasting.as_f64() / 1e9) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Nanos {
        Nanos::new(milliseconds * 1_000_000)
    }

    #[test]
    fn calls_fade_in_the_time_that_they_take() {
        let charged = ChargedCalls::default();
        assert_eq!(charged.count(ms(5)), 0.0);
        charged.set(10.0, ms(100), ms(1000));
        assert!((charged.count(ms(1000)) - 10.0).abs() < 1e-6);
        assert!((charged.count(ms(1100)) - 10.0 * (-1.0f64).exp()).abs() < 1e-5);
        assert_eq!(charged.count(ms(2000)), 0.0);
        assert_eq!(charged.calls.load(Ordering::Relaxed), 0);
    }

    /// A backend that answers at once has as many charged calls as it would have in flight.
    #[test]
    fn a_steady_charge_is_that_of_littles_law() {
        let charged = ChargedCalls::default();
        for call in 0..1000 {
            charged.add(1.0, ms(100), ms(call * 10));
        }
        // 100 calls per second that take 0.1 s.
        assert!((9.0..11.0).contains(&charged.count(ms(9_995))), "{}", charged.count(ms(9_995)));
    }
}
