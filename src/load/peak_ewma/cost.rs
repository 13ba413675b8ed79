//! The cost of another call, and how costs compare without a clock.
//!
//! Source: forward decay (Cormode et al., ICDE 2009).
//!
//! Must not depend on: how an estimate is made.

use std::time::Duration;

use super::rule::nanoseconds;

/// The cost of another call to a backend. Costs were made at different times and decay at the same
/// rate. So which of two is less does not depend on the present time.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The cost at that time.
    pub(super) value: f64,
    /// The time of the estimate, in nanoseconds.
    pub(super) stamp: u64,
}

impl Cost {
    /// Whether this is less than `other`, if both decay at this rate.
    #[inline]
    pub fn is_below(&self, other: &Cost, decay: DecayRate) -> bool {
        // Overflow and underflow give the same answer as exact numbers.
        let later = self.stamp.wrapping_sub(other.stamp) as i64;
        let is_less = self.value < other.value;
        // If value and time agree, the exponential does too. It costs more than the rest of this.
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
    /// The rate of costs that fall to 1/e in this time, which must be above 0.
    pub fn from_decay_time(decay_time: Duration) -> DecayRate {
        DecayRate(1.0 / nanoseconds(decay_time))
    }
}

/// The exponential. The calls of a busy backend are close together, so `x` is usually near 0.
/// There, the first terms of the series are exact to 13 digits, and take a fifth of the time.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    if x.abs() < 1e-3 { 1.0 + x * (1.0 + x * (0.5 + x / 6.0)) } else { x.exp() }
}
