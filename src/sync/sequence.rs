//! Where each thread is in an endless sequence over some places: at which of them, and in which
//! *generation*, that is how many times it has been over all of them.
//!
//! The number in the sequence would be `generation * places + place`; the two are kept apart, so that
//! a step costs no division. Each thread has a sequence of its own, as it has in a
//! [`Rotation`](super::Rotation), on a cache line of its own as long as there are no more threads
//! than slots. Threads beyond that share a slot: they may then go through the same part of the
//! sequence now and then, and never to a place out of range.
//!
//! Cost: one thread-local load, one load, one store, and an addition for each step.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::atomic::{AtomicU64, Ordering};
use super::slot::{assign_thread_slot, usual_slots};

/// What becomes of a place that is next in a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is taken.
    Take,
    /// It is passed over.
    Pass,
    /// So it is, with all before this one, which may be the first one beyond the last.
    PassTo(usize),
}

/// The sequences of all threads. They go on when the number of places changes; clones share them.
#[derive(Clone, Debug)]
pub struct WeightedRotation {
    /// What comes next in each slot: the place in the lower half, the generation in the upper. A
    /// power of two in number.
    next: Arc<[CachePadded<AtomicU64>]>,
}

impl WeightedRotation {
    /// Sequences for as many slots as this machine's cores call for, each from a start of its own:
    /// clients that begin at the same time should not all go the same way.
    pub fn new(random: impl FnMut() -> u64) -> WeightedRotation {
        WeightedRotation::with_slots(usual_slots(), random)
    }

    /// Sequences for at least this many slots.
    pub fn with_slots(slots: usize, mut random: impl FnMut() -> u64) -> WeightedRotation {
        let slots = 0..slots.next_power_of_two();
        WeightedRotation {
            next: slots.map(|_| CachePadded::new(AtomicU64::new(random()))).collect(),
        }
    }

    /// Goes on in the calling thread's sequence over `places` until `take` says yes to a place in
    /// a generation, and answers that place. `take` must say yes to some place in each generation.
    ///
    /// # Panics
    /// When `places` is 0.
    #[inline(always)]
    pub fn next(&self, places: usize, mut take: impl FnMut(usize, u32) -> bool) -> usize {
        self.next_by(
            places,
            |place, generation| {
                if take(place, generation) { Step::Take } else { Step::Pass }
            },
        )
    }

    /// The same for a `step` that can say more. It must take some place in one of the next generations.
    ///
    /// # Panics
    /// When `places` is 0.
    #[inline(always)]
    pub fn next_by(&self, places: usize, step: impl FnMut(usize, u32) -> Step) -> usize {
        self.next_for(assign_thread_slot(), places, step)
    }

    #[inline(always)]
    fn next_for(
        &self,
        thread: u32,
        places: usize,
        mut step: impl FnMut(usize, u32) -> Step,
    ) -> usize {
        let cell = &self.next[thread as usize & (self.next.len() - 1)];
        // Relaxed: a sequence orders nothing but itself. A plain load and store instead of a
        // compare-and-swap: threads that share a slot may undo each other's steps, which is harmless.
        let next = cell.load(Ordering::Relaxed);
        let (mut place, mut generation) = (next as u32 as usize, (next >> 32) as u32);
        if place >= places {
            place = within(place, places);
        }
        let taken = loop {
            let here = place;
            let step = step(here, generation);
            place = match step {
                Step::PassTo(further) => further.max(here + 1),
                Step::Take | Step::Pass => here + 1,
            };
            if place >= places {
                place = 0;
                generation = generation.wrapping_add(1);
            }
            if step == Step::Take {
                break here;
            }
        };
        cell.store((u64::from(generation) << 32) | place as u64, Ordering::Relaxed);
        taken
    }
}

/// A thread's first place, and its next one when there are fewer than before.
#[cold]
fn within(place: usize, places: usize) -> usize {
    assert!(places > 0, "a sequence needs a place");
    place % places
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// All steps, by place and generation.
    fn steps(sequence: &WeightedRotation, places: usize, count: usize) -> Vec<(usize, u32)> {
        let step = |_| {
            let mut at = 0;
            let take = |_, generation| {
                at = generation;
                Step::Take
            };
            let place = sequence.next_for(0, places, take);
            (place, at)
        };
        (0..count).map(step).collect()
    }

    fn starting_at(place: u32, generation: u32) -> WeightedRotation {
        WeightedRotation::with_slots(1, || (u64::from(generation) << 32) | u64::from(place))
    }

    #[test]
    fn goes_over_the_places_generation_by_generation() {
        let sequence = starting_at(1, 7);
        assert_eq!(steps(&sequence, 3, 6), [(1, 7), (2, 7), (0, 8), (1, 8), (2, 8), (0, 9)]);
    }

    #[test]
    fn goes_on_where_it_was_when_the_number_of_places_changes() {
        let sequence = starting_at(0, 0);
        assert_eq!(steps(&sequence, 4, 3), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(steps(&sequence, 5, 3), [(3, 0), (4, 0), (0, 1)]);
        assert_eq!(steps(&sequence, 9, 4), [(1, 1), (2, 1), (3, 1), (4, 1)]);
        assert_eq!(steps(&sequence, 2, 3), [(1, 1), (0, 2), (1, 2)]);
        assert_eq!(steps(&sequence, 1, 2), [(0, 3), (0, 4)]);
    }

    #[test]
    fn a_random_start_is_brought_into_range() {
        let sequence = starting_at(u32::MAX, u32::MAX);
        let first = u32::MAX as usize % 10;
        assert_eq!(steps(&sequence, 10, 2), [(first, u32::MAX), (first + 1, u32::MAX)]);
    }

    #[test]
    fn generations_wrap() {
        let sequence = starting_at(1, u32::MAX);
        assert_eq!(steps(&sequence, 2, 2), [(1, u32::MAX), (0, 0)]);
    }

    #[test]
    fn goes_on_until_a_place_is_taken() {
        let sequence = starting_at(0, 0);
        let even_in_odd = |place, generation| match place % 2 == 0 && generation % 2 == 1 {
            true => Step::Take,
            false => Step::Pass,
        };
        let taken: Vec<_> = (0..5).map(|_| sequence.next_for(0, 3, even_in_odd)).collect();
        assert_eq!(taken, [0, 2, 0, 2, 0]);
        assert_eq!(steps(&sequence, 3, 1), [(1, 5)]);
    }

    #[test]
    fn places_are_passed_over_many_at_a_time() {
        let sequence = starting_at(0, 0);
        let mut asked = Vec::new();
        let mut next = |takes: usize| {
            sequence.next_for(0, 100, |place, generation| {
                asked.push((place, generation));
                match place {
                    _ if place == takes => Step::Take,
                    _ if place < takes => Step::PassTo(takes),
                    _ => Step::PassTo(100),
                }
            })
        };
        assert_eq!([next(50), next(50), next(99), next(0)], [50, 50, 99, 0]);
        let expected = [(0, 0), (50, 0), (51, 0), (0, 1), (50, 1), (51, 1), (99, 1), (0, 2)];
        assert_eq!(asked, expected);
        // One that says it wrongly is passed over by itself.
        let back = |place, _| if place == 3 { Step::Take } else { Step::PassTo(0) };
        assert_eq!(sequence.next_for(0, 100, back), 3);
    }

    #[test]
    fn each_slot_starts_somewhere_of_its_own() {
        let mut start = 0;
        let sequence = WeightedRotation::with_slots(3, || {
            start += 1;
            start
        });
        let take = |_, _| Step::Take;
        let firsts: Vec<_> = (0..5).map(|thread| sequence.next_for(thread, 8, take)).collect();
        assert_eq!(firsts, [1, 2, 3, 4, 2]);
    }

    #[test]
    #[should_panic(expected = "needs a place")]
    fn no_places_is_the_callers_fault() {
        starting_at(0, 0).next(0, |_, _| true);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Threads that share a slot, while the number of places changes between them, never go to a place
    /// out of range.
    #[test]
    fn a_shared_slot_stays_in_range() {
        loom::model(|| {
            let sequence = WeightedRotation::with_slots(1, || (5 << 32) | 1);
            let threads: Vec<_> = [2, 3]
                .into_iter()
                .map(|places| {
                    let sequence = sequence.clone();
                    loom::thread::spawn(move || {
                        for _ in 0..2 {
                            let take = |place, generation| {
                                assert!(place < places && (5..10).contains(&generation));
                                if place == 0 { Step::Take } else { Step::Pass }
                            };
                            assert_eq!(sequence.next_for(0, places, take), 0);
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
