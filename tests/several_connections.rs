//! Several connections to each backend: the config's field `connectionsPerBackend`.

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use steer::calls::Call;
use steer::endpoints::Connectivity;
use support::{Asked, Channel, OneHeader};

/// The policies, each with a config in which every connection gets calls.
fn policies(connections: u32) -> Vec<(&'static str, Value)> {
    let config = json!({ "connectionsPerBackend": connections });
    let small = json!({"tableSize": 1009, "connectionsPerBackend": connections});
    vec![
        ("steer_round_robin", config.clone()),
        ("steer_random", config.clone()),
        ("steer_weighted_round_robin", config.clone()),
        ("steer_least_request", config.clone()),
        ("steer_peak_ewma", config.clone()),
        ("steer_prequal", config.clone()),
        ("steer_ring_hash", config),
        ("steer_maglev", small),
    ]
}

/// The backends and numbers of the live endpoints, in the order in which they were made.
fn made(channel: &Channel) -> Vec<(String, u32)> {
    let endpoints = channel.host().endpoints();
    endpoints.iter().map(|one| (one.address().to_owned(), one.number)).collect()
}

/// Ring hash makes the connections that calls ask for.
fn ask_for_all(channel: &Channel) {
    for hash in 0..512_u64 {
        channel.pick_hash(hash << 55);
        channel.run();
    }
}

#[test]
fn turns_go_to_one_connection_of_each_backend_and_then_to_the_next() {
    let channel = Channel::with("steer_round_robin", json!({"connectionsPerBackend": 3}));
    channel.update("ab").unwrap();
    let expected = [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)];
    assert_eq!(made(&channel), expected.map(|(name, number)| (name.to_owned(), number)));
    channel.ready_all();
    let picked = channel.picks(6);
    assert!(picked == "ababab" || picked == "bababa", "{picked}");
    // Each connection has one turn.
    assert_eq!(channel.connections_picked(6).into_values().collect::<Vec<_>>(), [1; 6]);
}

#[test]
fn every_policy_uses_all_connections() {
    for (policy, config) in policies(4) {
        let channel = Channel::with_seed(policy, config, 1);
        channel.update("abc").unwrap();
        ask_for_all(&channel);
        channel.ready_all();
        let mut picked: BTreeMap<char, usize> = BTreeMap::new();
        for hash in 0..4096_u64 {
            let name = channel.pick_hash(hash << 52);
            *picked.entry(name.chars().next().unwrap()).or_default() += 1;
        }
        assert_eq!(channel.host().endpoints().len(), 12, "{policy}");
        assert_eq!(channel.held_connections(), 12, "{policy}");
        for name in ['a', 'b', 'c'] {
            // A third, with a ring of few points.
            assert!((900..1900).contains(&picked[&name]), "{policy}: {picked:?}");
        }
        let hashes = ["steer_ring_hash", "steer_maglev"].contains(&policy);
        if !hashes {
            let picked = channel.connections_picked(1000);
            assert_eq!(picked.len(), 12, "{policy}: {picked:?}");
        }
    }
}

#[test]
fn connections_are_kept_while_the_list_changes() {
    for (policy, config) in policies(2) {
        let channel = Channel::with(policy, config);
        channel.update("abc").unwrap();
        ask_for_all(&channel);
        let before = channel.endpoints();
        assert_eq!(before.len(), 6, "{policy}");
        channel.update("cab").unwrap();
        assert_eq!(channel.endpoints(), before, "{policy}: in another order");
        channel.update_redescribed("bca").unwrap();
        assert_eq!(channel.endpoints(), before, "{policy}: with new objects");
        channel.ready_all();
        channel.update("bad").unwrap();
        for (id, name) in &before {
            let stays = channel.endpoints().get(id) == Some(name);
            assert_eq!(stays, name != "c", "{policy}: {name}");
        }
        ask_for_all(&channel);
        assert_eq!(channel.alive(), "aabbdd", "{policy}");
    }
}

#[test]
fn another_number_makes_and_drops_connections() {
    let mut channel = Channel::with("steer_round_robin", json!({}));
    channel.update("ab").unwrap();
    channel.ready("ab");
    channel.config = json!({"connectionsPerBackend": 2});
    channel.update("ab").unwrap();
    assert_eq!(channel.alive(), "aabb");
    assert_eq!(channel.picked(2), "ab");
    channel.ready_all();
    assert_eq!(channel.connections_picked(4).into_values().collect::<Vec<_>>(), [1; 4]);
    channel.config = json!({"connectionsPerBackend": 1});
    channel.update("ab").unwrap();
    assert_eq!(made(&channel), [("a".to_owned(), 0), ("b".to_owned(), 0)]);
    assert_eq!(channel.state(), Some(Connectivity::Ready));
}

#[test]
fn a_retry_elsewhere_goes_to_another_backend_and_not_to_another_connection() {
    for (policy, mut config) in policies(4) {
        if !["steer_ring_hash", "steer_maglev"].contains(&policy) {
            continue;
        }
        config["retryElsewhere"] = json!(true);
        let channel = Channel::with(policy, config);
        channel.update("abc").unwrap();
        ask_for_all(&channel);
        channel.ready_all();
        let attempt = |hash, attempts| {
            let headers = &OneHeader { name: "grpc-previous-rpc-attempts", value: attempts };
            channel.pick_for(&Call { headers, request_hash: Some(hash), path: "" }).0
        };
        for hash in (0..64_u64).map(|part| part << 58) {
            let mut backends = ["0", "1", "2"].map(|attempts| attempt(hash, attempts));
            backends.sort();
            assert_eq!(backends, ["a", "b", "c"], "{policy}");
        }
    }
}

#[test]
fn attributes_count_for_each_connection() {
    let attributes = json!({"a": {"weight": 3}, "b": {"weight": 1}});
    let config = json!({"connectionsPerBackend": 2, "attributes": attributes});
    let channel = Channel::with("steer_weighted_round_robin", config);
    channel.update("ab").unwrap();
    channel.ready_all();
    assert_eq!(channel.picked(8), "aaaaaabb");
}

#[test]
fn a_host_that_makes_one_connection_ignores_the_field_and_says_so() {
    let channel = Channel::with("steer_round_robin", json!({"connectionsPerBackend": 2}));
    channel.host().set(|settings| settings.makes_several_connections = false);
    channel.update("ab").unwrap();
    assert_eq!(channel.alive(), "ab");
    let text = "steer_round_robin: connectionsPerBackend is ignored: this host makes one \
                connection to each backend";
    let logged = channel.asked().into_iter().filter(|asked| *asked == Asked::Log(text.into()));
    assert_eq!(logged.count(), 1);
}

#[test]
fn the_number_has_a_range() {
    for number in [0, 101] {
        let fault =
            Channel::config_fault("steer_random", json!({ "connectionsPerBackend": number }));
        let expected = "field:steer_random.connectionsPerBackend error:must be from 1 to 100";
        assert!(fault.contains(expected), "{fault}");
    }
}
