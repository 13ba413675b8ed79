//! How a ring is made.
//!
//! Cost: O(entries), because the entries are distributed by their upper bits before they are
//! sorted.
//!
//! Must not depend on: policies, states.

use std::borrow::Cow;

use hashbrown::HashMap;
use twox_hash::XxHash64;

use super::{AT_ONCE, Ring};
use crate::hashing::Member;

/// A part of a large ring has 2 to this power buckets: its entries and starts are a few hundred KB,
/// which the processor's caches hold.
const PART_BITS: u32 = 14;

/// The greatest possible entry. [`AT_ONCE`] of them follow the last entry.
const AFTER_LAST: (u64, u32) = (u64::MAX, u32::MAX);

impl Ring {
    /// A ring of at least one member. It has at least `least` entries: the smallest number that
    /// gives the lightest member a whole number of them. It has at most `most` entries.
    pub fn new(members: &[Member<'_>], least: u64, most: u64) -> Ring {
        let mut entries: Vec<(u64, u32)> = Vec::new();
        let mut text = Vec::new();
        // Doubles everywhere, and in this order. Otherwise the ring would differ from gRPC's.
        let sum: u64 = members.iter().map(|member| member.weight).sum();
        let normalized = |member: &Member<'_>| member.weight as f64 / sum as f64;
        let lightest = members.iter().map(normalized).fold(1.0, f64::min);
        let scale = ((lightest * least as f64).ceil() / lightest).min(most as f64);
        entries.reserve_exact(scale.ceil() as usize);
        let (mut current, mut target) = (0.0, 0.0);
        for (index, member) in members.iter().enumerate() {
            target += scale * normalized(member);
            let mut hashes = Hashes::from_key(&member.key, &mut text);
            while current < target {
                entries.push((hashes.next(), index as u32));
                current += 1.0;
            }
        }
        Ring::from_entries(entries)
    }

    /// The ring of the same members, of which some have other keys. `keys` has the new keys by the
    /// members' indices in the list. The numbers of entries depend on weights only, so each member
    /// keeps its number.
    ///
    /// Cost: O(entries), one pass in their order. Only the new keys are hashed.
    pub fn with_keys(&self, keys: &HashMap<usize, Cow<'_, [u8]>>) -> Ring {
        let mut changed = vec![false; keys.keys().max().map_or(0, |last| last + 1)];
        keys.keys().for_each(|index| changed[*index] = true);
        let is_changed = |owner: u32| changed.get(owner as usize) == Some(&true);
        let former = &self.entries[..self.len()];
        let mut counts: HashMap<u32, usize> = HashMap::with_capacity(keys.len());
        for (_, owner) in former.iter().filter(|entry| is_changed(entry.1)) {
            *counts.entry(*owner).or_default() += 1;
        }
        let (mut new, mut text) = (Vec::new(), Vec::new());
        for (owner, count) in counts {
            let mut hashes = Hashes::from_key(&keys[&(owner as usize)], &mut text);
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
        let starts = self.starts_of(&entries);
        entries.extend([AFTER_LAST; AT_ONCE]);
        Ring { entries: entries.into(), starts, shift: self.shift }
    }

    /// The starts of sorted entries, as many as this ring has.
    fn starts_of(&self, entries: &[(u64, u32)]) -> Box<[u32]> {
        let mut starts = Vec::with_capacity(self.starts.len());
        for (index, (hash, _)) in entries.iter().enumerate() {
            let bucket = (hash >> self.shift) as usize;
            while starts.len() <= bucket {
                starts.push(index as u32);
            }
        }
        starts.resize(self.starts.len(), entries.len() as u32);
        starts.into()
    }

    /// The ring of these entries, in any order.
    pub(super) fn from_entries(mut entries: Vec<(u64, u32)>) -> Ring {
        // About one bucket for each entry. At least two, so that there is a bit to shift by.
        let buckets = entries.len().next_power_of_two().max(2);
        let bits = buckets.trailing_zeros();
        let shift = u64::BITS - bits;
        let mut sorted = vec![(0, 0); entries.len()];
        // First distributed into parts, each of which is then sorted within the caches.
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
        sorted.extend([AFTER_LAST; AT_ONCE]);
        Ring { entries: sorted.into(), starts: starts.into(), shift }
    }
}

/// Copies entries into buckets, and keeps their order within a bucket. Writes the start of each
/// bucket into `starts`, and after them the end of the last one.
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

/// The hashes of a member's entries, in order. Each is the hash of the key, `_` and a number.
struct Hashes<'a> {
    /// The key and `_`, and then the latest number.
    text: &'a mut Vec<u8>,
    /// The length of the key and `_`.
    prefix: usize,
    replica: u64,
    decimal: itoa::Buffer,
}

impl Hashes<'_> {
    /// The hashes for this key. Overwrites `text`, which is reused for the next member.
    fn from_key<'a>(key: &[u8], text: &'a mut Vec<u8>) -> Hashes<'a> {
        text.clear();
        text.extend_from_slice(key);
        text.push(b'_');
        Hashes { prefix: text.len(), text, replica: 0, decimal: itoa::Buffer::new() }
    }

    fn next(&mut self) -> u64 {
        self.text.truncate(self.prefix);
        self.text.extend_from_slice(self.decimal.format(self.replica).as_bytes());
        self.replica += 1;
        XxHash64::oneshot(0, self.text)
    }
}
