//! The maglev table: a table of a prime size. Members fill it in turns, each in a different order.
//! All members get equal shares, to within a percent. When one leaves, few slots of the others
//! change.
//!
//! Source: D. E. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
//! NSDI 2016, section 3.4. Weights work as in Envoy: the heaviest member takes a slot in each
//! round, and a member of a third of its weight in every third round.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the table and its look-ups |
//! | `build.rs` | how a table is filled |
//!
//! Cost of a look-up: a division and a load. Building: see `build.rs`.
//!
//! Must not depend on: policies, states.

mod build;

use super::mix;

/// cbindgen:ignore
/// The greatest size of a table, as in Envoy.
pub const GREATEST_SIZE: u32 = 5_000_011;

/// The members by slot. Never changes. Shared by pickers on any thread.
#[derive(Debug)]
pub struct Table {
    /// For each slot, the index of its member in the list.
    slots: Slots,
    size: u32,
}

/// Two bytes for each slot if they suffice. Most of a look-up is waiting for memory, and a cache
/// holds more of a smaller table.
#[derive(Debug)]
enum Slots {
    Narrow(Box<[u16]>),
    Wide(Box<[u32]>),
}

impl Table {
    /// The number of slots.
    #[expect(clippy::len_without_is_empty, reason = "a table is never empty")]
    pub fn len(&self) -> usize {
        self.size as usize
    }

    /// The slot of a call with this hash.
    #[inline]
    pub fn find(&self, hash: u64) -> usize {
        (hash % u64::from(self.size)) as usize
    }

    /// All slots, in the order of this hash: its own slot first. Two hashes with the same slot have
    /// different orders. So when a member is away, its calls spread over all others, and not only
    /// over those that have the next slots.
    pub fn probes(&self, hash: u64) -> impl Iterator<Item = usize> {
        let (first, size) = (self.find(hash), self.len());
        // From 1 to size − 1. The size is prime, so the order has every slot.
        let skip = (mix(hash) % u64::from(self.size - 1)) as usize + 1;
        let next = move |slot: &usize| {
            let next = slot + skip;
            Some(if next < size { next } else { next - size })
        };
        std::iter::successors(Some(first), next).take(size)
    }

    /// The index in the list of the member that has this slot.
    #[inline]
    pub fn owner(&self, slot: usize) -> usize {
        match &self.slots {
            Slots::Narrow(slots) => slots[slot].into(),
            Slots::Wide(slots) => slots[slot] as usize,
        }
    }

    /// The share of the slots that each member has. `members` is their number.
    pub fn shares(&self, members: usize) -> Vec<f64> {
        let mut shares = vec![0; members];
        for slot in 0..self.len() {
            shares[self.owner(slot)] += 1;
        }
        shares.into_iter().map(|slots: usize| slots as f64 / self.len() as f64).collect()
    }
}

impl Slots {
    /// The smallest form for this number of members.
    fn for_members(slots: Box<[u32]>, members: usize) -> Slots {
        if members <= 1 << u16::BITS {
            Slots::Narrow(slots.iter().map(|&index| index as u16).collect())
        } else {
            Slots::Wide(slots)
        }
    }
}

/// Whether this is a prime, as the size of a table must be.
pub fn is_prime(number: u32) -> bool {
    let number = u64::from(number);
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number >= 2 && divisors.all(|divisor| number % divisor != 0)
}

// Not for Miri: this is safe arithmetic, and a lot of it.
#[cfg(all(test, not(miri)))]
mod tests;
