//! A rotation over indices that all have equal shares.
//!
//! There is no division on the usual path (64-bit division alone costs as much as the rest of a
//! pick), and no atomic read-modify-write.
//!
//! Cost: one thread-local load, one load, one store.
//!
//! Must not depend on: the objects in rotation.

use super::cells::Cells;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::slot::{assign_thread_slot, thread_slot, usual_slots};

/// The turns of all threads. Goes on when the number of indices changes. Clones share the turns.
///
/// Made by a policy, which gives a clone to each picker. Pickers advance it on any thread. Ends
/// with the last clone.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The index that each slot took last.
    last: Cells<AtomicU32>,
}

impl Rotation {
    /// A rotation with as many slots as suit this machine.
    pub fn new() -> Rotation {
        Rotation::with_slots(usual_slots())
    }

    /// A rotation with at least this many slots.
    pub fn with_slots(slots: usize) -> Rotation {
        // Slots start one index apart, so that threads that start together begin differently.
        Rotation { last: Cells::new(slots, |slot| AtomicU32::new(slot as u32)) }
    }

    /// The calling thread's next index below `len`: the one after its last, or 0 at the end.
    /// Returns `None` at a thread's first turn, and when `len` has shrunk below its last index.
    /// Then call [`next_slowly`](Rotation::next_slowly). It is separate so that a caller can put
    /// the rare case into a separate function, and this one needs no stack for it.
    #[inline(always)]
    pub fn next(&self, len: usize) -> Option<usize> {
        let cell = self.last.get(thread_slot()?)?;
        // Relaxed: a turn orders nothing else. A plain load and store instead of an atomic
        // increment: threads that share a slot may lose a turn to each other, which is harmless.
        let next = cell.load(Ordering::Relaxed) as usize + 1;
        let index = if next == len { 0 } else { next };
        if index >= len {
            return None;
        }
        cell.store(index as u32, Ordering::Relaxed);
        Some(index)
    }

    /// The calling thread's next index below `len`, in every case.
    ///
    /// # Panics
    /// If `len` is 0.
    pub fn next_slowly(&self, len: usize) -> usize {
        self.next_for(assign_thread_slot(), len)
    }

    /// Advances the calling thread to the first suitable index after its last. `find` gets the next
    /// index below `len`, and returns the first suitable one from there on, wrapping.
    ///
    /// # Panics
    /// If `len` is 0.
    pub fn next_found(&self, len: usize, find: impl FnOnce(usize) -> usize) -> usize {
        let thread = assign_thread_slot();
        let index = find(self.next_for(thread, len));
        // Relaxed: as in `next`.
        self.cell(thread).store(index as u32, Ordering::Relaxed);
        index
    }

    fn next_for(&self, thread: u32, len: usize) -> usize {
        assert!(len > 0, "a rotation needs an index");
        let cell = self.cell(thread);
        // Relaxed: as in `next`.
        let index = (cell.load(Ordering::Relaxed) as usize + 1) % len;
        cell.store(index as u32, Ordering::Relaxed);
        index
    }

    fn cell(&self, thread: u32) -> &AtomicU32 {
        self.last.get(thread).expect("there is a cell for every number")
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
        let rotation = Rotation::with_slots(4);
        let first = rotation.next_slowly(3);
        for turn in 1..100 {
            assert_eq!(rotation.next(3), Some((first + turn) % 3));
        }
    }

    #[test]
    fn goes_on_where_it_was_when_the_length_changes() {
        let rotation = Rotation::with_slots(1);
        let turns: Vec<_> = [10, 10, 10, 2, 2, 5, 5, 5, 5, 1, 1]
            .into_iter()
            .map(|len| rotation.next_for(0, len))
            .collect();
        assert_eq!(turns, [1, 2, 3, 0, 1, 2, 3, 4, 0, 0, 0]);
    }

    #[test]
    fn unsuitable_indices_are_skipped() {
        let rotation = Rotation::with_slots(1);
        let suitable = [2, 3, 7];
        let find =
            |from: usize| *suitable.iter().find(|index| **index >= from).unwrap_or(&suitable[0]);
        let turns: Vec<_> = (0..7).map(|_| rotation.next_found(10, find)).collect();
        assert_eq!(turns, [2, 3, 7, 2, 3, 7, 2]);
    }

    #[test]
    fn a_length_below_the_last_turn_needs_the_slow_path() {
        let rotation = Rotation::with_slots(1);
        while rotation.next_slowly(10) != 7 {}
        assert_eq!(rotation.next(3), None);
        assert_eq!(rotation.next_slowly(3), 2);
        assert_eq!(rotation.next(3), Some(0));
        assert_eq!(rotation.next(0), None);
    }

    #[test]
    fn slots_start_one_index_apart() {
        let rotation = Rotation::with_slots(4);
        let firsts: Vec<_> = (0..4).map(|thread| rotation.next_for(thread, 8)).collect();
        assert_eq!(firsts, [1, 2, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "needs an index")]
    fn a_length_of_0_panics() {
        Rotation::with_slots(1).next_slowly(0);
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
            let rotation = Rotation::with_slots(1);
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
