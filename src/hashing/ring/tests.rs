use std::borrow::Cow;

use hashbrown::HashMap;
use proptest::prelude::*;
use twox_hash::XxHash64;

use super::*;
use crate::hashing::Member;

fn members(of: &[(&'static str, u64)]) -> Vec<Member<'static>> {
    of.iter().map(|&(key, weight)| Member { key: Cow::Borrowed(key.as_bytes()), weight }).collect()
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
fn the_lightest_member_has_a_whole_number_of_entries_and_others_a_multiple() {
    for (weights, least, most, expected) in [
        (&[1, 1, 1][..], 1024, 4096, &[342, 342, 342][..]),
        (&[1, 2, 3], 1024, 4096, &[171, 342, 513]),
        (&[1, 1, 1], 1, 4096, &[1, 1, 1]),
        // At most 4 entries. A running sum decides which member has one more.
        (&[1, 1, 1], 1024, 4, &[2, 1, 1]),
        (&[1, 1_000_000], 1024, 4096, &[1, 4095]),
        // More members than entries.
        (&[1; 8], 1, 4, &[1, 0, 1, 0, 1, 0, 1, 0]),
    ] {
        let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let of: Vec<_> = keys.into_iter().zip(weights.iter().copied()).collect();
        let ring = Ring::new(&members(&of), least, most);
        assert_eq!(entries_of(&ring, of.len()), expected, "{weights:?} {least} {most}");
        let without = expected.iter().filter(|entries| **entries == 0).count();
        assert_eq!(ring.members_without_entry(of.len()), without);
    }
}

#[test]
fn of_members_with_the_same_key_the_first_in_the_list_comes_first() {
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
fn crowded_entries_are_found() {
    let close = |hash: u64| (0..100).map(move |i| (hash + 3 * i, i as u32));
    let entries: Vec<_> = close(1 << 62).chain(close(0)).chain(close(u64::MAX - 297)).collect();
    let ring = Ring::from_entries(entries.into_iter().rev().collect());
    let entries: Vec<_> = ring.entries().collect();
    assert!(entries.is_sorted());
    for (hash, _) in &entries {
        for near in hash.saturating_sub(2)..=hash.saturating_add(2) {
            assert_eq!(ring.find(near), first_not_below(&entries, near));
        }
    }
}

proptest! {
    /// With other keys for some members, the ring equals a new ring, even if keys are the same.
    #[test]
    fn a_ring_with_other_keys_equals_a_new_ring(
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
        for (index, number) in keys {
            let index = index.index(members.len());
            members[index].key = key(number);
            changed.insert(index, key(number));
        }
        let (made, expected) = (before.with_keys(&changed), Ring::new(&members, least, most));
        prop_assert_eq!(made.entries, expected.entries);
        prop_assert_eq!((made.starts, made.shift), (expected.starts, expected.shift));
    }

    #[test]
    fn a_hash_belongs_to_the_first_entry_at_or_after_it(
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
