//! `steer_least_request`: exact choices, which calls count as in flight, and its config.

mod support;

use serde_json::{Value, json};
use steer::Status;
use steer::calls::{Call, TrackedSlot};
use support::Channel;

fn channel(config: Value, names: &str) -> Channel {
    let channel = Channel::with("steer_least_request", config);
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

/// Starts `count` calls, which stay in flight. Returns the names of their backends, and the calls.
fn start(channel: &Channel, count: usize) -> (String, Vec<TrackedSlot>) {
    let calls: Vec<_> = (0..count).map(|_| channel.start()).collect();
    let names = calls.iter().map(|(name, _)| name.as_str()).collect();
    (names, calls.into_iter().map(|(_, call)| call).collect())
}

#[test]
fn of_all_backends_one_with_the_fewest_calls_is_chosen() {
    let channel = channel(json!({"choiceCount": 4}), "abcd");
    // The random number is always 0, so each comparison begins at the first backend.
    let (names, mut calls) = start(&channel, 8);
    assert_eq!(names, "abcdabcd");
    // A call of `c` ends, and both calls of `b`.
    calls[2].call_mut().finish(&Status::OK, None);
    calls[1].call_mut().finish(&Status::unavailable("broken"), None);
    calls.remove(5);
    assert_eq!(start(&channel, 3).0, "bbc");
}

#[test]
fn of_equals_the_first_sample_is_chosen() {
    let channel = channel(json!({"choiceCount": 4}), "abcd");
    let first = |quarter: u64| {
        channel.set_random(quarter << 62);
        channel.pick()
    };
    assert_eq!([0, 1, 2, 3].map(first), ["a", "b", "c", "d"]);
}

#[test]
fn of_many_two_are_compared() {
    let channel = channel(json!({}), "abcdefgh");
    // The samples are the first backend, and the first of the others.
    assert_eq!(start(&channel, 4).0, "abab");
    channel.set_random(u64::MAX);
    assert_eq!(start(&channel, 4).0, "hghg");
}

#[test]
fn a_seed_gives_one_sequence() {
    let channel = channel(json!({}), "abcdefgh");
    channel.seed(1);
    assert_eq!(start(&channel, 24).0, "fbagechdefghcaadbdcdahbf");
}

#[test]
fn a_call_is_in_flight_from_its_pick_to_its_end() {
    let channel = channel(json!({}), "ab");
    let (name, call) = channel.pick_for(Call::UNKNOWN);
    assert_eq!((name.as_str(), channel.pick().as_str()), ("a", "b"));
    drop(call);
    assert_eq!(channel.pick(), "a");
}

#[test]
fn calls_still_count_with_other_pickers_lists_and_connections() {
    let channel = channel(json!({}), "ab");
    let (names, calls) = start(&channel, 1);
    assert_eq!(names, "a");
    channel.update("abc").unwrap();
    channel.ready("c");
    channel.idle("a");
    channel.ready("a");
    channel.update("ab").unwrap();
    assert_eq!(channel.pick(), "b");
    drop(calls);
    assert_eq!(channel.pick(), "a");
}

#[test]
fn an_address_that_left_starts_without_calls() {
    let channel = channel(json!({}), "ab");
    let (_, mut calls) = start(&channel, 1);
    channel.update("b").unwrap();
    channel.update("ab").unwrap();
    channel.ready("a");
    // `b` is listed first. If the old call of `a` counted, both calls would go to `b`.
    assert_eq!(start(&channel, 2).0, "ba");
    // The end of the old call does not change the new count.
    calls[0].call_mut().finish(&Status::OK, None);
    assert_eq!(start(&channel, 2).0, "ba");
}

#[test]
fn an_address_that_is_listed_twice_is_one_backend() {
    let channel = channel(json!({"choiceCount": 3}), "aab");
    assert_eq!(start(&channel, 5).0, "ababa");
}

#[test]
fn every_fault_of_a_config_is_reported() {
    let fault = |config| Channel::config_fault("steer_least_request", config);
    let expected = "[field:steer_least_request.choiceCount error:must be at least 2]";
    assert!(fault(json!({"choiceCount": 1})).ends_with(expected));
    assert!(fault(json!({"choiceCount": 2.5})).contains("steer_least_request.choiceCount error:"));
    assert!(fault(json!({"choiceCount": -1})).contains("steer_least_request.choiceCount error:"));
}

#[test]
fn a_choice_count_above_ten_means_ten() {
    let channel = channel(json!({"choiceCount": 100}), "abcdefghijkl");
    assert_eq!(start(&channel, 12).0, "abcdefghijab");
}
