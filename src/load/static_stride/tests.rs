use proptest::prelude::*;

use super::*;

fn weights(of: &[f32]) -> Vec<u16> {
    StaticStride::new(of).expect("two weights are known").weights.to_vec()
}

/// The next `count` choices from this sequence number on, as gRPC counts them.
fn choices(scheduler: &StaticStride, mut sequence: u32, count: usize) -> Vec<usize> {
    let places = scheduler.places() as u32;
    let mut choice = || loop {
        let (place, generation) = ((sequence % places) as usize, sequence / places);
        sequence = sequence.wrapping_add(1);
        if scheduler.takes(place, generation) {
            break place;
        }
    };
    (0..count).map(|_| choice()).collect()
}

#[test]
fn fewer_than_two_known_weights_make_no_scheduler() {
    for of in [&[][..], &[1.0], &[0.0, 0.0], &[0.0, 3.0, 0.0], &[1.0, f32::NAN, -2.0]] {
        assert_eq!(StaticStride::new(of), None, "{of:?}");
    }
}

#[test]
fn weights_are_scaled_to_the_greatest() {
    assert_eq!(weights(&[1.0, 1.0]), [65535, 65535]);
    assert_eq!(weights(&[1.0, 2.0, 4.0]), [16384, 32768, 65535]);
    // In double precision only, it would be 57328.5017.
    assert_eq!(weights(&[98.88622, 86.50338]), [65535, 57328]);
    assert_eq!(weights(&[0.1, 0.3]), [21845, 65535]);
    assert_eq!(weights(&[1e-45, 1e-45, 2e-45]), [65535, 65535, 65535]);
    assert_eq!(weights(&[f32::MAX, f32::MAX / 2.0]), [65535, 32768]);
}

#[test]
fn an_unknown_weight_is_the_mean_of_the_others() {
    assert_eq!(weights(&[0.0, 1.0, 3.0]), [43690, 21845, 65535]);
    assert_eq!(weights(&[f32::INFINITY, 1.0, 3.0, -1.0]), [43690, 21845, 65535, 43690]);
}

#[test]
fn great_weights_are_capped_at_ten_means() {
    let of = |first| {
        let mut weights = [1.0; 20];
        weights[0] = first;
        let scaled = self::weights(&weights);
        (scaled[0], scaled[1])
    };
    // Here the first is ten means.
    assert_eq!(of(19.0), (65535, 3449));
    assert_eq!(of(20.0), (65535, 3361));
    // The others are at the floor.
    assert_eq!(of(1e6), (65535, 66));
}

#[test]
fn small_weights_have_a_floor() {
    assert_eq!(weights(&[1.0, 1.0, 0.001]), [65535, 65535, 437]);
    assert_eq!(weights(&[1.0, 1.0, 1e-30]), [65535, 65535, 437]);
}

#[test]
fn exact_sequences() {
    let two_to_one = StaticStride::new(&[2.0, 1.0]).unwrap();
    assert_eq!(choices(&two_to_one, 0, 10), [0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
}

/// The choice by the definition, without overflow.
fn by_definition(weights: &[u16], sequence: u32) -> Option<usize> {
    let n = weights.len() as u128;
    let (i, g) = (u128::from(sequence) % n, u128::from(sequence) / n);
    let w = u128::from(weights[i as usize]);
    let m = (w * g + i * 32767) % 65535;
    (m >= 65535 - w).then_some(i as usize)
}

proptest! {
    #[test]
    fn takes_what_the_definition_takes(
        of in prop::collection::vec(0.0f32..1000.0, 2..40),
        sequence: u32,
    ) {
        prop_assume!(of.iter().filter(|weight| **weight > 0.0).count() >= 2);
        let scheduler = StaticStride::new(&of).unwrap();
        for sequence in sequence..sequence.saturating_add(200) {
            let (place, generation) =
                (sequence as usize % of.len(), sequence / of.len() as u32);
            let taken = scheduler.takes(place, generation).then_some(place);
            prop_assert_eq!(taken, by_definition(&scheduler.weights, sequence));
        }
    }

    #[test]
    fn the_greatest_weight_is_taken_in_each_generation(
        of in prop::collection::vec(prop::num::f32::ANY, 2..40),
        generation: u32,
    ) {
        if let Some(scheduler) = StaticStride::new(&of) {
            let places = 0..scheduler.places();
            prop_assert!(places.clone().any(|place| scheduler.weights[place] == MAX_WEIGHT));
            for place in places {
                prop_assert!(scheduler.weights[place] > 0);
                let greatest = scheduler.weights[place] == MAX_WEIGHT;
                prop_assert!(!greatest || scheduler.takes(place, generation));
            }
        }
    }

    /// Over all generations, every place is taken as often as its weight says, exactly.
    #[test]
    fn shares_are_exact_over_all_generations(
        of in prop::collection::vec(0.1f32..20.0, 2..6),
        first in 0..u32::MAX - 65535,
    ) {
        let scheduler = StaticStride::new(&of).unwrap();
        for place in 0..scheduler.places() {
            let taken = (first..first + 65535).filter(|g| scheduler.takes(place, *g)).count();
            prop_assert_eq!(taken, usize::from(scheduler.weights[place]));
        }
    }
}
