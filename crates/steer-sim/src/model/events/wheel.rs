//! Events in any order, taken by their times: a calendar queue (R. Brown, 1988).
//!
//! Time is cut into slots. The events of the coming slots lie unsorted in one list each; those of
//! the slot that is being taken are sorted. A heap of all events would do the same, but with many
//! events a comparison there misses the cache, and a simulation spends 40 % of its time on them.
//! Events that are further away than the wheel reaches wait in such a heap.
//!
//! Must not depend on: what an event leads to.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;

use super::Time;
use super::entry::Entry;

/// A slot is 2^13 ns long: at a million calls a second, a few events.
const SLOT_BITS: u32 = 13;
/// The wheel reaches 33 ms ahead, longer than most services take. Its lists stay in the cache.
const SLOTS: usize = 4096;
const WORD_BITS: usize = u64::BITS as usize;

/// The events, by slots.
pub(super) struct Wheel<E> {
    /// The slot that is being taken, counted from time 0.
    current: u64,
    /// Its events and any earlier ones, the first one last.
    sorted: Vec<Entry<E>>,
    /// The events of the `SLOTS - 1` slots after the current one, each at its number modulo
    /// `SLOTS`.
    slots: Box<[Vec<Entry<E>>]>,
    /// A bit for each list that is not empty.
    occupied: [u64; SLOTS / WORD_BITS],
    /// The events of all slots after those.
    far: QuaternaryHeap<Reverse<Entry<E>>>,
}

fn slot_of(time: Time) -> u64 {
    time >> SLOT_BITS
}

impl<E> Wheel<E> {
    pub(super) fn new() -> Wheel<E> {
        Wheel {
            current: 0,
            sorted: Vec::new(),
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            occupied: [0; SLOTS / WORD_BITS],
            far: QuaternaryHeap::new(),
        }
    }

    pub(super) fn push(&mut self, entry: Entry<E>) {
        let slot = slot_of(entry.time);
        if slot <= self.current {
            let place = self.sorted.partition_point(|other| other.key() > entry.key());
            self.sorted.insert(place, entry);
        } else if slot - self.current < SLOTS as u64 {
            let index = slot as usize % SLOTS;
            self.slots[index].push(entry);
            self.occupied[index / WORD_BITS] |= 1 << (index % WORD_BITS);
        } else {
            self.far.push(Reverse(entry));
        }
    }

    /// The first event.
    pub(super) fn first(&mut self) -> Option<&Entry<E>> {
        if self.sorted.is_empty() {
            self.turn();
        }
        self.sorted.last()
    }

    /// Takes the first event.
    pub(super) fn pop(&mut self) -> Option<Entry<E>> {
        if self.sorted.is_empty() {
            self.turn();
        }
        self.sorted.pop()
    }

    /// Moves to the next slot that has events. The current one has none left.
    fn turn(&mut self) {
        let near = self.next_occupied();
        let far = self.far.peek().map(|entry| slot_of(entry.0.time));
        let Some(next) = near.into_iter().chain(far).min() else { return };
        self.current = next;
        if near == Some(next) {
            let index = next as usize % SLOTS;
            // The list that is swapped in keeps its memory for later events.
            std::mem::swap(&mut self.sorted, &mut self.slots[index]);
            self.occupied[index / WORD_BITS] &= !(1 << (index % WORD_BITS));
        }
        while self.far.peek().is_some_and(|entry| slot_of(entry.0.time) == next) {
            self.sorted.extend(self.far.pop().map(|entry| entry.0));
        }
        self.sorted.sort_unstable_by_key(|entry| Reverse(entry.key()));
    }

    /// The next slot on the wheel that has events.
    fn next_occupied(&self) -> Option<u64> {
        let start = (self.current as usize + 1) % SLOTS;
        let (first_word, first_bit) = (start / WORD_BITS, start % WORD_BITS);
        // The first word comes twice: its bits from `start` on, and at last those before.
        for step in 0..=self.occupied.len() {
            let word = (first_word + step) % self.occupied.len();
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << first_bit;
            }
            if bits != 0 {
                let index = word * WORD_BITS + bits.trailing_zeros() as usize;
                let ahead = (index + SLOTS - start) % SLOTS;
                return Some(self.current + 1 + ahead as u64);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is done with a wheel: delays of new events, or `None` to take one.
    fn steps() -> impl Strategy<Value = Vec<Option<Time>>> {
        let delay = prop_oneof![
            0..3_u64,
            0..(1_u64 << (SLOT_BITS + 2)),
            0..(SLOTS as u64 * 3) << SLOT_BITS,
            0..Time::MAX / 1000,
        ];
        prop::collection::vec(prop::option::of(delay), 0..400)
    }

    proptest! {
        #[test]
        fn events_come_in_the_order_of_a_sorted_list(steps in steps()) {
            let mut wheel = Wheel::new();
            let mut expected = std::collections::BTreeSet::new();
            let mut now = 0;
            for (order, step) in steps.into_iter().enumerate() {
                let order = order as u64;
                if let Some(delay) = step {
                    wheel.push(Entry { time: now + delay, order, event: order });
                    expected.insert((now + delay, order));
                } else {
                    let first = wheel.first().map(|entry| (entry.time, entry.order));
                    prop_assert_eq!(first, expected.first().copied());
                    let taken = wheel.pop().map(|entry| (entry.time, entry.event));
                    prop_assert_eq!(taken, expected.pop_first());
                    now = taken.map_or(now, |(time, _)| time);
                }
            }
            while let Some(entry) = wheel.pop() {
                prop_assert_eq!(Some((entry.time, entry.event)), expected.pop_first());
            }
            prop_assert!(expected.is_empty());
        }
    }
}
