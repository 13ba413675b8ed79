//! The buckets of a histogram, as the crate `prometheus-client` wants them.
//!
//! Must not depend on: what is counted.

/// Not cumulative, and the last one without a bound.
pub(super) fn to_buckets(cumulative: &[(f64, u64)], count: u64) -> Vec<(f64, u64)> {
    let mut below = 0;
    let all = cumulative.iter().copied().chain([(f64::INFINITY, count)]);
    all.map(|(bound, count)| (bound, count - std::mem::replace(&mut below, count))).collect()
}
