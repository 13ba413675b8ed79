use super::*;

/// The next steps, by index and generation.
fn steps(rotation: &WeightedRotation, len: usize, count: usize) -> Vec<(usize, u32)> {
    let step = |_| {
        let mut at = 0;
        let take = |index, generation| {
            at = generation;
            Step::Take(index)
        };
        let index = rotation.next_for(0, len, take);
        (index, at)
    };
    (0..count).map(step).collect()
}

fn starting_at(index: u32, generation: u32) -> WeightedRotation {
    WeightedRotation::for_threads(1, (u64::from(generation) << 32) | u64::from(index))
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
        true => Step::Take(index),
        false => Step::PassTo(index + 1),
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
                _ if index == takes => Step::Take(index),
                _ if index < takes => Step::PassTo(takes),
                _ => Step::PassTo(100),
            }
        })
    };
    assert_eq!([next(50), next(50), next(99), next(0)], [50, 50, 99, 0]);
    let expected = [(0, 0), (50, 0), (51, 0), (0, 1), (50, 1), (51, 1), (99, 1), (0, 2)];
    assert_eq!(asked, expected);
    // A step that goes back skips one index.
    let back = |index, _| if index == 3 { Step::Take(3) } else { Step::PassTo(0) };
    assert_eq!(rotation.next_for(0, 100, back), 3);
    // A later index may be taken, too.
    assert_eq!(rotation.next_for(0, 100, |_, _| Step::Take(70)), 70);
    assert_eq!(steps(&rotation, 100, 1), [(71, 2)]);
}

#[test]
fn threads_take_successive_steps() {
    let rotation = starting_at(2, 0);
    let take = |index, _| Step::Take(index);
    let turns = [1, 2, 3, 2, 1, 1].map(|thread| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        rotation.next_for(thread, 4, take)
    });
    assert_eq!(turns, [2, 3, 0, 1, 2, 3]);
}

#[test]
#[should_panic(expected = "needs an index")]
fn a_length_of_0_panics() {
    starting_at(0, 0).next(0, |_, _| true);
}
