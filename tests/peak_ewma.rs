//! `steer_peak_ewma`: exact choices, what the policy learns from, and its config.

mod support;

use std::time::Duration;

use serde_json::json;
use steer::calls::TrackedSlot;
use steer::{Code, Status};
use support::Channel;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn channel(config: serde_json::Value, names: &str) -> Channel {
    let channel = Channel::with("steer_peak_ewma", config);
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

fn finish(channel: &Channel, mut call: TrackedSlot, latency: u64, code: Code) {
    channel.advance(ms(latency));
    call.call_mut().finish(&Status::new(code, "the end"), None);
}

/// Starts calls until one goes to this backend. Abandons the others.
fn call_to(channel: &Channel, name: &str) -> TrackedSlot {
    let mut others = Vec::new();
    loop {
        let (picked, call) = channel.start();
        if picked == name {
            return call;
        }
        others.push(call);
        assert!(others.len() < 100, "no call goes to {name}");
    }
}

#[test]
fn calls_in_flight_spread_over_new_backends() {
    let channel = channel(json!({}), "abcd");
    let calls: Vec<_> = (0..8).map(|_| channel.start()).collect();
    let names: String = calls.iter().map(|(name, _)| name.as_str()).collect();
    // The random number is always 0, so each scan begins at the first backend.
    assert_eq!(names, "abcdabcd");
}

#[test]
fn a_slow_backend_gets_calls_when_the_others_have_more_in_flight() {
    let channel = channel(json!({}), "ab");
    let (b, a) = (call_to(&channel, "b"), call_to(&channel, "a"));
    finish(&channel, a, 30, Code::Ok);
    // 90 ms against 30 ms: as much as the third call on `a`.
    finish(&channel, b, 60, Code::Ok);
    let calls: Vec<_> = (0..8).map(|_| channel.start()).collect();
    let names: String = calls.iter().map(|(name, _)| name.as_str()).collect();
    // The estimate of `a` has decayed for 60 ms more, so its cost is below an otherwise equal one.
    assert_eq!(names, "aaabaaab");
}

#[test]
fn a_backend_that_fails_at_once_gets_few_calls() {
    let channel = channel(json!({}), "ab");
    let mut failures = 0;
    for _ in 0..1000 {
        // Ten calls at a time on `a`, of 20 ms each, 500 a second. `b` fails in 1 ms.
        let calls: Vec<_> = (0..10).map(|_| channel.start()).collect();
        channel.advance(ms(1));
        let (bad, good): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(name, _)| name == "b");
        failures += bad.len();
        for (_, mut call) in bad {
            call.call_mut().finish(&Status::unavailable("broken"), None);
        }
        channel.advance(ms(19));
        for (_, mut call) in good {
            call.call_mut().finish(&Status::OK, None);
        }
    }
    // 10,000 calls in 20 seconds. The first five calls on `b` fail and double the estimate to 960
    // ms. One more fails when that has decayed to the cost of ten calls on `a`.
    assert_eq!(failures, 6);
}

#[test]
fn a_recovered_backend_is_tried_again_and_gets_calls_at_once() {
    let channel = channel(json!({}), "ab");
    let calls: Vec<_> = (0..24).map(|_| channel.start()).collect();
    for (_, call) in calls.into_iter().filter(|(name, _)| name == "b") {
        finish(&channel, call, 0, Code::Unavailable);
    }
    let mut calls_before = 0;
    let recovered = loop {
        let (name, call) = channel.start();
        finish(&channel, call, 30, Code::Ok);
        if name == "b" {
            break calls_before;
        }
        channel.advance(Duration::from_secs(1));
        calls_before += 1;
    };
    // The limit of 30 s falls to 30 ms in ln 1000 × 10 s. `a` decays for a second, too. There is
    // one call in 1.03 s.
    assert_eq!(recovered, 69);
    let calls: Vec<_> = (0..6).map(|_| channel.start()).collect();
    // One answer brings the estimate from 30 s to 55 ms.
    assert_eq!(calls.iter().filter(|(name, _)| name == "b").count(), 2);
}

#[test]
fn a_new_backend_has_the_default_rtt() {
    let channel = channel(json!({"defaultRtt": "0.1s", "decayTime": "1000s"}), "a");
    let (_, call) = channel.start();
    finish(&channel, call, 25, Code::Ok);
    for _ in 0..50 {
        let (_, call) = channel.start();
        finish(&channel, call, 100_000, Code::Ok);
        let (_, call) = channel.start();
        finish(&channel, call, 25, Code::NotFound);
    }
    channel.update("ab").unwrap();
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
}

#[test]
fn estimates_stay_as_long_as_the_address_is_listed() {
    let channel = channel(json!({}), "ab");
    finish(&channel, call_to(&channel, "b"), 500, Code::Ok);
    let all = |channel: &Channel| -> String {
        let calls: Vec<_> = (0..6).map(|_| channel.start()).collect();
        calls.iter().map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(all(&channel), "aaaaaa");
    channel.update("bac").unwrap();
    channel.ready("c");
    assert_eq!(all(&channel), "acacac");
    channel.idle("b");
    channel.ready("b");
    assert_eq!(all(&channel), "acacac");
    channel.update("ac").unwrap();
    channel.update("bac").unwrap();
    channel.ready("b");
    // A new estimate, as `c` had when `a` had decayed for half a second. `b` is READY last.
    assert_eq!(all(&channel), "acbacb");
}

#[test]
fn calls_in_flight_still_count_with_another_picker() {
    let channel = channel(json!({}), "ab");
    let first = channel.start();
    assert_eq!(first.0, "a");
    channel.update("ab").unwrap();
    assert_eq!(channel.pick(), "b");
    drop(first);
    assert_eq!(channel.pick(), "a");
}

#[test]
fn of_many_only_some_are_compared() {
    let few = channel(json!({"fullScanBelow": 3}), "abcd");
    few.seed(1);
    finish(&few, call_to(&few, "a"), 10_000, Code::Ok);
    // `a` is the more expensive one of any two.
    assert!(!few.picks(200).contains('a'));
    let two = channel(json!({"fullScanBelow": 0}), "ab");
    two.seed(1);
    finish(&two, call_to(&two, "a"), 10_000, Code::Ok);
    assert!(!two.picks(200).contains('a'));
}

#[test]
fn a_full_scan_begins_at_random() {
    let channel = channel(json!({}), "abcd");
    let firsts: String = (0..4)
        .map(|quarter| {
            channel.set_random(quarter << 62);
            channel.pick()
        })
        .collect();
    assert_eq!(firsts, "abcd");
}

#[test]
fn every_fault_of_a_config_is_reported() {
    let fault = |config| Channel::config_fault("steer_peak_ewma", config);
    let config = json!({
        "decayTime": "0s", "defaultRtt": "-1s", "choiceCount": 1, "fullScanBelow": "many",
    });
    assert_eq!(
        fault(config),
        "errors validating steer_peak_ewma LB policy config: [\
         field:steer_peak_ewma.decayTime error:must be above 0; \
         field:steer_peak_ewma.defaultRtt error:must not be negative; \
         field:steer_peak_ewma.choiceCount error:must be at least 2; \
         field:steer_peak_ewma.fullScanBelow error:expected a whole number that is 0 or more, \
         found \"many\"]"
    );
}

#[test]
fn a_choice_count_above_ten_means_ten() {
    let channel = channel(json!({"choiceCount": 1000, "fullScanBelow": 0}), "abcdefghijkl");
    channel.seed(1);
    let mut calls: Vec<_> = (0..12).map(|_| channel.start()).collect();
    calls.sort_by(|a, b| a.0.cmp(&b.0));
    calls.dedup_by(|a, b| a.0 == b.0);
    assert!(calls.len() > 10);
}
