//! `steer_locality`: which zone gets the calls.

use std::collections::BTreeMap;

use steer::Status;
use steer::endpoints::Connectivity::{Connecting, Idle, Ready, TransientFailure};

use super::*;

/// A channel of a client in zone "a". A backend's zone is the letter before its own name.
fn channel(config: Value) -> Channel {
    let mut channel = Channel::with_seed("steer_locality", config, 1);
    channel.target = "children locality".to_owned();
    channel
}

/// The resolver gives these backends, such as "a1 a2 b3".
fn update(channel: &Channel, list: &str) -> Result<(), Status> {
    let backend = |text: &str| {
        let (zone, name) = text.split_at(1);
        described(name.chars().next().unwrap(), "zone", AttributeValue::Text(zone.to_owned()))
    };
    channel.update_with(Ok(list.split_whitespace().map(backend).collect()))
}

/// The share of each backend in many picks, in percent.
fn shares(channel: &Channel) -> BTreeMap<char, u32> {
    let mut picks = BTreeMap::new();
    for _ in 0..2000 {
        *picks.entry(channel.pick().chars().next().unwrap()).or_insert(0) += 1;
    }
    picks.into_iter().map(|(name, count)| (name, (count + 10) / 20)).collect()
}

fn share(channel: &Channel, names: &str) -> u32 {
    let shares = shares(channel);
    names.chars().filter_map(|name| shares.get(&name)).sum()
}

#[test]
fn calls_stay_in_the_own_zone() {
    let channel = channel(json!({"zone": "a"}));
    update(&channel, "a1 a2 b3 b4 c5").unwrap();
    assert_eq!(channel.state(), Some(Connecting));
    channel.ready("3");
    assert_eq!(channel.picked(2), "33", "another zone is better than to wait");
    channel.ready("12345".replace('3', "").as_str());
    assert_eq!(channel.picked(40).replace(['1', '2'], ""), "");
}

#[test]
fn calls_spill_over_when_the_own_zone_fails() {
    let channel = channel(json!({"zone": "a"}));
    update(&channel, "a1 a2 a3 a4 b5 b6 b7 b8").unwrap();
    channel.ready("12345678");
    channel.fail("1");
    assert_eq!(share(&channel, "5678"), 0, "three of four can serve all");
    channel.fail("2");
    // Half × 1.4 stay.
    assert!((67..=73).contains(&share(&channel, "34")), "{:?}", shares(&channel));
    channel.fail("3");
    assert!((32..=38).contains(&share(&channel, "4")), "{:?}", shares(&channel));
    channel.fail("4");
    assert_eq!(share(&channel, "5678"), 100);
    // One that tries again has still failed.
    channel.idle("4");
    channel.connecting("4");
    assert_eq!(share(&channel, "5678"), 100);
    channel.ready("1234");
    assert_eq!(share(&channel, "1234"), 100);
}

#[test]
fn when_few_backends_work_the_own_zone_is_no_better() {
    let channel = channel(json!({"zone": "a"}));
    update(&channel, "a1 a2 b3 b4 b5 b6").unwrap();
    channel.ready("123456");
    channel.fail("23456");
    channel.ready("3");
    assert!((47..=53).contains(&share(&channel, "1")), "{:?}", shares(&channel));
    let never = json!({"zone": "a", "panicThreshold": 0});
    let channel = self::channel(never);
    update(&channel, "a1 a2 b3 b4 b5 b6").unwrap();
    channel.ready("123456");
    channel.fail("23456");
    channel.ready("3");
    assert!((67..=73).contains(&share(&channel, "1")), "{:?}", shares(&channel));
}

#[test]
fn weights_share_calls_among_zones() {
    let channel = channel(json!({"weights": {"a": 3, "b": "1", "c": 0}}));
    update(&channel, "a1 b2 b3 c4 d5").unwrap();
    channel.ready("12345");
    let shares = shares(&channel);
    assert!((72..=78).contains(&shares[&'1']), "{shares:?}");
    assert!((10..=15).contains(&shares[&'2']) && (10..=15).contains(&shares[&'3']), "{shares:?}");
    assert_eq!(shares.len(), 3, "zones without a weight get nothing");
    channel.fail("123");
    assert_eq!(channel.picked(40).replace(['4', '5'], ""), "", "they are better than none");
}

#[test]
fn a_zone_that_leaves_ends_and_a_new_one_is_used() {
    let channel = channel(json!({"zone": "a"}));
    update(&channel, "a1 b2").unwrap();
    channel.ready("12");
    channel.asked();
    update(&channel, "b2 c3").unwrap();
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("23", "2"));
    channel.ready("3");
    let shares = shares(&channel);
    assert!((45..=55).contains(&shares[&'2']), "{shares:?}");
    update(&channel, "a1 c3").unwrap();
    channel.ready("1");
    assert_eq!(channel.picks(3), "111");
}

#[test]
fn a_zone_that_left_serves_until_another_can() {
    let channel = channel(json!({"zone": "a"}));
    update(&channel, "a1 b2").unwrap();
    channel.ready("12");
    update(&channel, "c3 c4").unwrap();
    assert_eq!((channel.state(), channel.alive().as_str()), (Some(Ready), "1234"));
    assert!(["1", "2"].contains(&channel.pick().as_str()));
    channel.fail("1");
    assert_eq!(channel.picks(3), "222");
    channel.ready("4");
    assert_eq!((channel.alive().as_str(), channel.picks(2).as_str()), ("34", "44"));
    // If the new ones fail, that is the state, as in gRPC's own policies.
    update(&channel, "d5").unwrap();
    assert_eq!(channel.pick(), "4");
    channel.fail("5");
    assert_eq!((channel.state(), channel.alive().as_str()), (Some(TransientFailure), "5"));
    // And an empty list leaves nothing to serve calls.
    update(&channel, "a1").unwrap();
    channel.ready("1");
    update(&channel, "").unwrap_err();
    assert_eq!((channel.state(), channel.alive().as_str()), (Some(TransientFailure), ""));
}

#[test]
fn without_a_ready_zone_the_state_is_the_next_best() {
    let channel = channel(json!({"zone": "a"}));
    update(&channel, "a1 b2").unwrap();
    channel.fail("1");
    assert_eq!(channel.state(), Some(Connecting));
    channel.fail("2");
    assert_eq!(channel.state(), Some(TransientFailure));
    assert!(channel.pick().starts_with("fail UNAVAILABLE: connections to all backends failing"));
    channel.ready("2");
    assert_eq!((channel.state(), channel.pick().as_str()), (Some(Ready), "2"));
    update(&channel, "").unwrap_err();
    assert_eq!(channel.state(), Some(TransientFailure));
    update(&channel, "a1 b2").unwrap();
    channel.ready("1");
    let _ = channel.update_with(Err(Status::unavailable("the name server is down")));
    assert_eq!(channel.pick(), "1");
}

#[test]
fn lazy_children_connect_by_their_picks() {
    let child = json!([{"steer_ring_hash": {"minRingSize": 8}}]);
    let channel = channel(json!({"zone": "a", "childPolicy": child}));
    update(&channel, "a1 b2").unwrap();
    assert_eq!(channel.state(), Some(Idle));
    for hash in 0..8 {
        assert_eq!(channel.pick_hash(hash << 60), "queue");
    }
    channel.run();
    channel.ready("1");
    assert_eq!((channel.state(), channel.pick_hash(1).as_str()), (Some(Ready), "1"));
}

#[test]
fn a_client_without_a_zone_uses_all() {
    let channel = channel(json!({"zone": ""}));
    channel.update("ab").unwrap();
    channel.ready("ab");
    assert_eq!(channel.picked(4), "aabb", "without zones there is one child");
    update(&channel, "a1 b2").unwrap();
    channel.ready("12");
    let shares = shares(&channel);
    assert!((45..=55).contains(&shares[&'1']), "{shares:?}");
}

#[test]
fn faults_of_the_config_say_what_to_do() {
    for (config, expected) in [
        (json!({"weights": {"a": -1}}), "weights[\"a\"] error:must be a number"),
        (json!({"weights": {"a": "x"}}), "weights[\"a\"] error:must be a number"),
        (json!({"overprovisioningFactor": 0.9}), "overprovisioningFactor error:must be at least 1"),
        (json!({"panicThreshold": 50}), "panicThreshold error:must be from 0 to 1"),
    ] {
        let error = Channel::config_fault("steer_locality", config);
        assert!(error.contains(&format!("field:steer_locality.{expected}")), "{error}");
    }
}
