//! The weights of a list by reports, completed with the weights that the resolver gives.
//!
//! The two have different units: a reported weight is calls per second at full use, a given one is
//! whatever the control plane chose. So given weights are scaled: backends that have both weights
//! have the same mean by either.
//!
//! Cost: two passes over the backends.
//!
//! Must not depend on: how reports become weights, who gives the others.

use super::static_stride::is_known;

/// Completes the reported weights of backends with given ones. 0 means that there is none. While
/// fewer than two weights are reported, all backends have their given weights: the reports of one
/// backend say nothing about the others.
pub fn combine(reported: &mut [f32], given: &[f32]) {
    if !given.iter().copied().any(is_known) {
        return;
    }
    if reported.iter().copied().filter(|weight| is_known(*weight)).count() < 2 {
        reported.copy_from_slice(given);
        return;
    }
    let pairs = || reported.iter().copied().zip(given.iter().copied());
    let both = pairs().filter(|(reported, given)| is_known(*reported) && is_known(*given));
    let sums = both.fold((0.0, 0.0), |(reports, gifts), (reported, given)| {
        (reports + f64::from(reported), gifts + f64::from(given))
    });
    // Without a backend that has both, there is no scale. Then the others count as the mean.
    let scale = if sums.1 > 0.0 { sums.0 / sums.1 } else { return };
    for (reported, given) in reported.iter_mut().zip(given) {
        if !is_known(*reported) && is_known(*given) {
            *reported = (f64::from(*given) * scale).min(f64::from(f32::MAX)) as f32;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn combined<const N: usize>(mut reported: [f32; N], given: [f32; N]) -> [f32; N] {
        combine(&mut reported, &given);
        reported
    }

    #[test]
    fn given_weights_are_used_until_two_are_reported() {
        assert_eq!(combined([0.0, 0.0, 0.0], [1.0, 2.0, 0.0]), [1.0, 2.0, 0.0]);
        assert_eq!(combined([50.0, 0.0, 0.0], [1.0, 2.0, 0.0]), [1.0, 2.0, 0.0]);
        assert_eq!(combined([50.0, 60.0, 0.0], [1.0, 2.0, 0.0]), [50.0, 60.0, 0.0]);
    }

    #[test]
    fn a_given_weight_is_scaled_to_the_reported_ones() {
        // The first two: 300 reported for 3 given.
        assert_eq!(combined([100.0, 200.0, 0.0], [2.0, 1.0, 5.0]), [100.0, 200.0, 500.0]);
        // The third has no given weight, and does not count for the scale.
        assert_eq!(combined([100.0, 9.0, 0.0], [1.0, 0.0, 3.0]), [100.0, 9.0, 300.0]);
    }

    #[test]
    fn reports_stay_as_they_are_without_a_scale() {
        assert_eq!(combined([1.0, 2.0, 0.0], [0.0, 0.0, 0.0]), [1.0, 2.0, 0.0]);
        assert_eq!(combined([1.0, 2.0, 0.0], [0.0, 0.0, 5.0]), [1.0, 2.0, 0.0]);
    }
}
