//! `steer_maglev`: which backend a call goes to, and which calls move when backends come and go.

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use steer::calls::{Call, TrackedSlot};
use steer::endpoints::EndpointDescriptor;
use steer::hashing::{Member, Table};
use support::Channel;
use support::statistics::assert_shares;

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
    factory.parse_config(&config).expect_err("a config with faults").to_string()
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
        assert!(factory.parse_config(&config).is_ok());
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
    for slot in 0..SIZE as usize {
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
fn endpoints_of_one_address_have_one_share_of_the_limit() {
    let channel = connected("aab", json!({"hashBalanceFactor": 100}));
    let calls: Vec<_> = (0..10).map(|hash| start(&channel, hash)).collect();
    let on_a = calls.iter().filter(|(pick, _)| pick == "a").count();
    assert_eq!(on_a, 5);
}
