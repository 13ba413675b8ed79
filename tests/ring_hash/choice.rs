//! Which endpoint a call goes to.

use super::*;

#[test]
fn a_call_goes_to_the_first_entry_at_or_after_its_hash() {
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
fn shares_follow_weights_and_an_address_listed_twice_has_both() {
    let channel = channel(json!({}));
    let endpoint = |name: &str, weight| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    // A missing weight counts as 1.
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
fn a_hash_key_replaces_the_address() {
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
fn the_hash_comes_from_a_header() {
    let channel = channel(json!({"requestHashHeader": "Session"}));
    channel.update("abc").unwrap();
    let mut seen = String::new();
    for value in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] {
        while channel.pick_header("session", value) == "queue" {
            channel.run();
            channel.ready(&channel.alive());
        }
        let pick = channel.pick_header("session", value);
        // XXH64, as in gRPC.
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
fn with_all_failed_a_call_fails_with_the_reason_of_its_first_endpoint() {
    let channel = connected("abc", json!({}));
    channel.fail("abc");
    for (name, hash) in hashes("abc") {
        assert_eq!(
            channel.pick_hash(hash),
            format!(
                "fail UNAVAILABLE: ring hash cannot find a connected subchannel; first failure: \
                 {name} is down"
            )
        );
    }
    channel.connecting("abc");
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert!(channel.pick_hash(0).starts_with("fail"));
}

#[test]
fn calls_without_the_header_follow_the_shares_of_the_ring() {
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

/// A retry of a call with this hash, after this many attempts.
fn retry(channel: &Channel, hash: u64, attempts: &str) -> String {
    let headers = &OneHeader { name: "grpc-previous-rpc-attempts", value: attempts };
    channel.pick_for(&Call { headers, request_hash: Some(hash), path: "" }).0
}

/// The different owners of the ring's entries, in the order of this hash.
fn order(names: &str, hash: u64) -> Vec<usize> {
    let (ring, mut order) = (ring(names), Vec::new());
    let first = ring.find(hash);
    for owner in (first..ring.len()).chain(0..first).map(|entry| ring.owner(entry)) {
        if !order.contains(&owner) {
            order.push(owner);
        }
    }
    order
}

#[test]
fn a_retry_may_go_to_the_next_endpoint_of_its_hash() {
    let names = "abcde";
    for factor in [0, 150] {
        let config = json!({"retryElsewhere": true, "hashBalanceFactor": factor});
        let channel = connected(names, config);
        assert_eq!(
            channel.picker().wants().headers.as_deref(),
            Some(&["grpc-previous-rpc-attempts".to_owned()][..])
        );
        let hashes = (0..if cfg!(miri) { 2 } else { 50 }).map(|part: u64| (part << 58) | 99);
        for hash in hashes.clone() {
            let attempts = ["0", "1", "2", "3", "4"].map(|sent| retry(&channel, hash, sent));
            let expected = order(names, hash).into_iter().map(|at| names[at..=at].to_owned());
            assert!(attempts.iter().cloned().eq(expected), "{attempts:?}");
        }
        // The first attempt did not go to an endpoint that has failed.
        channel.fail("a");
        for hash in hashes.clone() {
            let order: Vec<usize> = order(names, hash).into_iter().filter(|at| *at != 0).collect();
            assert_eq!(retry(&channel, hash, "1"), names[order[1]..=order[1]]);
        }
        // With one left, there is no other.
        channel.fail("bcd");
        assert!(hashes.clone().all(|hash| retry(&channel, hash, "1") == "e"));
        channel.fail("e");
        assert!(retry(&channel, 0, "1").starts_with("fail UNAVAILABLE"));
    }
}

#[test]
fn a_retry_waits_for_the_next_endpoint_if_that_is_idle() {
    let channel = channel(json!({"retryElsewhere": true}));
    channel.update("abc").unwrap();
    let hash = hashes("abc")[&'a'];
    let next = order("abc", hash)[1];
    channel.pick_hash(hash);
    channel.run();
    channel.ready("a");
    assert_eq!(retry(&channel, hash, "1"), "queue");
    channel.run();
    let next = &"abc"[next..=next];
    channel.ready(next);
    assert_eq!(retry(&channel, hash, "1"), next);
    assert_eq!(retry(&channel, hash, "0"), "a");
}

#[test]
fn retries_stay_unless_they_are_to_go_elsewhere() {
    let channel = connected("abc", json!({}));
    assert_eq!(channel.picker().wants().headers, None);
    for hash in hashes("abc").into_values() {
        assert_eq!(retry(&channel, hash, "1"), channel.pick_hash(hash));
    }
    assert!(fault(json!({"retryElsewhere": 1})).contains("field:steer_ring_hash.retryElsewhere"));
}
