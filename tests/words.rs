//! The texts of failures: those of the host's own policies.
//!
//! The expected texts are those of gRPC's round_robin, weighted_round_robin and ring_hash, by
//! version.

mod support;

use serde_json::json;
use steer::Status;
use steer::endpoints::{Report, Words};
use support::Channel;

const GRPC_1_51: Words = Words { note_in_brackets: false, endpoints: false };
const GRPC_1_62: Words = Words { note_in_brackets: false, endpoints: true };
const GRPC_1_70: Words = Words { note_in_brackets: true, endpoints: true };

/// A channel on a host with these words.
fn channel(policy: &str, words: Words) -> Channel {
    let channel = Channel::with(policy, json!({}));
    channel.host().set(|settings| settings.words = words);
    channel
}

/// The text of calls when both backends have failed.
fn all_failed(policy: &str, words: Words) -> String {
    let channel = channel(policy, words);
    channel.update("ab").unwrap();
    channel.fail("ab");
    channel.status().message
}

#[test]
fn when_all_backends_fail_the_text_is_that_of_round_robin() {
    let last = "connections to all backends failing; last error: b is down";
    for policy in ["steer_round_robin", "steer_least_request", "steer_maglev"] {
        assert_eq!(all_failed(policy, GRPC_1_51), last, "{policy}");
        assert_eq!(all_failed(policy, GRPC_1_62), last, "{policy}");
        assert_eq!(all_failed(policy, GRPC_1_70), format!("{last} (the note)"), "{policy}");
    }
}

#[test]
fn weighted_round_robin_names_the_code_where_the_host_does_not() {
    let policy = "steer_weighted_round_robin";
    let failing = "connections to all backends failing; last error:";
    assert_eq!(all_failed(policy, GRPC_1_51), format!("{failing} b is down"));
    assert_eq!(all_failed(policy, GRPC_1_62), format!("{failing} UNAVAILABLE: b is down"));
    let noted = format!("{failing} UNAVAILABLE: b is down (the note)");
    assert_eq!(all_failed(policy, GRPC_1_70), noted);
}

#[test]
fn an_empty_list_has_the_note_in_brackets_but_not_in_what_the_resolver_gets() {
    for policy in ["steer_round_robin", "steer_weighted_round_robin", "steer_peak_ewma"] {
        let old = Status::unavailable("empty address list: the note");
        for words in [GRPC_1_51, GRPC_1_62] {
            let channel = channel(policy, words);
            assert_eq!(channel.update(""), Err(old.clone()), "{policy}");
            assert_eq!(channel.status(), old, "{policy}");
        }
        let channel = channel(policy, GRPC_1_70);
        assert_eq!(channel.update(""), Err(Status::unavailable("empty address list")), "{policy}");
        assert_eq!(channel.status().message, "empty address list (the note)", "{policy}");
        assert_eq!(channel.pick(), "fail UNAVAILABLE: empty address list (the note)", "{policy}");
    }
}

#[test]
fn an_error_before_any_list_has_the_note_in_brackets_too() {
    let error = Status::unavailable("no such name");
    let channel = channel("steer_round_robin", GRPC_1_70);
    assert_eq!(channel.update_with(Err(error.clone())), Err(error));
    assert_eq!(channel.status().message, "no such name (the note)");
}

#[test]
fn ring_hash_has_its_own_texts() {
    for (words, name, note) in [
        (GRPC_1_51, "subchannel", ""),
        (GRPC_1_62, "endpoint", ""),
        (GRPC_1_70, "endpoint", " (the note)"),
    ] {
        let channel = channel("steer_ring_hash", words);
        let empty = Status::unavailable("empty address list: the note");
        assert_eq!(channel.update(""), Err(empty.clone()));
        assert_eq!(channel.status(), empty);
        channel.update("a").unwrap();
        channel.pick_hash(1);
        channel.run();
        channel.fail("a");
        let status = format!("no reachable {name}s; last error: a is down");
        assert_eq!(channel.status().message, status);
        let call = format!(
            "fail UNAVAILABLE: ring hash cannot find a connected {name}; first failure: a is \
             down{note}"
        );
        assert_eq!(channel.pick_hash(1), call);
    }
}

#[test]
fn a_failure_without_a_text_is_named_where_the_host_has_one_for_each() {
    for (words, end) in [(GRPC_1_51, ""), (GRPC_1_62, "; last error: ")] {
        let channel = channel("steer_round_robin", words);
        channel.update("a").unwrap();
        let failure = Report::TransientFailure(Status::unavailable(""));
        channel.runner.endpoint_report(channel.ids('a')[0], failure);
        let text = format!("connections to all backends failing{end}");
        assert_eq!(channel.status().message, text);
    }
}

#[test]
fn another_note_for_the_same_list_replaces_the_note() {
    let mut channel = channel("steer_round_robin", GRPC_1_70);
    channel.update("ab").unwrap();
    channel.fail("ab");
    channel.note = "another note".to_owned();
    channel.update("ab").unwrap();
    let text = "connections to all backends failing; last error: b is down (another note)";
    assert_eq!(channel.status().message, text);
}
