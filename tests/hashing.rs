//! How even consistent hashing is, and how many keys move when backends come and go.
//! `cargo test --release --test hashing -- --ignored --nocapture measured` prints the tables of
//! `docs/policies/steer_maglev.md` and `steer_ring_hash.md`.
#![cfg(not(miri))]

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;

use steer::hashing::{Member, Ring, Table};
use support::Channel;
use support::statistics::assert_shares;

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("10.{}.{}.{}:8080", i / 65536, i / 256 % 256, i % 256)).collect()
}

fn members(keys: &[String]) -> Vec<Member<'_>> {
    keys.iter().map(|key| Member { key: Cow::Borrowed(key.as_bytes()), weight: 1 }).collect()
}

/// The keys of the backends of a sample of calls, with a ring of these sizes.
fn by_ring(keys: &[String], sizes: (u64, u64), calls: usize) -> Vec<&str> {
    let ring = Ring::new(&members(keys), sizes.0, sizes.1);
    hashes(calls).map(|hash| keys[ring.owner(ring.find(hash))].as_str()).collect()
}

fn by_table(keys: &[String], size: u32, calls: usize) -> Vec<&str> {
    let table = Table::new(&members(keys), size);
    hashes(calls).map(|hash| keys[table.owner(table.find(hash))].as_str()).collect()
}

fn hashes(calls: usize) -> impl Iterator<Item = u64> {
    let mut random = fastrand::Rng::with_seed(5);
    (0..calls).map(move |_| random.u64(..))
}

/// The share of calls whose backend is in both lists and that still move to another.
fn moved(before: &[&str], after: &[&str], gone: &[&str]) -> f64 {
    let stayed = before.iter().zip(after).filter(|(before, _)| !gone.contains(before));
    stayed.filter(|(before, after)| before != after).count() as f64 / before.len() as f64
}

const DEFAULT_RING: (u64, u64) = (1024, 4096);
const CALLS: usize = 20_000;

#[test]
fn calls_follow_the_shares_of_the_ring_and_the_table() {
    let keys = keys(20);
    let place = |key: &str| keys.iter().position(|other| other == key).unwrap();
    let counts = |calls: Vec<&str>| {
        let mut counts = vec![0; keys.len()];
        calls.into_iter().for_each(|key| counts[place(key)] += 1);
        counts
    };
    let ring = Ring::new(&members(&keys), DEFAULT_RING.0, DEFAULT_RING.1);
    assert_shares(&counts(by_ring(&keys, DEFAULT_RING, CALLS)), &ring.shares(20));
    let table = Table::new(&members(&keys), 65537);
    assert_shares(&counts(by_table(&keys, 65537, CALLS)), &table.shares(20));
    assert_shares(&counts(by_table(&keys, 65537, CALLS)), &[1.0; 20]);
}

#[test]
fn when_a_backend_leaves_few_calls_of_others_move() {
    for count in [10, 100, 1000] {
        let keys = keys(count);
        let gone = keys[count / 2].as_str();
        let left: Vec<String> = keys.iter().filter(|key| *key != gone).cloned().collect();
        // The number of entries for each backend stays the same.
        let each = |backends: usize| (100 * backends as u64, 100 * backends as u64);
        let before = by_ring(&keys, each(count), CALLS);
        let after = by_ring(&left, each(count - 1), CALLS);
        // None moves, except by rounding errors in the numbers of entries.
        let ring = moved(&before, &after, &[gone]);
        assert!(ring < 0.001, "ring, {count} backends: {ring}");
        let before = by_table(&keys, 65537, CALLS);
        let table = moved(&before, &by_table(&left, 65537, CALLS), &[gone]);
        assert!(table < 0.02, "maglev, {count} backends: {table}");
    }
}

#[test]
fn the_imbalance_of_the_table_agrees_with_the_paper() {
    // At most a percent with 100 slots for each backend.
    for (count, size) in [(10, 1009), (100, 10007), (655, 65537)] {
        let keys = keys(count);
        let most = Table::new(&members(&keys), size).shares(count).into_iter().fold(0.0, f64::max);
        assert!(most * count as f64 <= 1.01, "{count} backends, {size} slots: {most}");
    }
}

fn percent(share: f64) -> String {
    if share == 0.0 { "0".to_owned() } else { format!("{:.2} %", 100.0 * share) }
}

/// The calls of a measured sample.
const MEASURED_CALLS: usize = 1_000_000;

#[test]
#[ignore = "prints the tables of the documentation"]
fn measured() {
    print_shares_of_tables();
    print_shares_of_few();
    print_changed_slots();
    print_moved_calls();
    print_shares_of_rings();
}

fn print_shares_of_tables() {
    println!("Maglev: the greatest and the least share, as a multiple of the mean.\n");
    println!("| backends | slots | greatest | least |\n|---:|---:|---:|---:|");
    for count in [10, 100, 1000, 10_000] {
        for size in [65537, 655_373] {
            let keys = keys(count);
            let shares = Table::new(&members(&keys), size).shares(count);
            let (least, most) = shares.iter().fold((f64::MAX, 0.0_f64), |(least, most), share| {
                (least.min(*share), most.max(*share))
            });
            let mean = 1.0 / count as f64;
            println!("| {count} | {size} | {:.4} | {:.4} |", most / mean, least / mean);
        }
    }
}

/// The calls for each READY backend of a measured sample: the greatest of 100 shares is then 1.03
/// times the mean by chance alone.
const CALLS_OF_EACH: usize = 10_000;

fn print_shares_of_few() {
    println!(
        "\nMaglev with 65,537 slots: the greatest and the least share of the READY backends, as a \
         multiple of their mean.\n"
    );
    println!("| backends | READY | greatest | least |\n|---:|---:|---:|---:|");
    for (count, ready) in [(1000_u32, 500_u32), (1000, 50), (1000, 20), (5000, 100)] {
        let channel = Channel::with("steer_maglev", serde_json::json!({}));
        let name = |i| char::from_u32(0x4e00 + i).unwrap();
        channel.update(&String::from_iter((0..count).map(name))).unwrap();
        channel.ready(&String::from_iter((0..ready).map(name)));
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for hash in hashes(CALLS_OF_EACH * ready as usize) {
            *calls.entry(channel.pick_hash(hash)).or_default() += 1;
        }
        let share = |calls: Option<&usize>| *calls.unwrap() as f64 / CALLS_OF_EACH as f64;
        let (most, least) = (share(calls.values().max()), share(calls.values().min()));
        println!("| {count} | {ready} | {most:.2} | {least:.2} |");
    }
}

fn print_changed_slots() {
    println!(
        "\nMaglev: 1,000 backends, some of which fail at once; slots of the others that change.\n"
    );
    println!("| failed | 65537 slots | 655373 slots |\n|---:|---:|---:|");
    for failed in [1, 5, 10, 50, 100] {
        let keys = keys(1000);
        let left: Vec<String> = keys
            .iter()
            .enumerate()
            .filter(|(i, _)| i % (1000 / failed) != 3 % (1000 / failed))
            .map(|(_, key)| key.clone())
            .collect();
        let gone: Vec<&str> =
            keys.iter().filter(|key| !left.contains(key)).map(String::as_str).collect();
        assert_eq!(gone.len(), failed);
        let changed = [65537, 655_373].map(|size| {
            let (before, after) =
                (Table::new(&members(&keys), size), Table::new(&members(&left), size));
            let changed = (0..size as usize)
                .filter(|slot| {
                    let was = keys[before.owner(*slot)].as_str();
                    was != left[after.owner(*slot)] && !gone.contains(&was)
                })
                .count();
            percent(changed as f64 / f64::from(size))
        });
        println!("| {failed} | {} | {} |", changed[0], changed[1]);
    }
}

fn print_moved_calls() {
    println!(
        "\nCalls that move although their backend stays, when another leaves or joins.\nAt least \
         the share of that backend has to move, 1/n.\n"
    );
    println!(
        "| backends | `steer_ring_hash`: one leaves | one joins \
         | `steer_maglev`, 65,537 slots: one leaves | one joins \
         | 655,373 slots: one leaves | one joins |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for count in [10, 100, 1000] {
        let (keys, joined) = (keys(count), keys(count + 1));
        let gone = keys[count / 2].clone();
        let left: Vec<String> = keys.iter().filter(|key| **key != gone).cloned().collect();
        let new = joined[count].as_str();
        let row = |place: &dyn for<'a> Fn(&'a [String]) -> Vec<&'a str>| {
            let before = place(&keys);
            let leaves = moved(&before, &place(&left), &[&gone]);
            // Calls that move to the new backend have to move.
            let after = place(&joined);
            let moved = before.iter().zip(&after).filter(|(was, is)| was != is && **is != new);
            [percent(leaves), percent(moved.count() as f64 / MEASURED_CALLS as f64)]
        };
        let [a, b] = row(&|keys| by_ring(keys, DEFAULT_RING, MEASURED_CALLS));
        let [c, d] = row(&|keys| by_table(keys, 65537, MEASURED_CALLS));
        let [e, f] = row(&|keys| by_table(keys, 655_373, MEASURED_CALLS));
        println!("| {count} | {a} | {b} | {c} | {d} | {e} | {f} |");
    }
}

fn print_shares_of_rings() {
    println!("\nRing hash: the greatest and the least share, as a multiple of the mean.\n");
    println!(
        "| backends | `minRingSize` | `maxRingSize` | greatest | least |\n\
         |---:|---:|---:|---:|---:|"
    );
    for (count, least, most) in [
        (10, 1024, 4096),
        (100, 1024, 4096),
        (1000, 1024, 4096),
        (10, 4096, 4096),
        (100, 100_000, 100_000),
        (1000, 100_000, 100_000),
        (1000, 1_000_000, 1_000_000),
    ] {
        let keys = keys(count);
        let shares = Ring::new(&members(&keys), least, most).shares(count);
        let (smallest, greatest) =
            shares.iter().fold((f64::MAX, 0.0_f64), |(least, most), share| {
                (least.min(*share), most.max(*share))
            });
        let n = count as f64;
        println!("| {count} | {least} | {most} | {:.2} | {:.2} |", greatest * n, smallest * n);
    }
}
