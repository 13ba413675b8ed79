//! `steer_subset`: which part of the backends the child gets.

use std::collections::BTreeSet;

use super::*;

const FLEET: &str = "abcdefghijklmnopqrst";

fn subset(size: u32, seed: u64) -> Channel {
    let mut channel = Channel::with_random("steer_subset", json!({"subsetSize": size}), seed);
    channel.note = String::new();
    channel
}

fn part(channel: &Channel, names: &str) -> BTreeSet<char> {
    channel.update(names).unwrap();
    channel.ready_all();
    channel.alive().chars().collect()
}

#[test]
fn a_client_keeps_its_part() {
    let channel = subset(5, 1);
    let first = part(&channel, FLEET);
    assert_eq!(first.len(), 5);
    assert_eq!(part(&channel, FLEET), first);
    let reversed: String = FLEET.chars().rev().collect();
    assert_eq!(part(&channel, &reversed), first);
    // One that the client does not use leaves, and then one that it uses.
    let unused = FLEET.chars().find(|name| !first.contains(name)).unwrap();
    assert_eq!(part(&channel, &FLEET.replace(unused, "")), first);
    let used = *first.first().unwrap();
    let without = part(&channel, &FLEET.replace(used, ""));
    assert_eq!((without.len(), without.intersection(&first).count()), (5, 4));
    assert_eq!(part(&channel, FLEET), first);
}

#[test]
fn clients_have_different_parts() {
    let parts: BTreeSet<_> = (1..20).map(|seed| part(&subset(5, seed), FLEET)).collect();
    assert!(parts.len() > 15, "{}", parts.len());
}

#[test]
fn a_small_list_is_used_whole() {
    let channel = subset(5, 1);
    assert_eq!(part(&channel, "abc").len(), 3);
    let all = channel.picked(6);
    assert_eq!(all, "aabbcc");
    assert!(channel.update("").unwrap_err().message.contains("empty address list"));
}

#[test]
fn a_list_that_grows_and_shrinks_loses_no_connection_in_use() {
    let channel = subset(3, 7);
    let before = part(&channel, "abcdef");
    channel.asked();
    let after = part(&channel, "abcdefg");
    let made = channel.asked();
    let made = made.iter().filter(|asked| matches!(asked, support::Asked::New(_))).count();
    assert!(before.intersection(&after).count() >= 2);
    assert_eq!(made, after.difference(&before).count());
}

#[test]
fn connections_of_a_backend_count_once() {
    let config = json!({"subsetSize": 2, "connectionsPerBackend": 3});
    let channel = Channel::with_random("steer_subset", config, 3);
    channel.update("abcdef").unwrap();
    let alive = channel.alive();
    let names: BTreeSet<char> = alive.chars().collect();
    assert_eq!((alive.len(), names.len()), (6, 2), "{alive}");
}

#[test]
fn an_aperture_weighs_the_backends_at_its_ends() {
    // Two clients of three backends, one and a half each.
    let mut weights = std::collections::BTreeMap::new();
    for index in 0..2 {
        let config = json!({
            "subsetSize": 1, "clientIndex": index, "clientCount": 2,
            "childPolicy": [{"steer_weighted_round_robin": {"weights": {}}}],
        });
        let channel = Channel::with("steer_subset", config);
        channel.update("abc").unwrap();
        channel.ready_all();
        assert_eq!(channel.alive().len(), 2);
        for name in channel.picked(30).chars() {
            *weights.entry(name).or_insert(0) += 1;
        }
    }
    assert_eq!(weights.into_values().collect::<Vec<_>>(), [20, 20, 20]);
}

#[test]
fn a_place_is_given_whole_or_not_at_all() {
    for (config, field) in [
        (json!({"clientIndex": 1}), "clientCount"),
        (json!({"clientCount": 1}), "clientIndex"),
        (json!({"clientIndex": 3, "clientCount": 3}), "clientIndex"),
        (json!({"subsetSize": 0}), "subsetSize"),
    ] {
        let error = Channel::config_fault("steer_subset", config);
        assert!(error.contains(&format!("field:steer_subset.{field} error:")), "{error}");
    }
}
