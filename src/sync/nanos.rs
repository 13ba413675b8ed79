//! A time, or a length of time, in nanoseconds.
//!
//! Tracked calls use it instead of the standard library's `Duration`, which is seconds and
//! nanoseconds: a call converts its times several times, at six to ten instructions each.
//!
//! Must not depend on: clocks.

use std::time::Duration;

/// Nanoseconds, up to 584 years. A time counts from a moment that its clock chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(u64);

impl Nanos {
    /// No time.
    pub const ZERO: Nanos = Nanos(0);

    /// This number of nanoseconds.
    #[inline]
    pub const fn new(nanos: u64) -> Nanos {
        Nanos(nanos)
    }

    /// The number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as an f64, up to 292 years. Processors convert signed numbers only, and others
    /// take five times as many instructions.
    #[inline]
    pub fn as_f64(self) -> f64 {
        i64::try_from(self.0).unwrap_or(i64::MAX) as f64
    }

    /// The nanoseconds since an earlier time, up to 292 years. 0 if it is a later one.
    // Four instructions fewer than `since` and `as_f64`.
    #[inline]
    pub fn as_f64_since(self, earlier: Nanos) -> f64 {
        (self.0.wrapping_sub(earlier.0) as i64 as f64).max(0.0)
    }

    /// The time since an earlier one. 0 if it is a later one.
    #[inline]
    pub const fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<Duration> for Nanos {
    #[inline]
    fn from(time: Duration) -> Nanos {
        // In 64 bits: half of the instructions of `as_nanos`.
        Nanos(match time.as_secs().checked_mul(1_000_000_000) {
            Some(nanos) => nanos.saturating_add(u64::from(time.subsec_nanos())),
            None => u64::MAX,
        })
    }
}

impl From<Nanos> for Duration {
    #[inline]
    fn from(time: Nanos) -> Duration {
        Duration::from_nanos(time.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_as_many_nanoseconds_up_to_the_greatest() {
        for nanos in [0, 1, 999_999_999, 1_000_000_000, 123_456_789_012_345, u64::MAX] {
            let time = Duration::from_nanos(nanos);
            assert_eq!(Nanos::from(time), Nanos::new(nanos));
            assert_eq!(Duration::from(Nanos::new(nanos)), time);
        }
        assert_eq!(Nanos::from(Duration::MAX), Nanos::new(u64::MAX));
        assert_eq!(Nanos::from(Duration::from_secs(u64::MAX / 1_000_000_000 + 1)).get(), u64::MAX);
    }

    #[test]
    fn no_time_passes_since_a_later_one() {
        assert_eq!(Nanos::new(5).since(Nanos::new(3)), Nanos::new(2));
        assert_eq!(Nanos::new(3).since(Nanos::new(5)), Nanos::ZERO);
        assert_eq!(Nanos::new(5).as_f64_since(Nanos::new(3)), 2.0);
        assert_eq!(Nanos::new(3).as_f64_since(Nanos::new(5)), 0.0);
        assert_eq!(Nanos::new(1 << 40).as_f64(), (1_u64 << 40) as f64);
        assert_eq!(Nanos::new(u64::MAX).as_f64(), i64::MAX as f64);
    }
}
