//! The config of `steer_slow_start`, and the formula.
//!
//! Must not depend on: how a factor is applied.

use std::time::Duration;

use crate::policy::Fields;

/// Long enough to fill caches and to compile. Envoy has no default.
const DEFAULT_WINDOW: Duration = Duration::from_secs(30);

/// Envoy's: linear.
const DEFAULT_AGGRESSION: f64 = 1.0;

/// Envoy's 10 %.
const DEFAULT_MIN_WEIGHT: f64 = 10.0;

/// The fields of `steer_slow_start`, without its child's.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowStartConfig {
    /// Above 0.
    pub(super) window: Duration,
    /// Above 0. Above 1, factors grow fast at first.
    pub(super) aggression: f64,
    /// From 0 to 1.
    pub(super) min_factor: f64,
}

impl SlowStartConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> SlowStartConfig {
        let window = fields.duration("slowStartWindow", DEFAULT_WINDOW);
        if window.is_zero() {
            fields.fault("slowStartWindow", "must be above 0s");
        }
        let aggression = fields.number("aggression", DEFAULT_AGGRESSION);
        if aggression <= 0.0 {
            fields.fault("aggression", "must be above 0");
        }
        let min_weight = fields.number("minWeightPercent", DEFAULT_MIN_WEIGHT);
        if !(0.0..=100.0).contains(&min_weight) {
            fields.fault("minWeightPercent", "must be from 0 to 100");
        }
        SlowStartConfig { window, aggression, min_factor: min_weight / 100.0 }
    }

    /// The factor of a backend that has been connected for this time.
    pub(super) fn factor(&self, connected_for: Duration) -> f64 {
        let time = connected_for.as_secs_f64() / self.window.as_secs_f64();
        // Of libm, and not the system's: simulations are the same on every machine.
        libm::pow(time, self.aggression.recip()).clamp(self.min_factor, 1.0)
    }
}

// Not for Miri, which cannot run libm's assembly.
#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn factors_are_those_of_envoys_formula() {
        let factor = |aggression, second| {
            let window = Duration::from_secs(100);
            let config = SlowStartConfig { window, aggression, min_factor: 0.1 };
            (config.factor(Duration::from_secs(second)) * 1000.0).round() / 1000.0
        };
        for (second, linear, fast, slow) in [
            (0, 0.1, 0.1, 0.1),
            (5, 0.1, 0.224, 0.1),
            (25, 0.25, 0.5, 0.1),
            (50, 0.5, 0.707, 0.25),
            (100, 1.0, 1.0, 1.0),
            (500, 1.0, 1.0, 1.0),
        ] {
            assert_eq!((factor(1.0, second), factor(2.0, second)), (linear, fast), "{second}");
            assert_eq!(factor(0.5, second), slow, "{second}");
        }
    }
}
