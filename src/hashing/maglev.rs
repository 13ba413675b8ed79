//! The maglev table: a table of a prime size that members fill in turns, each in an order of its own. All have
//! equal shares, to within a percent, and when one leaves, hardly any slot of the others changes.
//!
//! Source: D. E. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section
//! 3.4. Weights are Envoy's: in each round the heaviest member takes a slot, and a member of a third of its weight does so in
//! every third round.
//! Cost of a look-up: a division and a load. Building: O(M log M) on average, with M the table's size, whatever the
//! number of members.
//!
//! Must not know: policies, states.

use twox_hash::XxHash64;

use super::Member;

/// cbindgen:ignore
/// The greatest size that a table may have, as in Envoy.
pub const GREATEST_SIZE: u32 = 5_000_011;

/// Members by slot.
#[derive(Debug)]
pub struct Table {
    /// The place in the list of the member that has each slot.
    slots: Slots,
    size: u32,
}

/// A look-up waits for the memory more than for anything else, and half of it finds more room in a cache.
#[derive(Debug)]
enum Slots {
    Narrow(Box<[u16]>),
    Wide(Box<[u32]>),
}

/// A member that fills the table.
struct Filling<'a> {
    member: &'a Member<'a>,
    place: u32,
    /// The slot that it would like to have next, and how far apart those are.
    slot: u32,
    skip: u32,
    /// What its weight has to add up to before its next turn.
    due: u64,
}

const FREE: u32 = u32::MAX;

impl Table {
    /// A table of at least one member. Only their keys and weights matter, and not their order in the list, so
    /// that every client has the same table. `size` is a prime.
    pub fn new(members: &[Member<'_>], size: u32) -> Table {
        let mut filling: Vec<Filling<'_>> = members
            .iter()
            .enumerate()
            .map(|(place, member)| Filling {
                member,
                place: place as u32,
                slot: (XxHash64::oneshot(0, &member.key) % u64::from(size)) as u32,
                // From 1 on and below the size, which is prime: so it comes by every slot.
                skip: (XxHash64::oneshot(1, &member.key) % u64::from(size - 1)) as u32 + 1,
                due: 0,
            })
            .collect();
        filling.sort_unstable_by(|a, b| {
            (&a.member.key, a.member.weight, a.place).cmp(&(
                &b.member.key,
                b.member.weight,
                b.place,
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
                slots[member.slot as usize] = member.place;
                member.advance(size);
                free -= 1;
                if free == 0 {
                    return Table { slots: Slots::of(slots, members.len()), size };
                }
            }
        }
        unreachable!("the heaviest member takes a slot in each round")
    }

    /// How many slots there are.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.size as usize
    }

    /// The slot that a call of this hash belongs to.
    #[inline]
    pub fn find(&self, hash: u64) -> usize {
        (hash % u64::from(self.size)) as usize
    }

    /// The slot after this one.
    #[inline]
    pub fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.len() { 0 } else { slot + 1 }
    }

    /// Where in the list the member is that has this slot.
    #[inline]
    pub fn owner(&self, slot: usize) -> usize {
        match &self.slots {
            Slots::Narrow(slots) => slots[slot].into(),
            Slots::Wide(slots) => slots[slot] as usize,
        }
    }

    /// The part of the slots that each of so many members has.
    pub fn shares(&self, members: usize) -> Vec<f64> {
        let mut shares = vec![0; members];
        for slot in 0..self.len() {
            shares[self.owner(slot)] += 1;
        }
        shares.into_iter().map(|slots: usize| slots as f64 / self.len() as f64).collect()
    }
}

impl Slots {
    /// Of so many members.
    fn of(slots: Box<[u32]>, members: usize) -> Slots {
        if members <= 1 << u16::BITS {
            Slots::Narrow(slots.iter().map(|&place| place as u16).collect())
        } else {
            Slots::Wide(slots)
        }
    }
}

impl Filling<'_> {
    fn advance(&mut self, size: u32) {
        // Both are below the size, which is far from overflowing.
        self.slot += self.skip;
        if self.slot >= size {
            self.slot -= size;
        }
    }
}

/// Whether a table may have this size.
pub fn is_prime(number: u32) -> bool {
    let number = u64::from(number);
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number >= 2 && divisors.all(|divisor| number % divisor != 0)
}

// Nothing for Miri: safe arithmetic, and a lot of it.
#[cfg(all(test, not(miri)))]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("10.0.{}.{}:80", i / 256, i % 256)).collect()
    }

    fn members<'a>(keys: &'a [String], weights: &[u64]) -> Vec<Member<'a>> {
        let weight = |i: usize| weights.get(i).copied().unwrap_or(1);
        let of = |(i, key): (usize, &'a String)| Member {
            key: Cow::Borrowed(key.as_bytes()),
            weight: weight(i),
        };
        keys.iter().enumerate().map(of).collect()
    }

    fn shares(table: &Table, count: usize) -> Vec<usize> {
        let mut shares = vec![0; count];
        for slot in 0..table.len() {
            shares[table.owner(slot)] += 1;
        }
        shares
    }

    #[test]
    fn the_table_of_the_paper() {
        // Table 1 of the paper, of three members with given offsets and skips, is what the rounds
        // make; here the offsets and skips are those of the keys' hashes.
        let keys = keys(3);
        let table = Table::new(&members(&keys, &[]), 7);
        let permutation = |key: &String| -> Vec<u64> {
            let offset = XxHash64::oneshot(0, key.as_bytes()) % 7;
            let skip = XxHash64::oneshot(1, key.as_bytes()) % 6 + 1;
            (0..7).map(|i| (offset + i * skip) % 7).collect()
        };
        let mut expected = [None; 7];
        let mut next = [0; 3];
        'fill: loop {
            for (member, key) in keys.iter().enumerate() {
                let slot = loop {
                    let slot = permutation(key)[next[member]] as usize;
                    next[member] += 1;
                    if expected[slot].is_none() {
                        break slot;
                    }
                };
                expected[slot] = Some(member);
                if expected.iter().all(Option::is_some) {
                    break 'fill;
                }
            }
        }
        let slots: Vec<_> = (0..7).map(|slot| Some(table.owner(slot))).collect();
        assert_eq!(slots, expected);
    }

    #[test]
    fn members_of_one_weight_differ_by_a_slot_at_most() {
        for (count, size) in [(1, 2), (2, 3), (7, 65537), (1000, 65537), (5, 5)] {
            let keys = keys(count);
            let shares = shares(&Table::new(&members(&keys, &[]), size), count);
            let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
            assert!(most - least <= 1, "{count} members, {size} slots: {least} to {most}");
        }
    }

    #[test]
    fn shares_are_as_weights() {
        let keys = keys(4);
        let weights = [1, 2, 3, 10];
        let shares = shares(&Table::new(&members(&keys, &weights), 65537), 4);
        for (share, weight) in shares.into_iter().zip(weights) {
            let fair = 65537.0 * weight as f64 / 16.0;
            assert!((share as f64 - fair).abs() <= 2.0, "weight {weight}: {share}, not {fair}");
        }
    }

    #[test]
    fn more_members_than_slots() {
        let keys = keys(10);
        let shares = shares(&Table::new(&members(&keys, &[]), 7), 10);
        assert_eq!(shares.iter().sum::<usize>(), 7);
    }

    #[test]
    fn more_members_than_fit_into_16_bits() {
        let keys: Vec<String> = (0..70_000).map(|i| format!("backend {i}")).collect();
        let members = members(&keys, &[]);
        let (few, many) = (&members[..65_536], &members[..]);
        for members in [few, many] {
            let shares = shares(&Table::new(members, 655_373), members.len());
            assert!(shares.iter().all(|share| (8..=11).contains(share)));
        }
    }

    #[test]
    fn a_member_that_is_listed_twice_has_two_shares() {
        let mut keys = keys(3);
        keys.push(keys[1].clone());
        let shares = shares(&Table::new(&members(&keys, &[]), 4001), 4);
        assert!(shares.iter().all(|share| (1000..=1001).contains(share)), "{shares:?}");
    }

    #[test]
    fn primes() {
        let primes: Vec<u32> = (0..30).filter(|&number| is_prime(number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert!(is_prime(65537) && is_prime(GREATEST_SIZE) && is_prime(u32::MAX - 4));
        assert!(!is_prime(65536) && !is_prime(2231 * 2237));
    }

    proptest! {
        #[test]
        fn the_order_of_the_list_does_not_matter(
            order in Just((0..20).collect::<Vec<usize>>()).prop_shuffle(),
            weights in prop::collection::vec(1_u64..5, 20),
        ) {
            let keys = keys(20);
            let table = Table::new(&members(&keys, &weights), 1009);
            let shuffled: Vec<_> = order.iter().map(|&i| keys[i].clone()).collect();
            let their_weights: Vec<_> = order.iter().map(|&i| weights[i]).collect();
            let other = Table::new(&members(&shuffled, &their_weights), 1009);
            for slot in 0..1009 {
                prop_assert_eq!(table.owner(slot), order[other.owner(slot)]);
            }
        }
    }
}
