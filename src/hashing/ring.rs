//! The ketama ring: each member at many places of a circle of hashes, and a call belongs to the member at
//! the first place from its own hash on.
//!
//! Sources: gRFC A42; gRPC's `ring_hash`, whose ring this is, entry by entry. Members whose keys are the same have
//! the same places: the one that comes first in the list is first there too, where gRPC leaves the order open.
//! Cost of a look-up: one load from a table of starts by the hash's upper bits, which about one entry shares, and a few
//! comparisons without a branch. At worst O(log entries). Building: O(entries), as the entries are sorted by their upper bits first.
//!
//! Must not know: policies, states.

use std::borrow::Cow;

use hashbrown::HashMap;
use twox_hash::XxHash64;

use super::Member;

/// How many entries a look-up compares at once. There are hardly ever more with the same upper bits.
const AT_ONCE: usize = 4;

/// Of the upper bits, as many as tell apart what is sorted at once: entries and starts of a few hundred KB.
const PART_BITS: u32 = 14;

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
            let mut hashes = Hashes::of(&member.key, &mut text);
            while current < target {
                entries.push((hashes.next(), place as u32));
                current += 1.0;
            }
        }
        Ring::sorted(entries)
    }

    /// The ring of the same members but for the keys of some, which are given by the places in the list. The weights
    /// decide how many entries each has, and so it has as many as it had.
    ///
    /// Cost: O(entries), once over them in their order, and no hashes but those of these keys.
    pub fn with_keys(&self, keys: &HashMap<usize, Cow<'_, [u8]>>) -> Ring {
        let mut changed = vec![false; keys.keys().max().map_or(0, |last| last + 1)];
        keys.keys().for_each(|place| changed[*place] = true);
        let is_changed = |owner: u32| changed.get(owner as usize) == Some(&true);
        let mut counts: HashMap<u32, usize> = HashMap::with_capacity(keys.len());
        let former = &self.entries[..self.len()];
        for (_, owner) in former.iter().filter(|entry| is_changed(entry.1)) {
            *counts.entry(*owner).or_default() += 1;
        }
        let (mut new, mut text) = (Vec::new(), Vec::new());
        for (owner, count) in counts {
            let mut hashes = Hashes::of(&keys[&(owner as usize)], &mut text);
            new.extend((0..count).map(|_| (hashes.next(), owner)));
        }
        new.sort_unstable();
        let mut new = new.into_iter().peekable();
        let mut entries = Vec::with_capacity(self.entries.len());
        for &entry in former.iter().filter(|entry| !is_changed(entry.1)) {
            while let Some(before) = new.next_if(|new| *new < entry) {
                entries.push(before);
            }
            entries.push(entry);
        }
        entries.extend(new);
        let mut starts = Vec::with_capacity(self.starts.len());
        for (place, (hash, _)) in entries.iter().enumerate() {
            let bucket = (hash >> self.shift) as usize;
            while starts.len() <= bucket {
                starts.push(place as u32);
            }
        }
        starts.resize(self.starts.len(), entries.len() as u32);
        entries.extend([(u64::MAX, u32::MAX); AT_ONCE]);
        Ring { entries: entries.into(), starts: starts.into(), shift: self.shift }
    }

    fn sorted(mut entries: Vec<(u64, u32)>) -> Ring {
        // About one entry for each, and at least two of them, so that there is something to shift.
        let buckets = entries.len().next_power_of_two().max(2);
        let bits = buckets.trailing_zeros();
        let shift = u64::BITS - bits;
        let mut sorted = vec![(0, 0); entries.len()];
        // First into parts that are sorted within the caches.
        let upper = bits.saturating_sub(PART_BITS);
        let mut parts = vec![0, entries.len() as u32];
        if upper > 0 {
            parts = vec![0; (1 << upper) + 1];
            distribute(&entries, &mut sorted, &mut parts, |hash| hash >> (u64::BITS - upper));
            std::mem::swap(&mut entries, &mut sorted);
        }
        let buckets_of_part = buckets >> upper;
        let mut starts = Vec::with_capacity(buckets + 1);
        let mut starts_of_part = vec![0; buckets_of_part + 1];
        for part in parts.windows(2) {
            let (first, part) = (part[0], part[0] as usize..part[1] as usize);
            let sorted = &mut sorted[part.clone()];
            let bucket = |hash| (hash >> shift) & (buckets_of_part as u64 - 1);
            distribute(&entries[part], sorted, &mut starts_of_part, bucket);
            for bucket in starts_of_part.windows(2).filter(|bucket| bucket[1] - bucket[0] > 1) {
                sorted[bucket[0] as usize..bucket[1] as usize].sort_unstable();
            }
            starts.extend(starts_of_part[..buckets_of_part].iter().map(|start| first + start));
        }
        starts.push(sorted.len() as u32);
        sorted.reserve_exact(AT_ONCE);
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

/// Puts entries into buckets, in the order that they have, and says where each bucket begins, and after them where the
/// last one ends.
fn distribute(
    entries: &[(u64, u32)],
    to: &mut [(u64, u32)],
    starts: &mut [u32],
    bucket: impl Fn(u64) -> u64,
) {
    starts.fill(0);
    for (hash, _) in entries {
        starts[bucket(*hash) as usize + 1] += 1;
    }
    for bucket in 1..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    let mut next = starts.to_vec();
    for entry in entries {
        let at = &mut next[bucket(entry.0) as usize];
        to[*at as usize] = *entry;
        *at += 1;
    }
}

/// The hashes of a member's entries, in order: of its key and a number.
struct Hashes<'a> {
    /// The key and what stands before the number; and the latter, from the last time.
    text: &'a mut Vec<u8>,
    key: usize,
    replica: u64,
    decimal: itoa::Buffer,
}

impl Hashes<'_> {
    /// In `text`, which may be of any other's.
    fn of<'a>(key: &[u8], text: &'a mut Vec<u8>) -> Hashes<'a> {
        text.clear();
        text.extend_from_slice(key);
        text.push(b'_');
        Hashes { key: text.len(), text, replica: 0, decimal: itoa::Buffer::new() }
    }

    fn next(&mut self) -> u64 {
        self.text.truncate(self.key);
        self.text.extend_from_slice(self.decimal.format(self.replica).as_bytes());
        self.replica += 1;
        XxHash64::oneshot(0, self.text)
    }
}

// Nothing for Miri: safe arithmetic, and a lot of it.
#[cfg(all(test, not(miri)))]
mod tests {
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
        /// Other keys for some members lead to the very ring that a new one would be, also where keys are the same.
        #[test]
        fn with_other_keys_it_is_the_ring_made_anew(
            members in prop::collection::vec((0_u8..30, 1_u64..9), 1..20),
            keys in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..30), 0..8),
            least in 1_u64..300,
            most in 1_u64..300,
        ) {
            let key = |number: u8| Cow::Owned(format!("10.0.0.{number}:80").into_bytes());
            let mut members: Vec<Member<'static>> = members
                .into_iter()
                .map(|(number, weight)| Member { key: key(number), weight })
                .collect();
            let before = Ring::new(&members, least, most);
            let mut changed = HashMap::new();
            for (place, number) in keys {
                let place = place.index(members.len());
                members[place].key = key(number);
                changed.insert(place, key(number));
            }
            let (made, expected) = (before.with_keys(&changed), Ring::new(&members, least, most));
            prop_assert_eq!(made.entries, expected.entries);
            prop_assert_eq!((made.starts, made.shift), (expected.starts, expected.shift));
        }

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
