//! `steer_maglev`: which backend a call goes to, and which calls move when backends come and go.

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use steer::calls::{Call, TrackedSlot};
use steer::endpoints::EndpointDescriptor;
use steer::hashing::{Member, Table};
use support::statistics::assert_shares;
use support::{Channel, OneHeader};

const SIZE: u32 = 1009;

fn with(mut config: serde_json::Value) -> Channel {
    config["tableSize"] = json!(SIZE);
    Channel::with("steer_maglev", config)
}

fn connected(names: &str, config: serde_json::Value) -> Channel {
    let channel = with(config);
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

/// The table of these backends, one letter each.
fn table(names: &str) -> Table {
    let member = |at: usize| Member { key: Cow::Borrowed(&names.as_bytes()[at..=at]), weight: 1 };
    Table::new(&Vec::from_iter((0..names.len()).map(member)), SIZE)
}

/// For each slot, the backend of its calls.
fn placed(channel: &Channel) -> Vec<String> {
    (0..u64::from(SIZE)).map(|slot| channel.pick_hash(slot)).collect()
}

fn fault(config: serde_json::Value) -> String {
    let factory = steer::policies::registry().find("steer_maglev").unwrap();
    factory
        .parse_config(&config, steer::policies::registry())
        .expect_err("a config with faults")
        .to_string()
}

#[test]
fn every_fault_of_a_config_is_reported() {
    assert_eq!(
        fault(json!({
            "tableSize": 65536, "requestHashHeader": "key-bin", "hashBalanceFactor": 99,
        })),
        "errors validating steer_maglev LB policy config: [\
         field:steer_maglev.tableSize error:must be a prime number, at most 5000011; \
         field:steer_maglev.requestHashHeader error:\"key-bin\" is a binary header, which \
         cannot be hashed; field:steer_maglev.hashBalanceFactor error:must be 0 or at least 100]"
    );
    for size in [json!(0), json!(1), json!(5_000_012), json!(5_000_021), json!(-7), json!("x")] {
        let fault = fault(json!({ "tableSize": size }));
        assert!(fault.contains("field:steer_maglev.tableSize error:"), "{fault}");
    }
    let factory = steer::policies::registry().find("steer_maglev").unwrap();
    for config in
        [json!(null), json!({}), json!({"tableSize": 5_000_011}), json!({"tableSize": "2"})]
    {
        assert!(factory.parse_config(&config, steer::policies::registry()).is_ok());
    }
}

#[test]
fn a_call_goes_where_the_table_says() {
    let names = "abcdefg";
    let channel = connected(names, json!({}));
    let table = table(names);
    let mut random = fastrand::Rng::with_seed(42);
    for hash in (0..if cfg!(miri) { 10 } else { 2000 }).map(|_| random.u64(..)) {
        let owner = table.owner((hash % u64::from(SIZE)) as usize);
        assert_eq!(channel.pick_hash(hash), names[owner..=owner]);
    }
}

#[test]
fn clients_with_the_same_backends_in_another_order_agree() {
    assert_eq!(placed(&connected("abcde", json!({}))), placed(&connected("dbeac", json!({}))));
}

#[test]
fn the_hash_comes_from_a_header_and_is_random_without_it() {
    let channel = connected("abc", json!({"requestHashHeader": "session"}));
    let table = table("abc");
    for value in ["1", "2", "3", "4", "5"] {
        let hash = twox_hash::XxHash64::oneshot(0, value.as_bytes());
        let expected = ["a", "b", "c"][table.owner(table.find(hash))];
        assert_eq!(channel.pick_header("session", value), expected);
    }
    channel.set_random(12345);
    assert_eq!(channel.pick(), ["a", "b", "c"][table.owner(12345 % SIZE as usize)]);
    let without = connected("abc", json!({}));
    assert!(without.pick().starts_with("fail INTERNAL: hash attribute not present"));
}

#[test]
#[cfg_attr(miri, ignore = "it takes many picks")]
fn calls_without_the_header_follow_the_shares_of_the_table() {
    let names = "abcde";
    let channel = connected(names, json!({"requestHashHeader": "session"}));
    channel.seed(3);
    let picks = channel.picks(10_000);
    let counts: Vec<u64> = names.chars().map(|name| picks.matches(name).count() as u64).collect();
    assert_shares(&counts, &table(names).shares(names.len()));
}

#[test]
fn calls_of_a_failed_backend_spread_and_no_others_move() {
    let names = "abcdef";
    let channel = connected(names, json!({}));
    let before = placed(&channel);
    channel.fail("c");
    let during = placed(&channel);
    let mut spread: BTreeMap<&str, usize> = BTreeMap::new();
    for (before, during) in before.iter().zip(&during) {
        if before == "c" {
            *spread.entry(during).or_default() += 1;
        } else {
            assert_eq!(before, during);
        }
    }
    // A sixth of the table, over five backends.
    assert_eq!(spread.keys().copied().collect::<Vec<_>>(), ["a", "b", "d", "e", "f"]);
    let fair = SIZE as usize / 6 / 5;
    assert!(spread.values().all(|calls| (fair / 2..=fair * 2).contains(calls)), "{spread:?}");
    channel.ready("c");
    assert_eq!(placed(&channel), before);
}

#[test]
fn with_few_backends_ready_every_call_finds_one_and_always_the_same() {
    let names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let channel = connected(names, json!({}));
    channel.fail(&names[2..]);
    let placed_first = placed(&channel);
    assert!(placed_first.iter().all(|pick| pick == "a" || pick == "b"));
    for name in ["a", "b"] {
        let share = placed_first.iter().filter(|pick| *pick == name).count();
        assert!(share > SIZE as usize / 3, "{name}: {share}");
    }
    assert_eq!(placed(&channel), placed_first);
}

/// A channel with this many backends, of which the first are READY, and their names. The READY ones
/// are side by side in the list, as pods of one age are.
fn many(count: u32, ready: usize, size: u32) -> (Channel, Vec<String>) {
    let channel = Channel::with("steer_maglev", json!({ "tableSize": size }));
    let name = |i| char::from_u32(0x4e00 + i).unwrap().to_string();
    let names: Vec<String> = (0..count).map(name).collect();
    channel.update(&names.concat()).unwrap();
    channel.ready(&names[..ready].concat());
    (channel, names)
}

fn hashes(count: usize) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(11);
    (0..count).map(|_| random.u64(..)).collect()
}

#[test]
#[cfg_attr(miri, ignore = "it takes many picks")]
fn with_few_backends_ready_calls_spread_evenly() {
    for (count, ready, size) in [(1000, 50, 65537), (5000, 100, 65537), (1000, 1, 1009)] {
        let (channel, _) = many(count, ready, size);
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        const EACH: usize = 400;
        for hash in hashes(EACH * ready) {
            *calls.entry(channel.pick_hash(hash)).or_default() += 1;
        }
        let most = *calls.values().max().unwrap() as f64 / EACH as f64;
        let least = *calls.values().min().unwrap() as f64 / EACH as f64;
        println!("{ready} of {count} READY, {size} slots: {least} to {most} times the share");
        assert!(calls.len() == ready && most <= 1.5, "{ready} of {count}: {most}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes many picks")]
fn only_calls_of_a_backend_that_comes_or_goes_move() {
    // With 3 of 1,000 READY, most calls find none of them in their first slots.
    for (count, ready) in [(1000, 50), (1000, 3), (20, 15)] {
        let (channel, names) = many(count, ready, 10_007);
        let placed =
            || Vec::from_iter(hashes(4000).into_iter().map(|hash| channel.pick_hash(hash)));
        let moved = |one: &[String], other: &[String], name: &str| {
            let all = one.iter().zip(other).filter(|(one, other)| one != other);
            let (its, others): (Vec<_>, Vec<_>) =
                all.partition(|(one, other)| *one == name || *other == name);
            (its.len(), others.len())
        };
        let before = placed();
        channel.ready(&names[ready]);
        let more = placed();
        let (its, others) = moved(&before, &more, &names[ready]);
        assert!(its > 0 && others == 0, "{its} and {others} move when one comes");
        channel.fail(&names[0]);
        let (its, others) = moved(&more, &placed(), &names[0]);
        assert!(its > 0 && others == 0, "{its} and {others} move when one goes");
        channel.ready(&names[0]);
        assert_eq!(placed(), more);
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes many picks")]
fn few_ready_backends_share_by_weight_whatever_the_order_of_the_list() {
    let weight = |name: char| if name == 'a' { 1 } else { 3 };
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let placed = |names: Vec<char>| {
        let channel = with(json!({}));
        let endpoint = |name: &char| {
            let (addresses, weight) = (vec![name.to_string()], weight(*name));
            Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
        };
        channel.update_with(Ok(names.iter().map(endpoint).collect())).unwrap();
        channel.ready("ab");
        Vec::from_iter(hashes(4000).into_iter().map(|hash| channel.pick_hash(hash)))
    };
    let picks = placed(letters.chars().collect());
    let on_a = picks.iter().filter(|pick| *pick == "a").count();
    assert!((850..1150).contains(&on_a), "a quarter, not {on_a} of 4000");
    assert_eq!(picks, placed(letters.chars().rev().collect()));
}

/// A retry of a call with this hash, after this many attempts.
fn retry(channel: &Channel, hash: u64, attempts: &str) -> String {
    let headers = &OneHeader { name: "grpc-previous-rpc-attempts", value: attempts };
    channel.pick_for(&Call { headers, request_hash: Some(hash), path: "" }).0
}

#[test]
fn a_retry_may_go_to_the_next_backend_of_its_hash() {
    let names = "abcde";
    for factor in [0, 150] {
        let channel =
            connected(names, json!({"retryElsewhere": true, "hashBalanceFactor": factor}));
        assert_eq!(
            channel.picker().wants().headers.as_deref(),
            Some(&["grpc-previous-rpc-attempts".to_owned()][..])
        );
        for hash in hashes(if cfg!(miri) { 3 } else { 200 }) {
            let mut order: Vec<usize> = Vec::new();
            let table = table(names);
            for owner in table.probes(hash).map(|slot| table.owner(slot)) {
                if !order.contains(&owner) {
                    order.push(owner);
                }
            }
            let attempts = ["0", "1", "2", "3", "4"].map(|sent| retry(&channel, hash, sent));
            let expected = order.iter().map(|at| names[*at..=*at].to_owned());
            assert!(attempts.iter().cloned().eq(expected), "{attempts:?}");
        }
        // With one READY, there is no other.
        channel.fail("bcde");
        assert!(hashes(20).into_iter().all(|hash| retry(&channel, hash, "1") == "a"));
    }
}

#[test]
fn retries_stay_unless_they_are_to_go_elsewhere() {
    let channel = connected("abcde", json!({}));
    assert_eq!(channel.picker().wants().headers, None);
    for hash in hashes(20) {
        assert_eq!(retry(&channel, hash, "1"), channel.pick_hash(hash));
    }
    assert!(fault(json!({"retryElsewhere": 1})).contains("field:steer_maglev.retryElsewhere"));
}

#[test]
fn with_few_backends_ready_retries_spread_too() {
    let names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let channel = connected(names, json!({"retryElsewhere": true}));
    channel.fail(&names[2..]);
    for hash in hashes(if cfg!(miri) { 5 } else { 500 }) {
        let attempts = ["0", "1", "2"].map(|sent| retry(&channel, hash, sent));
        assert_ne!(attempts[0], attempts[1]);
        assert_eq!(attempts[0], attempts[2], "both have had an attempt");
    }
}

#[test]
fn the_table_belongs_to_the_list_in_use() {
    let channel = connected("abc", json!({}));
    let before = placed(&channel);
    // A new list is not in use before one of its backends is READY.
    channel.update("xyz").unwrap();
    assert_eq!(placed(&channel), before);
    channel.ready("x");
    assert!(placed(&channel).iter().all(|pick| pick == "x"));
    channel.ready("yz");
    let table = table("xyz");
    let expected: Vec<_> =
        (0..SIZE as usize).map(|slot| ["x", "y", "z"][table.owner(slot)]).collect();
    assert_eq!(placed(&channel), expected);
}

#[test]
fn another_size_makes_another_table() {
    let mut channel = connected("abc", json!({}));
    channel.config = json!({"tableSize": 7});
    channel.update("abc").unwrap();
    let member = |key| Member { key: Cow::Borrowed(key), weight: 1 };
    let table = Table::new(&[member(b"a"), member(b"b"), member(b"c")], 7);
    for hash in 0..21 {
        let expected = ["a", "b", "c"][table.owner((hash % 7) as usize)];
        assert_eq!(channel.pick_hash(hash), expected);
    }
}

#[test]
fn shares_follow_weights_and_an_address_listed_twice_has_two() {
    let channel = with(json!({}));
    let endpoint = |name: &str, weight| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    let list = vec![endpoint("a", 0), endpoint("b", 2), endpoint("c", 1), endpoint("c", 1)];
    channel.update_with(Ok(list)).unwrap();
    channel.ready("abc");
    let placed = placed(&channel);
    for (name, weight) in [("a", 1), ("b", 2), ("c", 2)] {
        let share = placed.iter().filter(|pick| *pick == name).count();
        assert!(share.abs_diff(SIZE as usize * weight / 5) <= 3, "{name}: {share}");
    }
}

fn start(channel: &Channel, hash: u64) -> (String, Option<TrackedSlot>) {
    channel.pick_for(&Call { request_hash: Some(hash), ..*Call::UNKNOWN })
}

#[test]
fn a_backend_at_its_limit_is_skipped() {
    let names = "abcd";
    let channel = connected(names, json!({"hashBalanceFactor": 125}));
    let table = table(names);
    let mut order: Vec<usize> = Vec::new();
    for slot in table.probes(0) {
        if !order.contains(&table.owner(slot)) {
            order.push(table.owner(slot));
        }
    }
    let mut in_flight = [0_u64; 4];
    let mut calls = Vec::new();
    for call in 1..=100_u64 {
        let limit = (125 * call).div_ceil(400);
        let expected = *order.iter().find(|index| in_flight[**index] < limit).unwrap();
        let (pick, slot) = start(&channel, 0);
        assert_eq!(pick, names[expected..=expected], "call {call}");
        in_flight[expected] += 1;
        calls.push(slot.expect("a tracked call"));
    }
    assert_eq!(order.iter().map(|index| in_flight[*index]).collect::<Vec<_>>(), [32, 31, 31, 6]);
    drop(calls);
    assert_eq!(start(&channel, 0).0, names[order[0]..=order[0]]);
}

#[test]
fn endpoints_of_one_address_are_one_backend_with_the_sum_of_their_weights() {
    let channel = connected("aab", json!({"hashBalanceFactor": 100}));
    let calls: Vec<_> = (0..9).map(|hash| start(&channel, hash)).collect();
    let on_a = calls.iter().filter(|(pick, _)| pick == "a").count();
    assert_eq!(on_a, 6);
}

#[test]
fn the_limit_follows_the_weight() {
    let channel = with(json!({"hashBalanceFactor": 100}));
    let endpoint = |(name, weight): (&str, u32)| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    // The second is listed twice, and has both weights.
    let list = [("a", 1), ("b", 2), ("c", 5), ("b", 1)];
    channel.update_with(Ok(list.into_iter().map(endpoint).collect())).unwrap();
    channel.ready("abc");
    let shares = |count: usize| {
        let calls: Vec<_> = (0..count).map(|_| start(&channel, 0)).collect();
        ["a", "b", "c"].map(|name| calls.iter().filter(|(pick, _)| pick == name).count())
    };
    assert_eq!(shares(90), [10, 30, 50]);
    channel.fail("c");
    assert_eq!(shares(80), [20, 60, 0]);
    channel.ready("c");
    assert_eq!(shares(90), [10, 30, 50]);
}
