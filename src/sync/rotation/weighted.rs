//! A rotation that takes some indices more often than others: it passes over all of them again and
//! again, and a caller's rule decides which it takes in which pass.
//!
//! The passes are numbered: a *generation* is the number of passes so far. gRPC counts one sequence
//! number, `generation * len + index`. Here the two are separate, so that a step costs no division.
//!
//! Cost: one thread-local load, two loads, one store, and an addition for each step.
//!
//! Must not depend on: the objects in rotation, where weights come from.

use super::turns::Turns;
use crate::sync::atomic::Ordering;
use crate::sync::slot::{assign_thread_slot, usual_slots};

/// What to do with the next index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take this index: the next one, or a later one below the length.
    Take(usize),
    /// Skip the next index, and all others below this one. This may be the length.
    PassTo(usize),
}

/// The turns of all threads. Goes on when the number of indices changes. Clones share the turns.
///
/// Made by a policy, which gives a clone to each picker. Pickers advance it on any thread. Ends
/// with the last clone.
#[derive(Clone, Debug)]
pub struct WeightedRotation {
    /// The state is the next step: the index in the lower half, the generation in the upper.
    turns: Turns,
}

impl WeightedRotation {
    /// A rotation for as many threads as suit this machine. Begins at the step that `random` tells:
    /// clients that start at the same time should not all take the same backends.
    pub fn new(random: u64) -> WeightedRotation {
        WeightedRotation::for_threads(usual_slots(), random)
    }

    /// A rotation that at least this many threads can use without a common cache line.
    pub fn for_threads(threads: usize, random: u64) -> WeightedRotation {
        WeightedRotation { turns: Turns::new(random, threads) }
    }

    /// Advances until `take` accepts an index below `len` in a generation.
    /// Returns that index. `take` must accept some index in each generation.
    ///
    /// # Panics
    /// If `len` is 0.
    #[inline(always)]
    pub fn next(&self, len: usize, mut take: impl FnMut(usize, u32) -> bool) -> usize {
        self.next_by(len, |index, generation| {
            if take(index, generation) { Step::Take(index) } else { Step::PassTo(index + 1) }
        })
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
        let state = self.turns.of_thread(thread);
        // Relaxed: a turn orders nothing else. A plain load and store instead of a
        // compare-and-swap: threads may undo each other's steps, which is harmless.
        let next = state.load(Ordering::Relaxed);
        let (mut index, mut generation) = (next as u32 as usize, (next >> 32) as u32);
        if index >= len {
            index = within(index, len);
        }
        let taken = loop {
            let step = step(index, generation);
            index = match step {
                Step::Take(taken) => taken + 1,
                Step::PassTo(further) => further.max(index + 1),
            };
            if index >= len {
                index = 0;
                generation = generation.wrapping_add(1);
            }
            if let Step::Take(taken) = step {
                break taken;
            }
        };
        state.store((u64::from(generation) << 32) | index as u64, Ordering::Relaxed);
        taken
    }
}

/// Brings an index into range: at the first step, and after the length has shrunk.
#[cold]
fn within(index: usize, len: usize) -> usize {
    assert!(len > 0, "a rotation needs an index");
    index % len
}

#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Threads never take an index out of range, even if they use different lengths.
    #[test]
    fn steps_stay_in_range() {
        loom::model(|| {
            let rotation = WeightedRotation::for_threads(1, (5 << 32) | 1);
            let threads: Vec<_> = [2, 3]
                .into_iter()
                .map(|len| {
                    let rotation = rotation.clone();
                    loom::thread::spawn(move || {
                        for _ in 0..2 {
                            let take = |index, generation| {
                                assert!(index < len && (5..10).contains(&generation));
                                if index == 0 { Step::Take(0) } else { Step::PassTo(index + 1) }
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
