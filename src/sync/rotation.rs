//! Whose turn it is: a rotation that many threads advance without sharing a written cache line.
//!
//! Each thread rotates on its own ([`thread_slot`]), on a cache line of its own as long as there
//! are no more threads than slots. Threads beyond that share a slot: they may then take the same
//! turn now and then, and never one out of range. There is no division on the usual path (64-bit
//! division alone costs as much as the rest of a pick), and no atomic read-modify-write.
//!
//! Cost: one thread-local load, one load, one store.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::atomic::{AtomicU32, Ordering};
use super::slot::{assign_thread_slot, thread_slot, usual_slots};

/// The turns of all threads. Survives changes of the number of places that it rotates over; clones
/// share the turns.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The place that each slot took last. A power of two in number.
    last: Arc<[CachePadded<AtomicU32>]>,
}

impl Rotation {
    /// A rotation with as many slots as this machine's cores call for.
    pub fn new() -> Rotation {
        Rotation::with_slots(usual_slots())
    }

    /// A rotation with at least this many slots.
    pub fn with_slots(slots: usize) -> Rotation {
        // Slots start one place apart, so that threads which start together begin at different
        // places.
        let last = (0..slots.next_power_of_two() as u32)
            .map(|slot| CachePadded::new(AtomicU32::new(slot)))
            .collect();
        Rotation { last }
    }

    /// The calling thread's next place among `places`: one after its last, wrapping. None on the
    /// rare occasions that [`next_slowly`](Rotation::next_slowly) is for: at a thread's first turn,
    /// and when the number of places has shrunk. They are apart so that a caller can leave them to a
    /// function of its own, and needs no stack for them here.
    #[inline(always)]
    pub fn next(&self, places: usize) -> Option<usize> {
        let cell = self.cell(thread_slot()?)?;
        // Relaxed: a turn orders nothing but itself. A plain load and store instead of an atomic
        // increment: threads that share a slot may lose a turn to each other, which is harmless.
        let next = cell.load(Ordering::Relaxed) as usize + 1;
        let place = if next == places { 0 } else { next };
        if place >= places {
            return None;
        }
        cell.store(place as u32, Ordering::Relaxed);
        Some(place)
    }

    /// What [`next`](Rotation::next) answers in every case.
    ///
    /// # Panics
    /// When `places` is 0.
    pub fn next_slowly(&self, places: usize) -> usize {
        self.next_for(assign_thread_slot(), places)
    }

    /// The first place among `places`, from the one after the calling thread's last on, that is taken: `find` answers the
    /// first one from a given one on, wrapping.
    ///
    /// # Panics
    /// When `places` is 0.
    pub fn next_found(&self, places: usize, find: impl FnOnce(usize) -> usize) -> usize {
        let thread = assign_thread_slot();
        let place = find(self.next_for(thread, places));
        // Relaxed: as below.
        self.cell(thread).expect("a slot for every number").store(place as u32, Ordering::Relaxed);
        place
    }

    fn next_for(&self, thread: u32, places: usize) -> usize {
        assert!(places > 0, "a rotation needs a place");
        let cell = self.cell(thread).expect("a slot for every number");
        // Relaxed: as above.
        let place = (cell.load(Ordering::Relaxed) as usize + 1) % places;
        cell.store(place as u32, Ordering::Relaxed);
        place
    }

    /// Always there; to say so by a panic would cost the caller's usual path a little.
    #[inline(always)]
    fn cell(&self, thread: u32) -> Option<&CachePadded<AtomicU32>> {
        self.last.get(thread as usize & (self.last.len() - 1))
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
    fn goes_on_where_it_was_when_the_number_of_places_changes() {
        let rotation = Rotation::with_slots(1);
        let turns: Vec<_> = [10, 10, 10, 2, 2, 5, 5, 5, 5, 1, 1]
            .into_iter()
            .map(|places| rotation.next_for(0, places))
            .collect();
        assert_eq!(turns, [1, 2, 3, 0, 1, 2, 3, 4, 0, 0, 0]);
    }

    #[test]
    fn places_that_are_not_taken_are_passed_over() {
        let rotation = Rotation::with_slots(1);
        let taken = [2, 3, 7];
        let find = |from: usize| *taken.iter().find(|place| **place >= from).unwrap_or(&taken[0]);
        let turns: Vec<_> = (0..7).map(|_| rotation.next_found(10, find)).collect();
        assert_eq!(turns, [2, 3, 7, 2, 3, 7, 2]);
    }

    #[test]
    fn fewer_places_than_the_last_turn_are_for_the_slow_way() {
        let rotation = Rotation::with_slots(1);
        while rotation.next_slowly(10) != 7 {}
        assert_eq!(rotation.next(3), None);
        assert_eq!(rotation.next_slowly(3), 2);
        assert_eq!(rotation.next(3), Some(0));
        assert_eq!(rotation.next(0), None);
    }

    #[test]
    fn slots_start_one_place_apart() {
        let rotation = Rotation::with_slots(4);
        let firsts: Vec<_> = (0..4).map(|thread| rotation.next_for(thread, 8)).collect();
        assert_eq!(firsts, [1, 2, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "needs a place")]
    fn no_places_is_the_callers_fault() {
        Rotation::with_slots(1).next_slowly(0);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Threads that share a slot, while the number of places changes between them, never take a
    /// place out of range.
    #[test]
    fn a_shared_slot_stays_in_range() {
        loom::model(|| {
            let rotation = Rotation::with_slots(1);
            let threads: Vec<_> = [2, 3]
                .into_iter()
                .map(|places| {
                    let rotation = rotation.clone();
                    loom::thread::spawn(move || {
                        for _ in 0..2 {
                            assert!(rotation.next_for(0, places) < places);
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
