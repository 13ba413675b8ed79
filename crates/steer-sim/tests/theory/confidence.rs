//! Intervals of confidence over runs with different seeds.

use statrs::distribution::{ContinuousCDF, StudentsT};
use steer_sim::outcome::Outcome;

/// The share of such tests that pass if the theory holds. Seeds are fixed, so a test that passes
/// once passes always.
const CONFIDENCE: f64 = 0.999;

/// Fails unless `expected` is in the interval of confidence of the runs' mean, and unless the
/// interval is so narrow that this says something: `precision` is its greatest half-width, as a
/// share of `expected`.
pub fn assert_mean(
    name: &str,
    expected: f64,
    runs: &[Outcome],
    measured: impl Fn(&Outcome) -> f64,
    precision: f64,
) {
    let values: Vec<f64> = runs.iter().map(measured).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let students = StudentsT::new(0.0, 1.0, count - 1.0).expect("there are at least two runs");
    let factor = students.inverse_cdf(0.5 + CONFIDENCE / 2.0);
    let half_width = factor * (variance / count).sqrt();
    println!("{name}: {mean:.6} ± {half_width:.6}, theory {expected:.6}");
    assert!(
        (mean - expected).abs() <= half_width,
        "{name}: theory says {expected}, not {mean} ± {half_width}"
    );
    assert!(half_width <= precision * expected, "{name}: ± {half_width} is too wide to say");
}
