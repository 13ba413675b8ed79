//! Rendezvous hashing: of some members, the one that has the best score with a call's hash. A
//! member that goes moves only its own calls, and one that comes only the calls that it gets.
//!
//! It needs nothing that depends on which members there are. So it suits the few backends that are
//! READY out of many, of which a ring or table would have to be made again with each report.
//!
//! Source: Thaler, Ravishankar, "Using name-based mappings to increase hit rates" (1998); for
//! weights, Schindelhauer, Schomaker, "Weighted Distributed Hash Tables" (2005).
//!
//! Cost of a choice: a multiplication or two for each candidate, and a logarithm if weights differ.
//!
//! Must not depend on: rings, tables, policies, states.

use hashbrown::HashMap;
use twox_hash::XxHash64;

use super::{Member, mix};

/// The first seed of the members' hashes. The table has those before.
const FIRST_SEED: u64 = 2;

/// The members of a list. Never changes. Shared by pickers on any thread.
#[derive(Debug)]
pub struct Rendezvous {
    /// For each member, the hash of its key and its weight.
    members: Box<[(u64, u64)]>,
    /// Whether all have the same weight.
    equal: bool,
}

impl Rendezvous {
    /// Chooses among these members. A key that several members have counts as a different one for
    /// each of them.
    pub fn new(members: &[Member<'_>]) -> Rendezvous {
        let mut same_key: HashMap<&[u8], u64> = HashMap::with_capacity(members.len());
        let members: Box<[(u64, u64)]> = members
            .iter()
            .map(|member| {
                let seed = same_key.entry(&member.key).or_insert(FIRST_SEED);
                *seed += 1;
                (XxHash64::oneshot(*seed - 1, &member.key), member.weight)
            })
            .collect();
        let equal = members.windows(2).all(|pair| pair[0].1 == pair[1].1);
        Rendezvous { members, equal }
    }

    /// The one of these members that a call with this hash belongs to. `None` if there are none.
    pub fn choose(&self, hash: u64, candidates: impl Iterator<Item = usize>) -> Option<usize> {
        if self.equal {
            return candidates.max_by_key(|member| mix(hash ^ self.members[*member].0));
        }
        let scored = candidates.map(|member| (self.weighted_score(hash, member), member));
        scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, member)| member)
    }

    /// The logarithm of a number between 0 and 1, divided by the weight: the greatest belongs to
    /// each member with a probability in proportion to its weight.
    fn weighted_score(&self, hash: u64, member: usize) -> f64 {
        let (key, weight) = self.members[member];
        // The upper 53 bits, which a double holds, and a half: never 0.
        let number = ((mix(hash ^ key) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        // Of libm, and not the system's: all clients are to have the same scores.
        libm::log(number) / weight as f64
    }
}

// Not for Miri: this is safe arithmetic, and a lot of it.
#[cfg(all(test, not(miri)))]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const CALLS: u64 = 40_000;

    fn members(weights: &[u64]) -> Vec<Member<'static>> {
        let member = |(i, weight): (usize, &u64)| Member {
            key: Cow::Owned(format!("10.0.0.{i}:80").into_bytes()),
            weight: *weight,
        };
        weights.iter().enumerate().map(member).collect()
    }

    fn hashes() -> impl Iterator<Item = u64> {
        (0..CALLS).map(|call| XxHash64::oneshot(0, &call.to_le_bytes()))
    }

    #[test]
    fn shares_follow_weights() {
        for weights in [[1, 1, 1, 1, 1], [5, 5, 5, 5, 5], [1, 2, 3, 4, 10]] {
            let all = Rendezvous::new(&members(&weights));
            let mut calls = [0_u64; 5];
            for hash in hashes() {
                calls[all.choose(hash, 0..5).unwrap()] += 1;
            }
            for (calls, weight) in calls.into_iter().zip(weights) {
                let fair = CALLS * weight / weights.iter().sum::<u64>();
                // 6 σ are below 600.
                assert!(calls.abs_diff(fair) < 600, "{calls} of weight {weight}, not {fair}");
            }
        }
    }

    #[test]
    fn only_calls_of_a_member_that_leaves_move() {
        for weights in [[1, 1, 1, 1], [1, 7, 2, 3]] {
            let all = Rendezvous::new(&members(&weights));
            for hash in hashes().take(2000) {
                let before = all.choose(hash, 0..4).unwrap();
                let after = all.choose(hash, (0..4).filter(|member| *member != 2)).unwrap();
                assert!(before == after || before == 2);
            }
        }
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter() {
        let all = Rendezvous::new(&members(&[1; 9]));
        for hash in hashes().take(100) {
            assert_eq!(all.choose(hash, 0..9), all.choose(hash, (0..9).rev()));
        }
        assert_eq!(all.choose(0, std::iter::empty()), None);
    }

    #[test]
    fn members_with_the_same_key_have_a_share_each() {
        let twice = Member { key: Cow::Borrowed(&b"a"[..]), weight: 1 };
        let all = Rendezvous::new(&[twice.clone(), twice]);
        let first = hashes().filter(|hash| all.choose(*hash, 0..2) == Some(0)).count() as u64;
        assert!(first.abs_diff(CALLS / 2) < 600, "{first}");
    }
}
