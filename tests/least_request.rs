//! `steer_least_request`: exact choices, which calls count as in flight, and its config.

mod support;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use steer::calls::{Call, TrackedSlot};
use steer::endpoints::EndpointDescriptor;
use steer::{Code, Status};
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
    calls[1].call_mut().finish(&Status::new(Code::NotFound, "no failure of the backend"), None);
    calls.remove(5);
    assert_eq!(start(&channel, 3).0, "bbc");
}

/// Makes `count` calls, one after another, and ends each on `name` with this status. Returns how
/// many went there.
fn calls_ending(channel: &Channel, count: usize, name: &str, status: &Status) -> usize {
    let mut there = 0;
    for _ in 0..count {
        // Nine others are in flight meanwhile.
        let mut calls: Vec<_> = (0..10).map(|_| channel.start()).collect();
        channel.advance(Duration::from_millis(10));
        for (picked, call) in &mut calls {
            let is_there = picked == name;
            there += usize::from(is_there);
            let status = if is_there { status.clone() } else { Status::OK };
            call.call_mut().finish(&status, None);
        }
    }
    there
}

#[test]
fn a_backend_that_fails_gets_few_calls() {
    let broken = Status::unavailable("broken");
    let aware = channel(json!({}), "abcd");
    aware.seed(1);
    let there = calls_ending(&aware, 1000, "b", &broken);
    assert!(there < 150, "{there} of 10,000");
    // A48, which looks at calls in flight only.
    let unaware = channel(json!({"failureAware": false}), "abcd");
    unaware.seed(1);
    let there = calls_ending(&unaware, 1000, "b", &broken);
    assert!((2_400..2_600).contains(&there), "{there} of 10,000");
}

#[test]
fn only_some_statuses_are_failures() {
    let channel_with = |codes: Value| {
        let channel = channel(json!({"failureCodes": codes}), "abcd");
        channel.seed(1);
        channel
    };
    let unavailable = Status::unavailable("broken");
    let there = calls_ending(&channel_with(json!(["not_found"])), 100, "b", &unavailable);
    assert!((200..300).contains(&there), "{there} of 1,000");
    let there = calls_ending(&channel_with(json!(["INTERNAL", 14])), 100, "b", &unavailable);
    assert!(there < 50, "{there} of 1,000");
}

#[test]
fn a_backend_that_recovers_gets_its_share_again() {
    let channel = channel(json!({}), "abcd");
    channel.seed(1);
    calls_ending(&channel, 1000, "b", &Status::unavailable("broken"));
    channel.advance(Duration::from_secs(60));
    let there = calls_ending(&channel, 1000, "b", &Status::OK);
    assert!((2_300..2_700).contains(&there), "{there} of 10,000");
}

/// If all fail alike, calls spread as before.
#[test]
fn failures_of_all_backends_cancel_out() {
    let channel = channel(json!({}), "abcd");
    channel.seed(1);
    let mut there = 0;
    for _ in 0..1000 {
        let mut calls: Vec<_> = (0..10).map(|_| channel.start()).collect();
        channel.advance(Duration::from_millis(10));
        for (picked, call) in &mut calls {
            there += usize::from(picked == "b");
            call.call_mut().finish(&Status::unavailable("all are down"), None);
        }
    }
    assert!((2_300..2_700).contains(&there), "{there} of 10,000");
}

/// Calls of 10 s, and no call has ended on the new backend.
#[test]
fn a_new_backend_does_not_get_all_calls() {
    let channel = channel(json!({"choiceCount": 5}), "abcd");
    channel.seed(1);
    let mut calls = VecDeque::new();
    let mut to_new = 0;
    for second in 0..60 {
        if second == 50 {
            channel.update("abcde").unwrap();
            channel.ready("e");
        }
        for _ in 0..20 {
            let (name, call) = channel.start();
            to_new += usize::from(name == "e");
            calls.push_back(call);
        }
        channel.advance(Duration::from_secs(1));
        if second >= 10 {
            for mut call in calls.drain(..20) {
                call.call_mut().finish(&Status::OK, None);
            }
        }
    }
    // A fifth of 200 is 40. Without care it gets all 50 until it is as full as the others.
    assert!((20..=52).contains(&to_new), "{to_new}");
}

#[test]
fn weights_of_the_resolver_count() {
    let channel = Channel::with("steer_least_request", json!({}));
    let weighted = |(name, weight): (&str, u32)| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    channel.update_with(Ok([("a", 3), ("b", 1)].map(weighted).into())).unwrap();
    channel.ready("ab");
    let (names, _calls) = start(&channel, 40);
    assert_eq!(names.matches('a').count(), 30, "{names}");
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
