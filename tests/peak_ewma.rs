//! `steer_peak_ewma`: exact choices, what the policy learns from, and its config.

mod support;

use std::collections::VecDeque;
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
    // 10,000 calls in 20 seconds. A few show that `b` fails, and one now and then whether it still
    // does.
    assert!((5..=30).contains(&failures), "{failures}");
}

#[test]
fn a_recovered_backend_is_tried_again_and_gets_calls_at_once() {
    let channel = channel(json!({}), "ab");
    let calls: Vec<_> = (0..24).map(|_| channel.start()).collect();
    for (_, call) in calls.into_iter().filter(|(name, _)| name == "b") {
        finish(&channel, call, 0, Code::Unavailable);
    }
    let mut seconds = 0;
    loop {
        let (name, call) = channel.start();
        finish(&channel, call, 30, Code::Ok);
        if name == "b" {
            break;
        }
        channel.advance(Duration::from_secs(1));
        seconds += 1;
        assert!(seconds < 60, "it is not tried again");
    }
    let calls: Vec<_> = (0..6).map(|_| channel.start()).collect();
    assert!(calls.iter().any(|(name, _)| name == "b"));
}

/// A new backend is not quicker than the others, and not quicker than the default.
#[test]
fn a_new_backend_begins_like_the_others() {
    for (latency, more_calls) in [(400, 0), (1, 3)] {
        let channel = channel(json!({"defaultRtt": "0.004s", "decayTime": "10s"}), "a");
        for _ in 0..100_000 / latency {
            let (_, call) = channel.start();
            finish(&channel, call, latency, Code::Ok);
        }
        channel.update("ab").unwrap();
        channel.ready("b");
        // Each scan begins at `a`, which gets the first call, and as many more as it is quicker.
        let calls: Vec<_> = (0..8).map(|_| channel.start()).collect();
        let names: String = calls.iter().map(|(name, _)| name.as_str()).collect();
        let first_b = names.find('b').unwrap_or(8);
        assert!((1 + more_calls - 1..=1 + more_calls).contains(&first_b), "{latency}: {names}");
    }
}

/// Calls of 10 s, and no call has ended on the new backend.
#[test]
fn a_new_backend_does_not_get_all_long_calls() {
    let channel = channel(json!({"choiceCount": 2, "fullScanBelow": 10}), "abcd");
    channel.seed(1);
    let (mut calls, mut to_new) = (VecDeque::new(), 0);
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
    // A fifth of 200 is 40.
    assert!((20..=52).contains(&to_new), "{to_new}");
}

#[test]
fn a_backend_that_hangs_gets_few_calls() {
    let channel = channel(json!({}), "abcd");
    channel.seed(1);
    let mut stuck = Vec::new();
    for _ in 0..60_000 {
        let mut calls: Vec<_> = (0..10).map(|_| channel.start()).collect();
        channel.advance(ms(10));
        for (name, call) in calls.drain(..) {
            if name == "b" {
                stuck.push(call);
            } else {
                finish(&channel, call, 0, Code::Ok);
            }
        }
    }
    // 600,000 calls in ten minutes, none of which has a deadline.
    assert!(stuck.len() <= 30, "{}", stuck.len());
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
    channel.update("ba").unwrap();
    assert_eq!(all(&channel), "aaaaaa");
    // A new connection may lead to another process.
    channel.idle("b");
    channel.ready("b");
    assert!(all(&channel).contains('b'));
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
        "failureCodes": ["UNKNOWN", "OK", "BROKEN", 99],
    });
    assert_eq!(
        fault(config),
        "errors validating steer_peak_ewma LB policy config: [\
         field:steer_peak_ewma.decayTime error:must be above 0; \
         field:steer_peak_ewma.defaultRtt error:must not be negative; \
         field:steer_peak_ewma.choiceCount error:must be at least 2; \
         field:steer_peak_ewma.fullScanBelow error:expected a whole number that is 0 or more, \
         found \"many\"; \
         field:steer_peak_ewma.failureCodes[1] error:expected the name or the number of a status \
         that is not OK, found \"OK\"; \
         field:steer_peak_ewma.failureCodes[2] error:expected the name or the number of a status \
         that is not OK, found \"BROKEN\"; \
         field:steer_peak_ewma.failureCodes[3] error:expected the name or the number of a status \
         that is not OK, found 99]"
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
