//! The maglev table: a table of a prime size. Members fill it in turns, each in a different order.
//! All members get equal shares, to within a percent. When one leaves, few slots of the others
//! change.
//!
//! Source: D. E. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
//! NSDI 2016, section 3.4. Weights work as in Envoy: the heaviest member takes a slot in each
//! round, and a member of a third of its weight in every third round.
//!
//! Cost of a look-up: a division and a load. Building: O(M log M) on average for a table of M
//! slots, with any number of members.
//!
//! Must not depend on: policies, states.

use twox_hash::XxHash64;

use super::Member;

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

/// A member that fills the table.
struct Filling<'a> {
    member: &'a Member<'a>,
    index: u32,
    /// The slot that it tries next.
    slot: u32,
    /// The distance from one slot that it tries to the next.
    skip: u32,
    /// Its next turn is in the round in which round × weight reaches this.
    due: u64,
}

/// Marks a slot that has no member yet.
const FREE: u32 = u32::MAX;

impl Table {
    /// A table of at least one member. `size` must be a prime. The table depends on the keys and
    /// weights of the members, and not on their order in the list. So every client has the same
    /// table.
    pub fn new(members: &[Member<'_>], size: u32) -> Table {
        let mut filling: Vec<Filling<'_>> = members
            .iter()
            .enumerate()
            .map(|(index, member)| Filling {
                member,
                index: index as u32,
                slot: (XxHash64::oneshot(0, &member.key) % u64::from(size)) as u32,
                // From 1 to size − 1. The size is prime, so the member tries every slot.
                skip: (XxHash64::oneshot(1, &member.key) % u64::from(size - 1)) as u32 + 1,
                due: 0,
            })
            .collect();
        filling.sort_unstable_by(|a, b| {
            (&a.member.key, a.member.weight, a.index).cmp(&(
                &b.member.key,
                b.member.weight,
                b.index,
            ))
        });
        let heaviest = members.iter().map(|member| member.weight).max().unwrap_or(1);
        let mut slots = vec![FREE; size as usize].into_boxed_slice();
        let mut free = size;
        for round in 1_u64.. {
            for member in &mut filling {
                if round * member.member.weight < member.due {
                    continue;
                }
                member.due += heaviest;
                while slots[member.slot as usize] != FREE {
                    member.advance(size);
                }
                slots[member.slot as usize] = member.index;
                member.advance(size);
                free -= 1;
                if free == 0 {
                    return Table { slots: Slots::for_members(slots, members.len()), size };
                }
            }
        }
        unreachable!("the heaviest member takes a slot in each round")
    }

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

    /// The slot after this one.
    #[inline]
    pub fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.len() { 0 } else { slot + 1 }
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

impl Filling<'_> {
    fn advance(&mut self, size: u32) {
        // Both are below the size, so the sum does not overflow.
        self.slot += self.skip;
        if self.slot >= size {
            self.slot -= size;
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
