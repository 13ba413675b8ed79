//! Exponential decay, and the time that it takes.
//!
//! Must not depend on: what decays.

use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What is left of 1 after `x` decay times: exp(−x), for an `x` of at least 0. The calls of a busy
/// backend are close together, so `x` is usually near 0. There, the first terms of the series are
/// exact to 13 digits, and take a fifth of the time. Elsewhere, this is the crate `libm`'s, which
/// takes 2 ns more than the system's library: that differs in the last digit from machine to
/// machine, and simulations are to be the same on all.
#[inline]
pub(super) fn left_after(x: f64) -> f64 {
    if x < 1e-3 { 1.0 - x * (1.0 - x * (0.5 - x / 6.0)) } else { libm::exp(-x) }
}

/// Advances the time of a value that decays to `now`, and returns the nanoseconds that have passed.
/// If another thread has set a later time, no time passes: no two callers use the same time.
// Nearly always the first attempt succeeds. `fetch_max` alone would take five more instructions,
// because it is a loop.
#[inline]
pub(super) fn advance(stamp: &AtomicU64, now: Nanos) -> f64 {
    // Relaxed: the time is independent of the value.
    let before = Nanos::new(stamp.load(Ordering::Relaxed));
    if now <= before {
        return 0.0;
    }
    let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
    match stamp.compare_exchange(before.get(), now.get(), success, failure) {
        Ok(_) => now.as_f64_since(before),
        Err(_) => advance_again(stamp, now),
    }
}

#[cold]
fn advance_again(stamp: &AtomicU64, now: Nanos) -> f64 {
    // Relaxed: as above.
    now.as_f64_since(Nanos::new(stamp.fetch_max(now.get(), Ordering::Relaxed)))
}

/// Two numbers of single precision in one word, so that an atomic operation changes both.
pub(super) fn packed(first: f64, second: f64) -> u64 {
    (u64::from((first as f32).to_bits()) << 32) | u64::from((second as f32).to_bits())
}

/// The numbers of [`packed`].
pub(super) fn unpacked(word: u64) -> (f64, f64) {
    let number = |bits: u64| f64::from(f32::from_bits(bits as u32));
    (number(word >> 32), number(word))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_short_series_equals_the_exponential() {
        for x in [0.0, 1e-12, 1e-5, 9.99e-4, 1e-3, 0.1, 700.0_f64] {
            assert!((left_after(x) / (-x).exp() - 1.0).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn two_numbers_fit_into_a_word() {
        assert_eq!(unpacked(packed(1.5, 100.25)), (1.5, 100.25));
        assert_eq!(packed(0.0, 0.0), 0);
    }
}
