//! A rotation that takes some indices more often than others: it passes over all of them again and
//! again, and a caller's rule decides which it takes in which pass.
//!
//! The passes are numbered: a *generation* is the number of passes so far. gRPC counts one sequence
//! number, `generation * len + index`. Here the two are separate, so that a step costs no division.
//!
//! Cost: one thread-local load, one load, one store, and an addition for each step.
//!
//! Must not depend on: what is in rotation, where weights come from.

use super::Cells;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::slot::{assign_thread_slot, usual_slots};

/// What to do with the next index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take it.
    Take,
    /// Skip it.
    Pass,
    /// Skip it, and all others below this index. This may be the length.
    PassTo(usize),
}

/// The turns of all threads. Goes on when the number of indices changes. Clones share the turns.
///
/// Made by a policy, which gives a clone to each picker. Pickers advance it on any thread. Ends
/// with the last clone.
#[derive(Clone, Debug)]
pub struct WeightedRotation {
    /// The next step of each slot: the index in the lower half, the generation in the upper.
    next: Cells<AtomicU64>,
}

impl WeightedRotation {
    /// A rotation with as many slots as suit this machine. Each starts at a random step: clients
    /// that start at the same time should not all take the same backends.
    pub fn new(random: impl FnMut() -> u64) -> WeightedRotation {
        WeightedRotation::with_slots(usual_slots(), random)
    }

    /// A rotation with at least this many slots.
    pub fn with_slots(slots: usize, mut random: impl FnMut() -> u64) -> WeightedRotation {
        WeightedRotation { next: Cells::new(slots, |_| AtomicU64::new(random())) }
    }

    /// Advances the calling thread until `take` accepts an index below `len` in a generation.
    /// Returns that index. `take` must accept some index in each generation.
    ///
    /// # Panics
    /// If `len` is 0.
    #[inline(always)]
    pub fn next(&self, len: usize, mut take: impl FnMut(usize, u32) -> bool) -> usize {
        self.next_by(
            len,
            |index, generation| {
                if take(index, generation) { Step::Take } else { Step::Pass }
            },
        )
    }

    /// As [`next`](WeightedRotation::next), with a rule that can skip many indices at once. It must
    /// take some index in one of the next generations.
    ///
    /// # Panics
    /// If `len` is 0.
    #[inline(always)]
    pub fn next_by(&self, len: usize, step: impl FnMut(usize, u32) -> Step) -> usize {
        self.next_for(assign_thread_slot(), len, step)
    }

    #[inline(always)]
    fn next_for(&self, thread: u32, len: usize, mut step: impl FnMut(usize, u32) -> Step) -> usize {
        let cell = self.next.get(thread).expect("there is a cell for every number");
        // Relaxed: a turn orders nothing else. A plain load and store instead of a
        // compare-and-swap: threads that share a slot may undo each other's steps, which is
        // harmless.
        let next = cell.load(Ordering::Relaxed);
        let (mut index, mut generation) = (next as u32 as usize, (next >> 32) as u32);
        if index >= len {
            index = within(index, len);
        }
        let taken = loop {
            let here = index;
            let step = step(here, generation);
            index = match step {
                Step::PassTo(further) => further.max(here + 1),
                Step::Take | Step::Pass => here + 1,
            };
            if index >= len {
                index = 0;
                generation = generation.wrapping_add(1);
            }
            if step == Step::Take {
                break here;
            }
        };
        cell.store((u64::from(generation) << 32) | index as u64, Ordering::Relaxed);
        taken
    }
}

/// Brings an index into range: at a thread's first step, and after the length has shrunk.
#[cold]
fn within(index: usize, len: usize) -> usize {
    assert!(len > 0, "a rotation needs an index");
    index % len
}

#[cfg(all(test, not(loom)))]
mod tests {
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
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Threads that share a slot never take an index out of range, even if they use different
    /// lengths.
    #[test]
    fn a_shared_slot_stays_in_range() {
        loom::model(|| {
            let rotation = WeightedRotation::with_slots(1, || (5 << 32) | 1);
            let threads: Vec<_> = [2, 3]
                .into_iter()
                .map(|len| {
                    let rotation = rotation.clone();
                    loom::thread::spawn(move || {
                        for _ in 0..2 {
                            let take = |index, generation| {
                                assert!(index < len && (5..10).contains(&generation));
                                if index == 0 { Step::Take } else { Step::Pass }
                            };
                            assert_eq!(rotation.next_for(0, len, take), 0);
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}
