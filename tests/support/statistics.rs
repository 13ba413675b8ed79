//! Chi-square tests: whether counts follow a distribution.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A correct policy fails a test of this significance with one seed in a thousand. Tests fix their
/// seeds, so they never fail by chance. The level says how far the counts of that seed may be off.
pub const SIGNIFICANCE: f64 = 0.001;

/// The probability of counts that are at least as far from their expectation, if the shares are
/// right. This is Pearson's test. It needs about five or more expected of each.
pub fn chi_square(counts: &[u64], shares: &[f64]) -> f64 {
    assert_eq!(counts.len(), shares.len());
    let total = counts.iter().sum::<u64>() as f64;
    let sum: f64 = shares.iter().sum();
    let expected = shares.iter().map(|share| total * share / sum);
    let distance = counts.iter().zip(expected).map(|(&count, expected)| {
        assert!(expected >= 5.0, "too few: {expected} expected");
        (count as f64 - expected).powi(2) / expected
    });
    let distribution = ChiSquared::new(counts.len() as f64 - 1.0).expect("two counts or more");
    distribution.sf(distance.sum())
}

/// Panics unless the counts follow these shares, which may have any sum.
#[track_caller]
pub fn assert_shares(counts: &[u64], shares: &[f64]) {
    let p = chi_square(counts, shares);
    assert!(p >= SIGNIFICANCE, "p = {p:.2e} for {counts:?} with the shares {shares:?}");
}

/// Panics unless the counts follow equal shares.
#[track_caller]
pub fn assert_uniform(counts: &[u64]) {
    assert_shares(counts, &vec![1.0; counts.len()]);
}
