use super::*;

/// The next steps, by index and generation.
fn steps(rotation: &WeightedRotation, len: usize, count: usize) -> Vec<(usize, u32)> {
    let step = |_| {
        let mut at = 0;
        let take = |_, generation| {
            at = generation;
            Step::Take
        };
        let index = rotation.next_for(0, len, take);
        (index, at)
    };
    (0..count).map(step).collect()
}

fn starting_at(index: u32, generation: u32) -> WeightedRotation {
    WeightedRotation::with_slots(1, || (u64::from(generation) << 32) | u64::from(index))
}

#[test]
fn passes_over_the_indices_generation_by_generation() {
    let rotation = starting_at(1, 7);
    assert_eq!(steps(&rotation, 3, 6), [(1, 7), (2, 7), (0, 8), (1, 8), (2, 8), (0, 9)]);
}

#[test]
fn goes_on_where_it_was_when_the_length_changes() {
    let rotation = starting_at(0, 0);
    assert_eq!(steps(&rotation, 4, 3), [(0, 0), (1, 0), (2, 0)]);
    assert_eq!(steps(&rotation, 5, 3), [(3, 0), (4, 0), (0, 1)]);
    assert_eq!(steps(&rotation, 9, 4), [(1, 1), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(steps(&rotation, 2, 3), [(1, 1), (0, 2), (1, 2)]);
    assert_eq!(steps(&rotation, 1, 2), [(0, 3), (0, 4)]);
}

#[test]
fn a_random_start_is_brought_into_range() {
    let rotation = starting_at(u32::MAX, u32::MAX);
    let first = u32::MAX as usize % 10;
    assert_eq!(steps(&rotation, 10, 2), [(first, u32::MAX), (first + 1, u32::MAX)]);
}

#[test]
fn generations_wrap() {
    let rotation = starting_at(1, u32::MAX);
    assert_eq!(steps(&rotation, 2, 2), [(1, u32::MAX), (0, 0)]);
}

#[test]
fn goes_on_until_an_index_is_taken() {
    let rotation = starting_at(0, 0);
    let even_in_odd = |index, generation| match index % 2 == 0 && generation % 2 == 1 {
        true => Step::Take,
        false => Step::Pass,
    };
    let taken: Vec<_> = (0..5).map(|_| rotation.next_for(0, 3, even_in_odd)).collect();
    assert_eq!(taken, [0, 2, 0, 2, 0]);
    assert_eq!(steps(&rotation, 3, 1), [(1, 5)]);
}

#[test]
fn many_indices_are_skipped_at_once() {
    let rotation = starting_at(0, 0);
    let mut asked = Vec::new();
    let mut next = |takes: usize| {
        rotation.next_for(0, 100, |index, generation| {
            asked.push((index, generation));
            match index {
                _ if index == takes => Step::Take,
                _ if index < takes => Step::PassTo(takes),
                _ => Step::PassTo(100),
            }
        })
    };
    assert_eq!([next(50), next(50), next(99), next(0)], [50, 50, 99, 0]);
    let expected = [(0, 0), (50, 0), (51, 0), (0, 1), (50, 1), (51, 1), (99, 1), (0, 2)];
    assert_eq!(asked, expected);
    // A step that goes back skips one index.
    let back = |index, _| if index == 3 { Step::Take } else { Step::PassTo(0) };
    assert_eq!(rotation.next_for(0, 100, back), 3);
}

#[test]
fn each_slot_has_a_random_start() {
    let mut start = 0;
    let rotation = WeightedRotation::with_slots(3, || {
        start += 1;
        start
    });
    let take = |_, _| Step::Take;
    let firsts: Vec<_> = (0..5).map(|thread| rotation.next_for(thread, 8, take)).collect();
    assert_eq!(firsts, [1, 2, 3, 4, 2]);
}

#[test]
#[should_panic(expected = "needs an index")]
fn a_length_of_0_panics() {
    starting_at(0, 0).next(0, |_, _| true);
}
