//! A rotation over indices that all have equal shares.
//!
//! There is no division on the usual path (64-bit division alone costs as much as the rest of a
//! pick), and no atomic read-modify-write.
//!
//! Cost: one thread-local load, two loads, one store.
//!
//! Must not depend on: the objects in rotation.

use super::turns::Turns;
use crate::sync::atomic::Ordering;
use crate::sync::slot::{assign_thread_slot, thread_slot, usual_slots};

/// The turns of all threads. Goes on when the number of indices changes. Clones share the turns.
///
/// Made by a policy, which gives a clone to each picker. Pickers advance it on any thread. Ends
/// with the last clone.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The state is the index that was taken last.
    turns: Turns,
}

impl Rotation {
    /// A rotation for as many threads as suit this machine.
    pub fn new() -> Rotation {
        Rotation::for_threads(usual_slots())
    }

    /// A rotation that at least this many threads can use without a common cache line.
    pub fn for_threads(threads: usize) -> Rotation {
        Rotation { turns: Turns::new(0, threads) }
    }

    /// The next index below `len`: the one after the last, or 0 at the end. Returns `None` if
    /// another thread had the last turn, and when `len` has shrunk below the last index. Then call
    /// [`next_slowly`](Rotation::next_slowly). It is separate so that a caller can put the rarer
    /// case into a separate function, and this one needs no stack for it.
    #[inline(always)]
    pub fn next(&self, len: usize) -> Option<usize> {
        let last = self.turns.usual(thread_slot()?)?;
        // Relaxed, here and below: a turn orders nothing else. A plain load and store instead of an
        // atomic increment: threads may lose a turn to each other, which is harmless.
        let next = last.load(Ordering::Relaxed) as usize + 1;
        let index = if next == len { 0 } else { next };
        if index >= len {
            return None;
        }
        last.store(index as u64, Ordering::Relaxed);
        Some(index)
    }

    /// The next index below `len`, in every case.
    ///
    /// # Panics
    /// If `len` is 0.
    pub fn next_slowly(&self, len: usize) -> usize {
        self.next_for(assign_thread_slot(), len)
    }

    /// Advances to the first suitable index after the last. `find` gets the next index below `len`,
    /// and returns the first suitable one from there on, wrapping.
    ///
    /// # Panics
    /// If `len` is 0.
    pub fn next_found(&self, len: usize, find: impl FnOnce(usize) -> usize) -> usize {
        self.next_found_for(assign_thread_slot(), len, find)
    }

    fn next_for(&self, thread: u32, len: usize) -> usize {
        self.next_found_for(thread, len, |index| index)
    }

    fn next_found_for(&self, thread: u32, len: usize, find: impl FnOnce(usize) -> usize) -> usize {
        assert!(len > 0, "a rotation needs an index");
        let last = self.turns.of_thread(thread);
        let index = find((last.load(Ordering::Relaxed) as usize + 1) % len);
        last.store(index as u64, Ordering::Relaxed);
        index
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Rotation::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_thread_rotates_exactly() {
        let rotation = Rotation::for_threads(4);
        let first = rotation.next_slowly(3);
        for turn in 1..100 {
            assert_eq!(rotation.next(3), Some((first + turn) % 3));
        }
    }

    #[test]
    fn goes_on_where_it_was_when_the_length_changes() {
        let rotation = Rotation::for_threads(1);
        let turns: Vec<_> = [10, 10, 10, 2, 2, 5, 5, 5, 5, 1, 1]
            .into_iter()
            .map(|len| rotation.next_for(0, len))
            .collect();
        assert_eq!(turns, [1, 2, 3, 0, 1, 2, 3, 4, 0, 0, 0]);
    }

    #[test]
    fn unsuitable_indices_are_skipped() {
        let rotation = Rotation::for_threads(1);
        let suitable = [2, 3, 7];
        let find =
            |from: usize| *suitable.iter().find(|index| **index >= from).unwrap_or(&suitable[0]);
        let turns: Vec<_> = (0..7).map(|_| rotation.next_found(10, find)).collect();
        assert_eq!(turns, [2, 3, 7, 2, 3, 7, 2]);
    }

    #[test]
    fn a_length_below_the_last_turn_needs_the_slow_path() {
        let rotation = Rotation::for_threads(1);
        while rotation.next_slowly(10) != 7 {}
        assert_eq!(rotation.next(3), None);
        assert_eq!(rotation.next_slowly(3), 2);
        assert_eq!(rotation.next(3), Some(0));
        assert_eq!(rotation.next(0), None);
    }

    #[test]
    fn threads_take_successive_turns() {
        let rotation = Rotation::for_threads(4);
        let pause = std::time::Duration::from_millis(1);
        let turns: Vec<_> = [1, 2, 3, 2, 1, 1]
            .into_iter()
            .map(|thread| {
                std::thread::sleep(pause);
                rotation.next_for(thread, 4)
            })
            .collect();
        assert_eq!(turns, [1, 2, 3, 0, 1, 2]);
    }

    #[test]
    #[should_panic(expected = "needs an index")]
    fn a_length_of_0_panics() {
        Rotation::for_threads(1).next_slowly(0);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Threads never take an index out of range, even if they use different
    /// lengths.
    #[test]
    fn turns_stay_in_range() {
        loom::model(|| {
            let rotation = Rotation::for_threads(1);
            let threads: Vec<_> = [2, 3]
                .into_iter()
                .map(|len| {
                    let rotation = rotation.clone();
                    loom::thread::spawn(move || {
                        for _ in 0..2 {
                            assert!(rotation.next_for(0, len) < len);
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
