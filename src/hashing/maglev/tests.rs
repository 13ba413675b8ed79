use std::borrow::Cow;

use proptest::prelude::*;
use twox_hash::XxHash64;

use super::*;
use crate::hashing::Member;

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
    // As table 1 of the paper, which the rounds make of three members. There, offsets and skips are
    // given. Here, they come from the hashes of the keys.
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
fn members_of_equal_weight_differ_by_at_most_a_slot() {
    for (count, size) in [(1, 2), (2, 3), (7, 65537), (1000, 65537), (5, 5)] {
        let keys = keys(count);
        let shares = shares(&Table::new(&members(&keys, &[]), size), count);
        let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
        assert!(most - least <= 1, "{count} members, {size} slots: {least} to {most}");
    }
}

#[test]
fn shares_follow_weights() {
    let keys = keys(4);
    let weights = [1, 2, 3, 10];
    let shares = shares(&Table::new(&members(&keys, &weights), 65537), 4);
    for (share, weight) in shares.into_iter().zip(weights) {
        let fair = 65537.0 * weight as f64 / 16.0;
        assert!((share as f64 - fair).abs() <= 2.0, "weight {weight}: {share}, not {fair}");
    }
}

#[test]
fn there_may_be_more_members_than_slots() {
    let keys = keys(10);
    let shares = shares(&Table::new(&members(&keys, &[]), 7), 10);
    assert_eq!(shares.iter().sum::<usize>(), 7);
}

#[test]
fn there_may_be_more_members_than_16_bits_hold() {
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

/// The table as the paper fills it: in each round it asks every member whether it has a turn.
fn filled_by_rounds(members: &[Member<'_>], size: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&i| (&members[i].key, members[i].weight, i));
    let heaviest = members.iter().map(|member| member.weight).max().unwrap();
    let mut next: Vec<(u64, u64)> = vec![(0, 0); members.len()];
    let (mut slots, mut free) = (vec![None; size as usize], size);
    for round in 1_u64.. {
        for &i in &order {
            let (tried, due) = &mut next[i];
            if round * members[i].weight < *due {
                continue;
            }
            *due += heaviest;
            let first = XxHash64::oneshot(0, &members[i].key) % u64::from(size);
            let skip = XxHash64::oneshot(1, &members[i].key) % u64::from(size - 1) + 1;
            let slot = loop {
                let slot = (first + *tried * skip) % u64::from(size);
                *tried += 1;
                if slots[slot as usize].is_none() {
                    break slot as usize;
                }
            };
            slots[slot] = Some(i);
            free -= 1;
            if free == 0 {
                return slots.into_iter().flatten().collect();
            }
        }
    }
    unreachable!("the heaviest member takes a slot in each round")
}

/// Rounds that ask every member take 500 times as long: 2,500,000,000 questions.
#[test]
fn one_weight_far_above_the_others_costs_no_more_than_equal_weights() {
    let keys = keys(5000);
    let mut weights = vec![1; 5000];
    let time = |weights: &[u64]| {
        let members = members(&keys, weights);
        let started = std::time::Instant::now();
        let table = Table::new(&members, 500_009);
        (started.elapsed(), shares(&table, 5000))
    };
    let (equal, _) = time(&weights);
    weights[77] = 1_000_000;
    let (heavy, shares) = time(&weights);
    assert_eq!(shares[77], 500_009 - 4999, "each of the others has its first turn");
    assert!(heavy < 8 * equal, "{heavy:?} for one great weight, {equal:?} for equal ones");
}

#[test]
fn the_probes_of_a_hash_are_all_slots() {
    let keys = keys(3);
    let table = Table::new(&members(&keys, &[]), 101);
    let mut nexts = std::collections::BTreeSet::new();
    for hash in (0..200).map(|call| call * 101 + 7) {
        let probes: Vec<usize> = table.probes(hash).collect();
        assert_eq!(probes[0], 7);
        nexts.insert(probes[1]);
        let mut sorted = probes;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..101));
    }
    assert!(nexts.len() > 70, "all hashes have the same slot, and {} next ones", nexts.len());
    let least = Table::new(&members(&keys, &[]), 2);
    assert_eq!(least.probes(3).collect::<Vec<_>>(), [1, 0]);
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
    fn turns_are_those_of_the_rounds(
        weights in prop::collection::vec(
            prop_oneof![Just(1_u64), 1_u64..6, 1_u64..2000, Just(u64::from(u32::MAX))],
            1..25,
        ),
        size in prop::sample::select(vec![2_u32, 3, 7, 53, 211, 1009]),
    ) {
        let keys = keys(weights.len());
        let members = members(&keys, &weights);
        let table = Table::new(&members, size);
        let owners: Vec<usize> = (0..size as usize).map(|slot| table.owner(slot)).collect();
        prop_assert_eq!(owners, filled_by_rounds(&members, size));
    }

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
