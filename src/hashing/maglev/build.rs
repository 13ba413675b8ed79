//! How a table is filled.
//!
//! The general flow is: the members are sorted by their keys. Each has turns in some of the rounds,
//! by its weight. The turns of all members are put into order, round by round. In each turn, a
//! member takes the first free slot of its own order.
//!
//! Cost for M slots and N members: O(N log N) to sort the members, O(N log M + M) for the turns,
//! whatever the weights are. Then the slots that members try until they find a free one: M ln M on
//! average if many members have equal weights, and at most M for each member.
//!
//! Must not depend on: policies, states.

use twox_hash::XxHash64;

use super::{Slots, Table};
use crate::hashing::Member;

/// Marks a slot that has no member yet.
const FREE: u32 = u32::MAX;

/// A member that fills the table.
struct Filling<'a> {
    member: &'a Member<'a>,
    index: u32,
    /// The slot that it tries next.
    slot: u32,
    /// The distance from one slot that it tries to the next.
    skip: u32,
}

impl Table {
    /// A table of at least one member. `size` must be a prime. The table depends on the keys and
    /// weights of the members, and not on their order in the list. So every client has the same
    /// table.
    pub fn new(members: &[Member<'_>], size: u32) -> Table {
        let mut filling: Vec<Filling<'_>> = members
            .iter()
            .enumerate()
            .map(|(index, member)| Filling::new(member, index as u32, size))
            .collect();
        filling.sort_unstable_by(|a, b| {
            (&a.member.key, a.member.weight, a.index).cmp(&(
                &b.member.key,
                b.member.weight,
                b.index,
            ))
        });
        let weights: Vec<u64> = filling.iter().map(|filling| filling.member.weight).collect();
        let mut slots = vec![FREE; size as usize].into_boxed_slice();
        // The last round may have more turns than free slots.
        for turn in turns(&weights, size).into_iter().take(size as usize) {
            filling[turn as usize].take_slot(&mut slots);
        }
        Table { slots: Slots::for_members(slots, members.len()), size }
    }
}

impl<'a> Filling<'a> {
    fn new(member: &'a Member<'a>, index: u32, size: u32) -> Filling<'a> {
        Filling {
            member,
            index,
            slot: (XxHash64::oneshot(0, &member.key) % u64::from(size)) as u32,
            // From 1 to size − 1. The size is prime, so the member tries every slot.
            skip: (XxHash64::oneshot(1, &member.key) % u64::from(size - 1)) as u32 + 1,
        }
    }

    /// Takes the first free slot of its order. There must be one.
    fn take_slot(&mut self, slots: &mut [u32]) {
        while slots[self.slot as usize] != FREE {
            self.advance(slots.len() as u32);
        }
        slots[self.slot as usize] = self.index;
        self.advance(slots.len() as u32);
    }

    fn advance(&mut self, size: u32) {
        // Both are below the size, so the sum does not overflow.
        self.slot += self.skip;
        if self.slot >= size {
            self.slot -= size;
        }
    }
}

/// Whose turn it is, until there are at least `least` turns: the indices of members with these
/// weights, round by round, and in their order within a round.
///
/// Turn k of a member, from 0 on, is in the first round from k + 1 on in which round × weight
/// reaches k × the greatest weight. So the heaviest has a turn in each round.
///
/// All turns are computed and then distributed by their rounds. To look in each round for the
/// members that have a turn would cost O(rounds × members), and with one weight far above the
/// others there are almost as many rounds as turns.
fn turns(weights: &[u64], least: u32) -> Vec<u32> {
    let heaviest = weights.iter().copied().max().unwrap_or(1);
    // The number of turns of a member in the first rounds.
    let turns_in = |rounds: u64, weight: u64| rounds.min(rounds * weight / heaviest + 1);
    let enough = |rounds: &u64| {
        let all = weights.iter().map(|weight| turns_in(*rounds, *weight)).sum::<u64>();
        all >= u64::from(least)
    };
    let rounds = first_where(u64::from(least), enough);
    let round_of = |turn: u64, weight: u64| (turn * heaviest).div_ceil(weight).max(turn + 1);
    let each = || {
        weights.iter().enumerate().flat_map(|(member, &weight)| {
            let turns = 0..turns_in(rounds, weight);
            turns.map(move |turn| (member as u32, round_of(turn, weight) as usize))
        })
    };
    let mut next = vec![0; rounds as usize + 2];
    each().for_each(|(_, round)| next[round + 1] += 1);
    for round in 1..next.len() {
        next[round] += next[round - 1];
    }
    let mut ordered = vec![0; next[rounds as usize + 1]];
    for (member, round) in each() {
        ordered[next[round]] = member;
        next[round] += 1;
    }
    ordered
}

/// The first number from 1 to `last` for which this holds. It holds for `last`, and for every
/// number after one for which it holds.
fn first_where(last: u64, holds: impl Fn(&u64) -> bool) -> u64 {
    let (mut low, mut high) = (1, last);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(&middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
