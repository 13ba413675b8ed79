//! The ketama ring: each member at many places of a circle of hashes, and a call belongs to the member at
//! the first place from its own hash on.
//!
//! Sources: gRFC A42; gRPC's `ring_hash`, whose ring this is, entry by entry. Members whose keys are the same have
//! the same places: the one that comes first in the list is first there too, where gRPC leaves the order open.
//! Cost of a look-up: one load from a table of starts by the hash's upper bits, which about one entry shares, and a few
//! comparisons without a branch. At worst O(log entries). Building: O(entries), as the entries are sorted by their upper bits first.
//!
//! Must not know: policies, states.

use twox_hash::XxHash64;

use super::Member;

/// How many entries a look-up compares at once. There are hardly ever more with the same upper bits.
const AT_ONCE: usize = 4;

/// Members by hash.
#[derive(Debug)]
pub struct Ring {
    /// Sorted, and then as many as are compared at once of the greatest there can be: hashes, and the place in the
    /// list of the member that each belongs to. Side by side, so that a look-up has both from one cache line.
    entries: Box<[(u64, u32)]>,
    /// Where the entries with these upper bits, or greater ones, begin.
    starts: Box<[u32]>,
    /// What leaves the upper bits.
    shift: u32,
}

impl Ring {
    /// A ring of at least one member, with about as many entries as these sizes say: as many as give the
    /// lightest member a whole number of them, from `least` on, but at most `most`.
    pub fn new(members: &[Member<'_>], least: u64, most: u64) -> Ring {
        let mut entries: Vec<(u64, u32)> = Vec::new();
        let mut text = Vec::new();
        // Doubles all along, and in this order, or the ring would not be gRPC's.
        let sum: u64 = members.iter().map(|member| member.weight).sum();
        let normalized = |member: &Member<'_>| member.weight as f64 / sum as f64;
        let lightest = members.iter().map(normalized).fold(1.0, f64::min);
        let scale = ((lightest * least as f64).ceil() / lightest).min(most as f64);
        entries.reserve_exact(scale.ceil() as usize);
        let (mut current, mut target) = (0.0, 0.0);
        for (place, member) in members.iter().enumerate() {
            target += scale * normalized(member);
            text.clear();
            text.extend_from_slice(&member.key);
            text.push(b'_');
            let key = text.len();
            let mut decimal = itoa::Buffer::new();
            for replica in 0_u64.. {
                if current >= target {
                    break;
                }
                text.truncate(key);
                text.extend_from_slice(decimal.format(replica).as_bytes());
                entries.push((XxHash64::oneshot(0, &text), place as u32));
                current += 1.0;
            }
        }
        Ring::sorted(entries)
    }

    fn sorted(entries: Vec<(u64, u32)>) -> Ring {
        // About one entry for each, and at least two of them, so that there is something to shift.
        let buckets = entries.len().next_power_of_two().max(2);
        let shift = u64::BITS - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for (hash, _) in &entries {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        for bucket in 0..buckets {
            starts[bucket + 1] += starts[bucket];
        }
        let mut sorted = Vec::with_capacity(entries.len() + AT_ONCE);
        sorted.resize(entries.len(), (0, 0));
        let mut next = starts.clone();
        for entry in entries {
            let at = &mut next[(entry.0 >> shift) as usize];
            sorted[*at as usize] = entry;
            *at += 1;
        }
        for bucket in starts.windows(2).filter(|bucket| bucket[1] - bucket[0] > 1) {
            sorted[bucket[0] as usize..bucket[1] as usize].sort_unstable();
        }
        sorted.extend([(u64::MAX, u32::MAX); AT_ONCE]);
        Ring { entries: sorted.into(), starts: starts.into(), shift }
    }

    /// How many entries there are.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.entries.len() - AT_ONCE
    }

    /// The entry that a call of this hash belongs to.
    #[inline]
    pub fn find(&self, hash: u64) -> usize {
        let start = self.starts[(hash >> self.shift) as usize] as usize;
        let near = &self.entries[start..start + AT_ONCE];
        let less: usize = near.iter().map(|entry| usize::from(entry.0 < hash)).sum();
        let at = if less < AT_ONCE { start + less } else { self.find_from(start, hash) };
        if at == self.len() { 0 } else { at }
    }

    #[cold]
    fn find_from(&self, start: usize, hash: u64) -> usize {
        let end = self.starts[(hash >> self.shift) as usize + 1] as usize;
        start + self.entries[start..end].partition_point(|entry| entry.0 < hash)
    }

    /// The entry after this one.
    #[inline]
    pub fn after(&self, entry: usize) -> usize {
        if entry + 1 == self.len() { 0 } else { entry + 1 }
    }

    /// Where in the list the member is that this entry belongs to.
    #[inline]
    pub fn owner(&self, entry: usize) -> usize {
        self.entries[entry].1 as usize
    }

    /// The part of all hashes that belongs to each of so many members.
    pub fn shares(&self, members: usize) -> Vec<f64> {
        let mut shares = vec![0.0; members];
        let mut former = self.entries().last().map_or(0, |(hash, _)| hash);
        for (hash, owner) in self.entries() {
            // Around the end for the first entry; all of them for one alone.
            shares[owner] += match hash.wrapping_sub(former) {
                0 if self.len() == 1 => 1.0,
                hashes => hashes as f64 / 2_f64.powi(64),
            };
            former = hash;
        }
        shares
    }

    /// All entries, in their order: the hash, and the member's place in the list.
    pub fn entries(&self) -> impl Iterator<Item = (u64, usize)> {
        self.entries[..self.len()].iter().map(|&(hash, owner)| (hash, owner as usize))
    }
}

// Nothing for Miri: safe arithmetic, and a lot of it.
#[cfg(all(test, not(miri)))]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn members(of: &[(&'static str, u64)]) -> Vec<Member<'static>> {
        of.iter()
            .map(|&(key, weight)| Member { key: Cow::Borrowed(key.as_bytes()), weight })
            .collect()
    }

    fn entries_of(ring: &Ring, count: usize) -> Vec<usize> {
        let mut counts = vec![0; count];
        for (_, owner) in ring.entries() {
            counts[owner] += 1;
        }
        counts
    }

    fn first_not_below(entries: &[(u64, usize)], hash: u64) -> usize {
        entries.iter().position(|entry| entry.0 >= hash).unwrap_or(0)
    }

    #[test]
    fn entries_are_hashes_of_the_key_and_a_number() {
        let ring = Ring::new(&members(&[("10.0.0.1:80", 1)]), 3, 4096);
        let mut expected: Vec<u64> = ["10.0.0.1:80_0", "10.0.0.1:80_1", "10.0.0.1:80_2"]
            .map(|text| XxHash64::oneshot(0, text.as_bytes()))
            .into();
        expected.sort();
        assert_eq!(ring.entries().map(|entry| entry.0).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_lightest_has_a_whole_number_of_entries_and_the_others_as_many_times_that() {
        for (weights, least, most, expected) in [
            (&[1, 1, 1][..], 1024, 4096, &[342, 342, 342][..]),
            (&[1, 2, 3], 1024, 4096, &[171, 342, 513]),
            (&[1, 1, 1], 1, 4096, &[1, 1, 1]),
            // At most so many, and a running sum decides who has the odd ones.
            (&[1, 1, 1], 1024, 4, &[2, 1, 1]),
            (&[1, 1_000_000], 1024, 4096, &[1, 4095]),
            // More members than entries.
            (&[1; 8], 1, 4, &[1, 0, 1, 0, 1, 0, 1, 0]),
        ] {
            let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let of: Vec<_> = keys.into_iter().zip(weights.iter().copied()).collect();
            let ring = Ring::new(&members(&of), least, most);
            assert_eq!(entries_of(&ring, of.len()), expected, "{weights:?} {least} {most}");
        }
    }

    #[test]
    fn of_members_with_one_key_the_first_in_the_list_comes_first() {
        let ring = Ring::new(&members(&[("a", 1), ("a", 1)]), 64, 4096);
        let owners: Vec<usize> = ring.entries().map(|entry| entry.1).collect();
        assert_eq!(owners, [0, 1].repeat(32));
    }

    #[test]
    fn the_ring_is_closed() {
        let ring = Ring::new(&members(&[("a", 1), ("b", 1)]), 8, 8);
        let entries: Vec<_> = ring.entries().collect();
        assert_eq!(ring.find(0), 0);
        assert_eq!(ring.find(entries[7].0), 7);
        assert_eq!(ring.find(entries[7].0 + 1), 0);
        assert_eq!(ring.find(u64::MAX), 0);
        assert_eq!((ring.after(6), ring.after(7)), (7, 0));
    }

    #[test]
    fn entries_that_crowd_together_are_found() {
        let close = |hash: u64| (0..100).map(move |i| (hash + 3 * i, i as u32));
        let entries: Vec<_> = close(1 << 62).chain(close(0)).chain(close(u64::MAX - 297)).collect();
        let ring = Ring::sorted(entries.into_iter().rev().collect());
        let entries: Vec<_> = ring.entries().collect();
        assert!(entries.is_sorted());
        for (hash, _) in &entries {
            for near in hash.saturating_sub(2)..=hash.saturating_add(2) {
                assert_eq!(ring.find(near), first_not_below(&entries, near));
            }
        }
    }

    proptest! {
        #[test]
        fn a_hash_belongs_to_the_first_entry_from_it_on(
            weights in prop::collection::vec(1_u64..20, 1..12),
            least in 1_u64..300,
            most in 1_u64..300,
            hashes in prop::collection::vec(any::<u64>(), 20),
        ) {
            let keys: Vec<String> = (0..weights.len()).map(|i| format!("10.0.0.{i}:80")).collect();
            let members: Vec<_> = keys
                .iter()
                .zip(weights)
                .map(|(key, weight)| Member { key: Cow::Borrowed(key.as_bytes()), weight })
                .collect();
            let ring = Ring::new(&members, least, most);
            let entries: Vec<_> = ring.entries().collect();
            prop_assert!(entries.is_sorted());
            prop_assert_eq!(entries.len(), ring.len());
            let on_entries = entries.iter().flat_map(|(hash, _)| [*hash, hash.wrapping_add(1)]);
            for hash in hashes.into_iter().chain(on_entries) {
                let found = ring.find(hash);
                prop_assert_eq!(found, first_not_below(&entries, hash));
                prop_assert_eq!(ring.owner(found), entries[found].1);
            }
        }
    }
}
