//! `steer_ring_hash`: which endpoint a call goes to, when connections are made, and what the channel is told.

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use steer::calls::Call;
use steer::endpoints::{Connectivity, EndpointDescriptor};
use steer::hashing::{Member, Ring};
use steer::{Code, Status};
use support::statistics::assert_shares;
use support::{Asked, Channel};

fn channel(config: serde_json::Value) -> Channel {
    Channel::with("steer_ring_hash", config)
}

/// The ring of these backends, one letter each, with the default sizes.
fn ring(names: &str) -> Ring {
    let members: Vec<Member<'_>> = names
        .char_indices()
        .map(|(at, _)| Member { key: Cow::Borrowed(&names.as_bytes()[at..=at]), weight: 1 })
        .collect();
    Ring::new(&members, 1024, 4096)
}

/// For each of these backends, one letter each, the hash of its first entry on their ring.
fn hashes(names: &str) -> BTreeMap<char, u64> {
    let letters: Vec<char> = names.chars().collect();
    let mut hashes = BTreeMap::new();
    for (hash, owner) in ring(names).entries() {
        hashes.entry(letters[owner]).or_insert(hash);
    }
    hashes
}

/// A channel with all of these backends READY.
fn connected(names: &str, config: serde_json::Value) -> Channel {
    let channel = channel(config);
    channel.update(names).unwrap();
    connect(&channel, names);
    channel
}

/// Has a call go to each of these backends of the list, and the connections made.
fn connect(channel: &Channel, names: &str) {
    for (name, hash) in hashes(names) {
        channel.pick_hash(hash);
        channel.run();
        channel.connecting(&name.to_string());
    }
    channel.ready(names);
    channel.asked();
}

fn fault(config: serde_json::Value) -> String {
    let factory = steer::policies::registry().find("steer_ring_hash").unwrap();
    factory.parse_config(&config).expect_err("a config with faults").to_string()
}

#[test]
fn every_fault_of_a_config_is_named() {
    assert_eq!(
        fault(json!({
            "minRingSize": 0, "maxRingSize": 8388609, "requestHashHeader": "key-bin",
            "hashBalanceFactor": 99,
        })),
        "errors validating steer_ring_hash LB policy config: [\
         field:steer_ring_hash.requestHashHeader error:\"key-bin\" is a binary header, which cannot be \
         hashed; field:steer_ring_hash.hashBalanceFactor error:must be 0 or at least 100; \
         field:steer_ring_hash.minRingSize error:must be in the range [1, 8388608]; \
         field:steer_ring_hash.maxRingSize error:must be in the range [1, 8388608]]"
    );
    for (config, field) in [
        (json!({"minRingSize": 4097}), "maxRingSize error:must not be below minRingSize"),
        (json!({"minRingSize": -1}), "minRingSize error:expected a whole number"),
        (json!({"maxRingSize": "x"}), "maxRingSize error:expected a whole number"),
        (json!({"requestHashHeader": 5}), "requestHashHeader error:expected a string, found 5"),
        (
            json!({"requestHashHeader": "a b"}),
            "requestHashHeader error:\"a b\" cannot name a header",
        ),
        (json!({"hashBalanceFactor": 1}), "hashBalanceFactor error:must be 0 or at least 100"),
    ] {
        let fault = fault(config);
        assert!(fault.contains(&format!("field:steer_ring_hash.{field}")), "{fault}");
    }
    let factory = steer::policies::registry().find("steer_ring_hash").unwrap();
    for config in
        [json!(null), json!({}), json!({"minRingSize": "8388608", "maxRingSize": 8388608})]
    {
        assert!(factory.parse_config(&config).is_ok());
    }
}

#[test]
fn a_call_goes_to_the_first_entry_from_its_hash_on() {
    let names = "abcdefg";
    let channel = connected(names, json!({}));
    let ring = ring(names);
    let mut random = fastrand::Rng::with_seed(42);
    let picks = if cfg!(miri) { 10 } else { 2000 };
    for hash in (0..picks).map(|_| random.u64(..)).chain([0, u64::MAX]) {
        let entries: Vec<_> = ring.entries().collect();
        let owner = entries.iter().find(|entry| entry.0 >= hash).unwrap_or(&entries[0]).1;
        assert_eq!(channel.pick_hash(hash), names[owner..=owner], "{hash:x}");
    }
}

#[test]
fn shares_are_as_weights_and_an_address_listed_twice_has_both() {
    let channel = channel(json!({}));
    let endpoint = |name: &str, weight| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    // No weight is 1.
    let list = vec![endpoint("a", 0), endpoint("b", 2), endpoint("a", 2), endpoint("c", 1)];
    channel.update_with(Ok(list)).unwrap();
    let member = |name: &'static [u8], weight| Member { key: Cow::Borrowed(name), weight };
    let ring = Ring::new(&[member(b"a", 3), member(b"b", 2), member(b"c", 1)], 1024, 4096);
    for (hash, owner) in ring.entries().take(100) {
        channel.pick_hash(hash);
        channel.run();
        for id in channel.ids(['a', 'b', 'c'][owner]) {
            assert_eq!(id, channel.ids(['a', 'b', 'c'][owner])[0], "one endpoint for an address");
        }
    }
    channel.ready("abc");
    for (hash, owner) in ring.entries() {
        assert_eq!(channel.pick_hash(hash), ["a", "b", "c"][owner]);
    }
}

#[test]
fn a_hash_key_takes_the_addresss_place() {
    let channel = channel(json!({}));
    let endpoint = |index: u32, name: &str, hash_key: &str| {
        let (addresses, hash_key) = (vec![name.to_owned()], hash_key.to_owned());
        Arc::new(EndpointDescriptor {
            index: index.into(),
            addresses,
            hash_key,
            ..EndpointDescriptor::default()
        })
    };
    channel.update_with(Ok(vec![endpoint(0, "x", "a"), endpoint(1, "y", "b")])).unwrap();
    for (name, hash) in hashes("ab") {
        let called = if name == 'a' { 'x' } else { 'y' };
        assert_eq!(channel.pick_hash(hash), "queue");
        channel.run();
        channel.ready(&called.to_string());
        assert_eq!(channel.pick_hash(hash), called.to_string());
    }
}

#[test]
fn the_hash_is_of_a_header() {
    let channel = channel(json!({"requestHashHeader": "Session"}));
    channel.update("abc").unwrap();
    let mut seen = String::new();
    for value in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] {
        while channel.pick_header("session", value) == "queue" {
            channel.run();
            channel.ready(&channel.alive());
        }
        let pick = channel.pick_header("session", value);
        // XXH64, as everywhere.
        let hash = twox_hash::XxHash64::oneshot(0, value.as_bytes());
        let ring = ring("abc");
        assert_eq!(pick, ["a", "b", "c"][ring.owner(ring.find(hash))]);
        seen.push_str(&pick);
    }
    assert!(seen.contains('a') && seen.contains('b') && seen.contains('c'), "{seen}");
    let wants = channel.picker().wants().clone();
    assert_eq!(wants.headers.as_deref(), Some(&["session".to_owned()][..]));
    assert!(!wants.request_hash);
}

#[test]
fn without_a_hash_a_call_fails() {
    let channel = connected("ab", json!({}));
    let text = channel.pick();
    assert!(text.starts_with("fail INTERNAL: hash attribute not present"), "{text}");
    assert!(channel.picker().wants().request_hash);
}

#[test]
fn connections_are_made_for_calls() {
    let channel = channel(json!({}));
    channel.update("abc").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Idle)]);
    let hashes = hashes("abc");
    assert_eq!(channel.pick_hash(hashes[&'b']), "queue");
    assert_eq!(channel.pick_hash(hashes[&'b']), "queue");
    assert_eq!(channel.asked(), [Asked::RunLater]);
    channel.run();
    assert_eq!(channel.asked(), [Asked::New("b".into()), Asked::Connect("b".into())]);
    channel.idle("b");
    assert_eq!(channel.asked(), []);
    channel.connecting("b");
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Connecting)]);
    assert_eq!(channel.pick_hash(hashes[&'b']), "queue");
    assert_eq!(channel.asked(), []);
    channel.ready("b");
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready)]);
    assert_eq!(channel.pick_hash(hashes[&'b']), "b");
    // Another one's call waits for the other one, although there is one that is READY.
    assert_eq!(channel.pick_hash(hashes[&'a']), "queue");
    channel.run();
    assert_eq!(
        channel.asked(),
        [Asked::RunLater, Asked::New("a".into()), Asked::Connect("a".into())]
    );
    assert_eq!(channel.alive(), "ab");
}

#[test]
fn a_lost_connection_is_made_again_for_a_call() {
    let channel = connected("ab", json!({}));
    channel.idle("a");
    assert_eq!(channel.asked(), [Asked::Reresolve, Asked::State(Connectivity::Ready)]);
    assert_eq!(channel.pick_hash(hashes("ab")[&'a']), "queue");
    channel.run();
    assert_eq!(channel.asked(), [Asked::RunLater, Asked::Connect("a".into())]);
}

#[test]
fn what_was_wanted_before_an_update_is_wanted_no_more() {
    let channel = channel(json!({}));
    channel.update("ab").unwrap();
    let hashes = hashes("ab");
    let picker = channel.picker();
    let call = Call { request_hash: Some(hashes[&'a']), ..*Call::UNKNOWN };
    assert!(matches!(picker.pick(&call), steer::policy::Pick::Queue));
    channel.update("ba").unwrap();
    channel.asked();
    channel.run();
    assert_eq!(channel.asked(), []);
    // The call that waits asks the new picker, and the old one does no harm.
    assert!(matches!(picker.pick(&call), steer::policy::Pick::Queue));
    assert_eq!(channel.pick_hash(hashes[&'a']), "queue");
    channel.run();
    assert_eq!(channel.alive(), "a");
}

#[test]
fn calls_of_a_failed_endpoint_go_to_the_next_on_the_ring() {
    let names = "abcd";
    let channel = connected(names, json!({}));
    channel.fail("b");
    let ring = ring(names);
    for (entry, (hash, _)) in ring.entries().enumerate() {
        let mut owners = (entry..ring.len()).chain(0..entry).map(|entry| ring.owner(entry));
        let expected = owners.find(|owner| *owner != 1).unwrap();
        assert_eq!(channel.pick_hash(hash), names[expected..=expected]);
    }
    assert_eq!(channel.asked(), [Asked::Reresolve, Asked::State(Connectivity::Ready)]);
}

#[test]
fn the_next_on_the_ring_is_waited_for() {
    let channel = channel(json!({}));
    channel.update("ab").unwrap();
    let hash = hashes("ab")[&'a'];
    assert_eq!(channel.pick_hash(hash), "queue");
    channel.run();
    channel.connecting("a");
    channel.asked();
    channel.fail("a");
    // One of two has failed: still CONNECTING, and the other one is tried without any call.
    assert_eq!(
        channel.asked(),
        [
            Asked::Reresolve,
            Asked::State(Connectivity::Connecting),
            Asked::New("b".into()),
            Asked::Connect("b".into())
        ]
    );
    assert_eq!(channel.pick_hash(hash), "queue");
    channel.ready("b");
    assert_eq!(channel.pick_hash(hash), "b");
}

#[test]
fn the_aggregate() {
    use Connectivity::*;
    // Endpoints: Ready, Idle, Connecting, Failed.
    for (states, expected) in [
        ("I", Idle),
        ("II", Idle),
        ("C", Connecting),
        ("R", Ready),
        ("F", TransientFailure),
        ("RFF", Ready),
        ("RI", Ready),
        ("CI", Connecting),
        ("FI", Connecting),
        ("FC", Connecting),
        ("FF", TransientFailure),
        ("FFC", TransientFailure),
        ("FFI", TransientFailure),
        ("FFF", TransientFailure),
        ("FII", Connecting),
    ] {
        let names = &"abc"[..states.len()];
        let channel = channel(json!({}));
        channel.update(names).unwrap();
        let hashes = hashes(names);
        let not_idle = || names.chars().zip(states.chars()).filter(|(_, state)| *state != 'I');
        for (name, _) in not_idle() {
            channel.pick_hash(hashes[&name]);
        }
        channel.run();
        for (name, state) in not_idle() {
            let name = name.to_string();
            channel.connecting(&name);
            match state {
                'R' => channel.ready(&name),
                'F' => channel.fail(&name),
                _ => {}
            }
        }
        assert_eq!(channel.state(), Some(expected), "{states}");
        if expected == TransientFailure {
            let last = names.chars().rfind(|name| states[*name as usize - 97..].starts_with('F'));
            let message = format!("no reachable endpoints; last error: {} is down", last.unwrap());
            assert_eq!(channel.status(), Status::new(Code::Unavailable, message), "{states}");
        }
    }
}

#[test]
fn in_transient_failure_one_attempt_is_kept_going() {
    let channel = channel(json!({}));
    channel.update("abcd").unwrap();
    channel.pick_hash(hashes("abcd")[&'c']);
    channel.run();
    let connects = |channel: &Channel| -> Vec<Asked> {
        channel.asked().into_iter().filter(|asked| matches!(asked, Asked::Connect(_))).collect()
    };
    let connect = |name: &str| Asked::Connect(name.into());
    channel.connecting("c");
    assert_eq!(connects(&channel), [connect("c")]);
    channel.fail("c");
    assert_eq!(connects(&channel), [connect("a")]);
    channel.connecting("a");
    assert_eq!(connects(&channel), []);
    channel.fail("a");
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!(connects(&channel), [connect("b")]);
    channel.connecting("b");
    channel.fail("b");
    assert_eq!(connects(&channel), [connect("d")]);
    channel.connecting("d");
    channel.fail("d");
    assert_eq!(connects(&channel), []);
    // Those that have failed go on by themselves.
    channel.connecting("a");
    channel.idle("b");
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!(connects(&channel), [connect("b")]);
    channel.ready("b");
    assert_eq!(channel.state(), Some(Connectivity::Ready));
}

#[test]
fn with_all_failed_a_call_fails_with_the_reason_of_its_own() {
    let channel = connected("abc", json!({}));
    channel.fail("abc");
    for (name, hash) in hashes("abc") {
        assert_eq!(
            channel.pick_hash(hash),
            format!(
                "fail UNAVAILABLE: ring hash cannot find a connected endpoint; first failure: \
                 {name} is down (the note)"
            )
        );
    }
    channel.connecting("abc");
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert!(channel.pick_hash(0).starts_with("fail"));
}

#[test]
fn a_call_without_the_header_goes_to_a_ready_endpoint_and_connects_one_at_most() {
    let channel = channel(json!({"requestHashHeader": "session"}));
    channel.update("abc").unwrap();
    let hashes = hashes("abc");
    channel.set_random(hashes[&'a']);
    assert_eq!(channel.pick(), "queue");
    channel.run();
    assert_eq!(channel.alive(), "a");
    channel.connecting("a");
    // One attempt is under way, and that is enough.
    channel.set_random(hashes[&'b']);
    channel.asked();
    assert_eq!(channel.pick(), "queue");
    assert_eq!(channel.asked(), []);
    channel.ready("a");
    channel.asked();
    // It goes to the one that is READY, and its own is connected for those that come later.
    assert_eq!(channel.pick(), "a");
    channel.run();
    assert_eq!(
        channel.asked(),
        [Asked::RunLater, Asked::New("b".into()), Asked::Connect("b".into())]
    );
    channel.connecting("b");
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
}

#[test]
fn calls_without_the_header_are_spread_as_the_ring_is() {
    let names = "abcde";
    let channel = channel(json!({"requestHashHeader": "session"}));
    channel.update(names).unwrap();
    channel.seed(7);
    while channel.alive() != names || channel.picks(20).contains("queue") {
        channel.pick();
        channel.run();
        channel.ready(&channel.alive());
    }
    if cfg!(miri) {
        return;
    }
    let picks = channel.picks(10_000);
    let counts: Vec<u64> = names.chars().map(|name| picks.matches(name).count() as u64).collect();
    assert_shares(&counts, &ring(names).shares(names.len()));
}

#[test]
fn an_update_keeps_connections() {
    let channel = connected("abc", json!({}));
    channel.update("dcb").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready), Asked::Dropped("a".into())]);
    let ring = ring("dcb");
    for (hash, owner) in ring.entries() {
        let expected = ["queue", "c", "b"][owner];
        assert_eq!(channel.pick_hash(hash), expected);
    }
    assert_eq!(channel.held_connections(), 2);
    channel.run();
    channel.ready("d");
    for (hash, owner) in ring.entries() {
        assert_eq!(channel.pick_hash(hash), ["d", "c", "b"][owner]);
    }
}

#[test]
fn an_endpoint_that_is_described_otherwise_is_made_anew_and_connected_at_once() {
    let channel = connected("ab", json!({}));
    let endpoint = |index: u32, name: &str, weight| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor {
            index: index.into(),
            addresses,
            weight,
            ..EndpointDescriptor::default()
        })
    };
    channel.update_with(Ok(vec![endpoint(0, "a", 0), endpoint(1, "b", 5)])).unwrap();
    assert_eq!(
        channel.asked(),
        [
            Asked::New("b".into()),
            Asked::Connect("b".into()),
            Asked::State(Connectivity::Ready),
            Asked::Dropped("b".into())
        ]
    );
}

/// What is asked for by an update in which `made` are made anew, and all but `replaced` were connected.
fn made_anew(made: &str, replaced: &str) -> Vec<Asked> {
    let again = |name: char| [Asked::New(name.into()), Asked::Connect(name.into())];
    let dropped = made.chars().chain(replaced.chars()).map(|name| Asked::Dropped(name.into()));
    let state = [Asked::State(Connectivity::Ready)];
    made.chars().flat_map(again).chain(state).chain(dropped).collect()
}

#[test]
fn what_the_host_would_make_anew_is_made_anew() {
    for numbers in [true, false] {
        let channel = connected("abc", json!({}));
        channel.number_args(numbers);
        channel.other_args_of('b');
        channel.update("abc").unwrap();
        assert_eq!(channel.asked(), made_anew("b", ""), "of a list that says the same");
        channel.ready("b");
        channel.asked();
        channel.other_args_of('c');
        channel.update("dbc").unwrap();
        assert_eq!(channel.asked(), made_anew("c", "a"), "of a list with one change");
        channel.other_args();
        channel.update("dba").unwrap();
        channel.check_args();
        assert_eq!(channel.alive(), "b", "which was READY");
    }
}

#[test]
fn in_a_list_as_long_an_address_may_come_twice_or_move() {
    let channel = connected("abcd", json!({}));
    channel.update("adcb").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready)]);
    for (hash, owner) in ring("adcb").entries() {
        assert_eq!(channel.pick_hash(hash), ["a", "d", "c", "b"][owner]);
    }
    channel.update("adab").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready), Asked::Dropped("c".into())]);
    let share = |name: char| {
        let picks = (0..1000_u64).map(|part| channel.pick_hash((part << 54) | 1));
        picks.filter(|pick| *pick == name.to_string()).count()
    };
    assert!(share('a') > share('b') + 100, "{} and {}", share('a'), share('b'));
    channel.update("xdab").unwrap();
    assert_eq!((channel.held_connections(), channel.alive().as_str()), (3, "abd"));
}

#[test]
fn an_address_that_comes_back_has_no_calls() {
    for lists in [["cb", "ab"], ["cbd", "abd"]] {
        let channel = connected("ab", json!({"hashBalanceFactor": 100}));
        let call = start(&channel, hashes("ab")[&'a']);
        assert_eq!(call.0, "a");
        for list in lists {
            channel.update(list).unwrap();
            connect(&channel, list);
        }
        // If it had that one, this one would have to go elsewhere.
        assert_eq!(start(&channel, hashes(lists[1])[&'a']).0, "a");
    }
}

#[test]
fn an_error_keeps_the_list_and_no_endpoints_fail_calls() {
    let channel = connected("ab", json!({}));
    let error = Status::unavailable("no answer");
    assert_eq!(channel.update_with(Err(error.clone())), Err(error.clone()));
    assert_eq!(channel.asked(), []);
    assert_eq!(channel.pick_hash(hashes("ab")[&'a']), "a");
    let empty = Status::unavailable("empty address list: the note");
    assert_eq!(channel.update(""), Err(empty.clone()));
    assert_eq!((channel.state(), channel.status()), (Some(Connectivity::TransientFailure), empty));
    assert_eq!(channel.pick_hash(1), "fail UNAVAILABLE: empty address list: the note");
    assert_eq!((channel.alive(), channel.held_connections()), (String::new(), 0));
    assert_eq!(channel.update_with(Err(error.clone())), Err(error.clone()));
    assert_eq!(channel.status(), error);
    channel.update("ab").unwrap();
    assert_eq!(channel.state(), Some(Connectivity::Idle));
}

#[test]
fn another_config_makes_another_ring() {
    let mut channel = connected("ab", json!({}));
    channel.config = json!({"minRingSize": 1, "maxRingSize": 2, "requestHashHeader": "key"});
    channel.update("ab").unwrap();
    let members = |key| Member { key: Cow::Borrowed(key), weight: 1 };
    let ring = Ring::new(&[members(b"a"), members(b"b")], 1, 2);
    for value in ["1", "2", "3", "4", "5"] {
        let hash = twox_hash::XxHash64::oneshot(0, value.as_bytes());
        let expected = ["a", "b"][ring.owner(ring.find(hash))];
        assert_eq!(channel.pick_header("key", value), expected);
    }
}

#[test]
fn an_endpoint_that_the_host_refuses_has_failed() {
    let channel = channel(json!({}));
    channel.refuse("ab");
    channel.update("abc").unwrap();
    channel.asked();
    channel.pick_hash(hashes("abc")[&'a']);
    channel.run();
    let asked = channel.asked();
    // One after another, up to one that the host takes.
    assert_eq!(asked.last(), Some(&Asked::Connect("c".into())));
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!(channel.status().message, "no reachable endpoints; last error: refused");
    channel.ready("c");
    assert_eq!(channel.pick_hash(hashes("abc")[&'a']), "c");
    // The next update tries them again.
    channel.refuse("");
    channel.update("abc").unwrap();
    channel.pick_hash(hashes("abc")[&'a']);
    channel.run();
    channel.ready("a");
    assert_eq!(channel.pick_hash(hashes("abc")[&'a']), "a");
}

#[test]
fn an_endpoint_that_was_refused_is_tried_again_when_another_one_changes() {
    let channel = channel(json!({}));
    channel.refuse("a");
    channel.update("abc").unwrap();
    let hash = hashes("abc")[&'a'];
    channel.pick_hash(hash);
    channel.run();
    channel.refuse("");
    channel.update("abd").unwrap();
    assert_eq!(channel.pick_hash(hashes("abd")[&'a']), "queue");
    channel.run();
    channel.ready("a");
    assert_eq!(channel.pick_hash(hashes("abd")[&'a']), "a");
}

#[test]
fn with_a_host_that_cannot_connect_for_calls_they_fail() {
    let channel = channel(json!({}));
    channel.cannot_run_later();
    channel.update("ab").unwrap();
    assert!(channel.pick_hash(0).starts_with("fail INTERNAL: the host cannot connect"));
}

#[test]
fn backoff_is_reset_where_there_is_one() {
    let channel = channel(json!({}));
    channel.update("abc").unwrap();
    channel.pick_hash(hashes("abc")[&'b']);
    channel.run();
    channel.asked();
    channel.runner.reset_backoff();
    assert_eq!(channel.asked(), [Asked::ResetBackoff("b".into())]);
}

#[test]
fn late_reports_find_nothing() {
    let channel = connected("ab", json!({}));
    let gone = channel.ids('a')[0];
    channel.update("b").unwrap();
    assert!(!channel.runner.endpoint_report(gone, steer::endpoints::Report::Connecting));
}

/// A call whose hash is that of this backend's first entry, and what tracks it.
fn start(channel: &Channel, hash: u64) -> (String, Option<steer::calls::TrackedSlot>) {
    channel.pick_for(&Call { request_hash: Some(hash), ..*Call::UNKNOWN })
}

#[test]
fn a_backend_with_more_than_its_share_is_passed_over() {
    let names = "abcd";
    let channel = connected(names, json!({"hashBalanceFactor": 150}));
    let ring = ring(names);
    let hash = hashes(names)[&'a'];
    let first = ring.find(hash);
    let mut order: Vec<usize> = Vec::new();
    for entry in (first..ring.len()).chain(0..first) {
        if !order.contains(&ring.owner(entry)) {
            order.push(ring.owner(entry));
        }
    }
    let mut in_flight = [0_u64; 4];
    let mut calls = Vec::new();
    for call in 1..=100_u64 {
        let limit = (150 * call).div_ceil(400);
        let expected = *order.iter().find(|place| in_flight[**place] < limit).unwrap();
        let (pick, slot) = start(&channel, hash);
        assert_eq!(pick, names[expected..=expected], "call {call}");
        in_flight[expected] += 1;
        calls.push(slot.expect("a tracked call"));
    }
    // Half of them on the first two each, by the factor of 1.5 of a quarter.
    assert_eq!(order.iter().map(|place| in_flight[*place]).collect::<Vec<_>>(), [38, 38, 24, 0]);
    drop(calls);
    assert_eq!(start(&channel, hash).0, names[order[0]..=order[0]]);
}

#[test]
fn an_address_that_is_listed_twice_is_one_endpoint_when_all_have_failed() {
    let channel = channel(json!({}));
    channel.update("aab").unwrap();
    for name in ["a", "b"] {
        channel.pick_hash(hashes("ab")[&name.chars().next().unwrap()]);
        channel.run();
        channel.fail(name);
    }
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!((channel.runner.faults(), channel.alive().as_str()), (0, "ab"));
}

#[test]
fn a_list_of_those_that_have_failed_before_says_why() {
    let channel = channel(json!({}));
    channel.update("ab").unwrap();
    for hash in hashes("ab").values() {
        channel.pick_hash(*hash);
    }
    channel.run();
    channel.ready("a");
    channel.fail("b");
    assert_eq!(channel.state(), Some(Connectivity::Ready));
    channel.update("b").unwrap();
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert!(channel.status().message.ends_with("b is down"), "{}", channel.status());
}

#[test]
fn statistics_of_an_empty_list_are_of_nobody() {
    let mut channel = channel(json!({}));
    channel.target = "none are left".to_owned();
    channel.update("ab").unwrap();
    let backends = || {
        let all = steer::stats::snapshot();
        let own = all.iter().find(|one| one.target == "none are left");
        own.expect("it is alive").backends.len()
    };
    assert_eq!(backends(), 2);
    channel.update("").unwrap_err();
    assert_eq!(backends(), 0);
}

#[test]
fn counts_of_calls_outlive_updates() {
    let channel = connected("ab", json!({"hashBalanceFactor": 100}));
    let hash = hashes("ab")[&'a'];
    let (pick, call) = start(&channel, hash);
    assert_eq!(pick, "a");
    channel.update("ba").unwrap();
    assert_eq!(start(&channel, hash).0, "b");
    drop(call);
    assert_eq!(start(&channel, hash).0, "a");
}

#[test]
fn an_idle_endpoint_is_connected_for_what_others_have_no_room_for() {
    let channel = channel(json!({"hashBalanceFactor": 100}));
    channel.update("abc").unwrap();
    let hashes = hashes("abc");
    for name in ['a', 'b'] {
        channel.pick_hash(hashes[&name]);
        channel.run();
        channel.ready(&name.to_string());
    }
    channel.asked();
    // A place of the ring from which it goes on with a, c, b.
    let ring = ring("abc");
    let order = |first: usize| {
        let mut order: Vec<usize> = Vec::new();
        for owner in (first..ring.len()).chain(0..first).map(|entry| ring.owner(entry)) {
            if !order.contains(&owner) {
                order.push(owner);
            }
        }
        order
    };
    let hash = ring.entries().enumerate().find(|(entry, _)| order(*entry) == [0, 2, 1]);
    let hash = hash.expect("each order is somewhere").1.0;
    let calls: Vec<_> = (0..6).map(|_| start(&channel, hash)).collect();
    // No call waits: a and b have a half each.
    let picks: Vec<&str> = calls.iter().map(|(pick, _)| pick.as_str()).collect();
    assert_eq!(picks, ["a", "b", "a", "b", "a", "b"]);
    channel.run();
    assert_eq!(
        channel.asked(),
        [Asked::RunLater, Asked::New("c".into()), Asked::Connect("c".into())]
    );
    channel.ready("c");
    assert_eq!(start(&channel, hash).0, "c");
}

#[test]
fn no_backend_gets_beyond_its_bound_however_many_threads_pick() {
    use std::sync::atomic::{AtomicU64, Ordering};
    const THREADS: u64 = 8;
    const HELD: u64 = 10;
    let names = "abcde";
    let channel = connected(names, json!({"hashBalanceFactor": 120}));
    let hash = hashes(names)[&'a'];
    // Never more calls than these are in flight, and so no backend may have more than this.
    let bound = (120 * THREADS * HELD).div_ceil(100 * 5);
    let in_flight: BTreeMap<String, AtomicU64> =
        names.chars().map(|name| (name.to_string(), AtomicU64::new(0))).collect();
    let most = AtomicU64::new(0);
    let rounds = if cfg!(miri) { 1 } else { 200 };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let calls: Vec<_> = (0..HELD)
                        .map(|_| {
                            let (pick, slot) = start(&channel, hash);
                            let now = in_flight[&pick].fetch_add(1, Ordering::SeqCst) + 1;
                            most.fetch_max(now, Ordering::SeqCst);
                            (pick, slot)
                        })
                        .collect();
                    for (pick, slot) in calls {
                        in_flight[&pick].fetch_sub(1, Ordering::SeqCst);
                        drop(slot);
                    }
                }
            });
        }
    });
    let most = most.into_inner();
    assert!(most <= bound + 1, "{most} calls on one backend, with a bound of {bound}");
    // All are settled: the next one is the only one.
    assert_eq!(start(&channel, hash).0, "a");
}
