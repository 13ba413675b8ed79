//! Bounded loads: `hashBalanceFactor`.

use super::*;

#[test]
fn a_backend_at_its_limit_is_skipped() {
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
        let expected = *order.iter().find(|index| in_flight[**index] < limit).unwrap();
        let (pick, slot) = start(&channel, hash);
        assert_eq!(pick, names[expected..=expected], "call {call}");
        in_flight[expected] += 1;
        calls.push(slot.expect("a tracked call"));
    }
    // The first two have 1.5 times a quarter each.
    assert_eq!(order.iter().map(|index| in_flight[*index]).collect::<Vec<_>>(), [38, 38, 24, 0]);
    drop(calls);
    assert_eq!(start(&channel, hash).0, names[order[0]..=order[0]]);
}

#[test]
fn an_address_that_comes_back_starts_without_calls() {
    for lists in [["cb", "ab"], ["cbd", "abd"]] {
        let channel = connected("ab", json!({"hashBalanceFactor": 100}));
        let call = start(&channel, hashes("ab")[&'a']);
        assert_eq!(call.0, "a");
        for list in lists {
            channel.update(list).unwrap();
            connect(&channel, list);
        }
        // If the old call counted, this one would go elsewhere.
        assert_eq!(start(&channel, hashes(lists[1])[&'a']).0, "a");
    }
}

#[test]
fn counts_of_calls_survive_updates() {
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
fn the_limit_follows_the_weight() {
    let channel = channel(json!({"hashBalanceFactor": 100}));
    let endpoint = |(name, weight): (&str, u32)| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    let update = |list: &[(&str, u32)]| {
        channel.update_with(Ok(list.iter().copied().map(endpoint).collect())).unwrap();
    };
    // The second is listed twice, and has both weights.
    update(&[("a", 1), ("b", 2), ("c", 5), ("b", 1)]);
    while channel.state() != Some(Connectivity::Ready) || channel.alive() != "abc" {
        (0..64_u64).for_each(|part| drop(channel.pick_hash(part << 58)));
        channel.run();
        channel.ready(&channel.alive());
    }
    let shares = |count: usize| {
        let calls: Vec<_> = (0..count).map(|_| start(&channel, 0)).collect();
        ["a", "b", "c"].map(|name| calls.iter().filter(|(pick, _)| pick == name).count())
    };
    assert_eq!(shares(90), [10, 30, 50]);
    channel.fail("c");
    assert_eq!(shares(80), [20, 60, 0]);
    // Another list with other weights.
    channel.ready("c");
    update(&[("c", 1), ("a", 1), ("b", 2)]);
    channel.ready("abc");
    assert_eq!(shares(80), [20, 40, 20]);
}

#[test]
fn an_idle_endpoint_is_connected_when_others_are_at_their_limits() {
    let channel = channel(json!({"hashBalanceFactor": 100}));
    channel.update("abc").unwrap();
    let hashes = hashes("abc");
    for name in ['a', 'b'] {
        channel.pick_hash(hashes[&name]);
        channel.run();
        channel.ready(&name.to_string());
    }
    channel.asked();
    // A hash from which the ring goes on with a, c, b.
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
    let hash = hash.expect("the ring has each order").1.0;
    let calls: Vec<_> = (0..6).map(|_| start(&channel, hash)).collect();
    // No call waits: a and b get half of the calls each.
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
fn no_backend_exceeds_its_limit_with_many_threads() {
    use std::sync::atomic::{AtomicU64, Ordering};
    const THREADS: u64 = 8;
    const HELD: u64 = 10;
    let names = "abcde";
    let channel = connected(names, json!({"hashBalanceFactor": 120}));
    let hash = hashes(names)[&'a'];
    // At most this many calls are in flight, so no backend may have more than this.
    let limit = (120 * THREADS * HELD).div_ceil(100 * 5);
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
    assert!(most <= limit + 1, "{most} calls on one backend, with a limit of {limit}");
    // All calls have ended: the next one is the only one.
    assert_eq!(start(&channel, hash).0, "a");
}
