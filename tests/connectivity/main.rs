//! The connectivity rules that every leaf policy shares, by their numbers. With `steer_round_robin`
//! and a virtual host.

mod random_events;
#[path = "../support/mod.rs"]
mod support;

use serde_json::json;
use steer::endpoints::Connectivity::{Connecting, Ready, TransientFailure};
use steer::endpoints::Report;
use steer::{Code, Status};
use support::Asked::{Connect, Dropped, New, Reresolve, ResetBackoff, State};
use support::{Channel, all_failing};

fn named(make: fn(String) -> support::Asked, names: &str) -> Vec<support::Asked> {
    names.chars().map(|name| make(name.to_string())).collect()
}

#[test]
fn rule_1_one_connection_is_kept_to_every_endpoint() {
    let channel = Channel::round_robin();
    channel.update("abc").unwrap();
    assert_eq!(channel.asked(), [named(New, "abc"), vec![State(Connecting)]].concat());
    channel.idle("abc");
    let connects: Vec<_> =
        channel.asked().into_iter().filter(|asked| matches!(asked, Connect(_))).collect();
    assert_eq!(connects, named(Connect, "abc"));
}

#[test]
fn rule_1_an_endpoint_that_goes_idle_is_asked_to_connect_at_once_and_counts_as_connecting() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.ready("a");
    channel.asked();
    channel.idle("a");
    assert_eq!(channel.asked(), [Reresolve, Connect("a".into()), State(Connecting)]);
    assert_eq!(channel.pick(), "queue");
}

#[test]
fn rule_2_the_state_is_ready_or_connecting_if_any_endpoint_is_and_failing_otherwise() {
    let channel = Channel::round_robin();
    channel.update("abc").unwrap();
    channel.connecting("abc");
    assert_eq!(channel.state(), Some(Connecting));
    channel.fail("ab");
    assert_eq!(channel.state(), Some(Connecting));
    channel.fail("c");
    assert_eq!(channel.state(), Some(TransientFailure));
    assert_eq!(channel.status(), all_failing('c'));
    assert_eq!(channel.pick(), format!("fail {}", all_failing('c')));
    channel.ready("b");
    assert_eq!((channel.state(), channel.status()), (Some(Ready), Status::OK));
    assert_eq!(channel.picks(3), "bbb");
    channel.fail("b");
    assert_eq!(channel.status(), all_failing('b'));
}

#[test]
fn rule_2_nothing_is_published_while_it_depends_on_endpoints_that_have_not_reported() {
    let channel = Channel::round_robin();
    channel.update("ab").unwrap();
    channel.asked();
    channel.fail("a");
    assert_eq!(channel.asked(), []);
    channel.fail("b");
    assert_eq!(channel.asked(), [State(TransientFailure)]);
}

#[test]
fn rule_3_transient_failure_is_sticky_until_ready() {
    let channel = Channel::round_robin();
    channel.update("ab").unwrap();
    channel.fail("ab");
    channel.idle("a");
    channel.connecting("a");
    assert_eq!(channel.status(), all_failing('b'));
    assert_eq!(channel.state(), Some(TransientFailure));
    channel.fail("a");
    assert_eq!(channel.status(), all_failing('a'));
    channel.ready("a");
    assert_eq!(channel.state(), Some(Ready));
    channel.connecting("a");
    assert_eq!(channel.state(), Some(Connecting));
}

#[test]
fn rule_4_failure_and_idle_ask_for_reresolution_but_not_as_a_first_report() {
    let channel = Channel::round_robin();
    channel.update("ab").unwrap();
    channel.idle("a");
    channel.fail("b");
    assert!(!channel.asked().contains(&Reresolve));
    channel.fail("a");
    assert!(channel.asked().contains(&Reresolve));
    channel.ready("a");
    channel.connecting("b");
    assert!(!channel.asked().contains(&Reresolve));
    channel.idle("a");
    assert!(channel.asked().contains(&Reresolve));
}

#[test]
fn rule_5_a_new_list_is_pending_until_it_has_a_ready_endpoint() {
    let channel = Channel::round_robin();
    channel.update("ab").unwrap();
    channel.ready("ab");
    channel.asked();
    channel.update("cd").unwrap();
    channel.connecting("cd");
    assert_eq!(channel.asked(), named(New, "cd"));
    assert_eq!(channel.picked(4), "aabb");
    channel.ready("c");
    let mut asked = channel.asked();
    asked[..2].sort_by_key(|asked| format!("{asked:?}"));
    assert_eq!(asked, [named(Dropped, "ab"), vec![State(Ready)]].concat());
    assert_eq!(channel.picks(2), "cc");
    assert_eq!(channel.alive(), "cd");
}

#[test]
fn rule_5_a_new_list_replaces_the_current_one_when_all_its_endpoints_have_failed() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.ready("a");
    channel.update("bc").unwrap();
    channel.fail("b");
    assert_eq!((channel.state(), channel.picks(1).as_str()), (Some(Ready), "a"));
    channel.fail("c");
    assert_eq!((channel.state(), channel.status()), (Some(TransientFailure), all_failing('c')));
    assert_eq!(channel.alive(), "bc");
}

#[test]
fn rule_5_a_new_list_replaces_one_without_a_ready_endpoint_at_its_first_report() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.connecting("a");
    channel.update("bc").unwrap();
    assert_eq!(channel.alive(), "abc");
    channel.connecting("b");
    assert_eq!((channel.state(), channel.alive().as_str()), (Some(Connecting), "bc"));
}

#[test]
fn rule_5_a_pending_list_is_itself_replaced_by_a_newer_one() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.ready("a");
    channel.update("bc").unwrap();
    channel.update("cd").unwrap();
    assert_eq!(channel.alive(), "acd");
    channel.ready("d");
    assert_eq!((channel.alive().as_str(), channel.picks(1).as_str()), ("cd", "d"));
}

#[test]
fn rule_5_endpoints_that_stay_keep_their_connections_and_serve_at_once() {
    let channel = Channel::round_robin();
    channel.update("abc").unwrap();
    channel.ready("abc");
    channel.asked();
    channel.update("cbd").unwrap();
    assert_eq!(channel.picked(4), "bbcc");
    assert_eq!(channel.asked(), [New("d".into()), Dropped("a".into()), State(Ready)]);
    channel.ready("d");
    assert_eq!(channel.picked(3), "bcd");
}

#[test]
fn rule_5_the_state_of_the_old_list_holds_until_the_new_one_has_a_state() {
    let channel = Channel::round_robin();
    channel.update("ay").unwrap();
    channel.fail("y");
    channel.update("ad").unwrap();
    channel.asked();
    channel.fail("a");
    assert_eq!((channel.state(), channel.status()), (Some(TransientFailure), all_failing('a')));
    assert_eq!(channel.alive(), "ad");
}

#[test]
fn rule_5_stickiness_ends_with_a_new_list() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.fail("a");
    channel.connecting("a");
    assert_eq!(channel.state(), Some(TransientFailure));
    channel.update("a").unwrap();
    assert_eq!(channel.state(), Some(Connecting));
}

#[test]
fn rule_5_a_changed_endpoint_is_replaced() {
    use std::sync::Arc;

    use steer::endpoints::EndpointDescriptor;
    let channel = Channel::round_robin();
    let with_weight = |weight| {
        let addresses = vec!["a".to_owned()];
        Ok(vec![Arc::new(EndpointDescriptor { addresses, weight, ..Default::default() })])
    };
    channel.update_with(with_weight(1)).unwrap();
    channel.ready("a");
    channel.asked();
    channel.update_with(with_weight(1)).unwrap();
    assert_eq!(channel.asked(), [State(Ready)]);
    channel.update_with(with_weight(2)).unwrap();
    assert_eq!(channel.asked(), [New("a".into())]);
}

#[test]
fn rule_5_an_address_listed_twice_is_two_endpoints() {
    let channel = Channel::round_robin();
    channel.update("aab").unwrap();
    channel.ready("ab");
    assert_eq!(channel.picked(6), "aaaabb");
    channel.asked();
    channel.update("aba").unwrap();
    assert_eq!(channel.asked(), [State(Ready)]);
    assert_eq!(channel.picked(6), "aaaabb");
    channel.update("ab").unwrap();
    assert_eq!(channel.asked(), [Dropped("a".into()), State(Ready)]);
    assert_eq!(channel.picked(6), "aaabbb");
}

#[test]
fn rule_6_an_error_keeps_the_list_in_use_and_is_not_accepted() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.ready("a");
    channel.asked();
    let error = Status::new(Code::NotFound, "no such name");
    assert_eq!(channel.update_with(Err(error.clone())), Err(error));
    assert_eq!(channel.asked(), []);
    assert_eq!(channel.picks(1), "a");
}

#[test]
fn rule_6_an_error_before_any_list_is_a_transient_failure() {
    let channel = Channel::round_robin();
    let error = Status::new(Code::Unavailable, "no such name");
    assert_eq!(channel.update_with(Err(error.clone())), Err(error.clone()));
    assert_eq!((channel.state(), channel.status()), (Some(TransientFailure), error.clone()));
    assert_eq!(channel.pick(), format!("fail {error}"));
    channel.update("a").unwrap();
    channel.ready("a");
    assert_eq!(channel.picks(1), "a");
}

#[test]
fn rule_6_an_empty_list_is_a_transient_failure_at_once() {
    let channel = Channel::round_robin();
    channel.update("ab").unwrap();
    channel.ready("ab");
    let empty = Status::unavailable("empty address list: the note");
    assert_eq!(channel.update(""), Err(empty.clone()));
    assert_eq!((channel.state(), channel.status()), (Some(TransientFailure), empty));
    assert_eq!(channel.alive(), "");
    channel.update("c").unwrap();
    assert_eq!(
        channel.state(),
        Some(TransientFailure),
        "until an endpoint of the new list has reported"
    );
    channel.connecting("c");
    assert_eq!(channel.state(), Some(Connecting));
}

#[test]
fn rule_6_a_list_whose_endpoints_are_all_refused_counts_as_empty() {
    let channel = Channel::round_robin();
    channel.refuse("ab");
    channel.update("ab").unwrap_err();
    assert_eq!(channel.state(), Some(TransientFailure));
    channel.update("abc").unwrap();
    channel.ready("c");
    assert_eq!(channel.picks(2), "cc");
}

#[test]
fn late_reports_of_dropped_endpoints_are_ignored() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.ready("a");
    let dropped = channel.ids('a')[0];
    channel.update("b").unwrap();
    channel.ready("b");
    channel.asked();
    assert!(!channel.runner.endpoint_report(dropped, Report::Idle));
    assert!(!channel.runner.endpoint_report(dropped, Report::Ready(channel.connection('a'))));
    assert_eq!(channel.asked(), []);
    assert_eq!(channel.held_connections(), 1);
}

#[test]
fn backoff_is_reset_once_for_every_endpoint_of_both_lists() {
    let channel = Channel::round_robin();
    channel.runner.reset_backoff();
    channel.update("ab").unwrap();
    channel.ready("a");
    channel.update("bc").unwrap();
    channel.fail("b");
    channel.asked();
    channel.runner.reset_backoff();
    assert_eq!(channel.asked(), named(ResetBackoff, "abc"));
}

#[test]
fn shutdown_drops_the_endpoints_and_leaves_pickers_their_connections() {
    let channel = Channel::round_robin();
    channel.update("ab").unwrap();
    channel.ready("ab");
    channel.asked();
    channel.runner.close();
    let mut asked = channel.asked();
    asked.sort_by_key(|asked| format!("{asked:?}"));
    assert_eq!(asked, named(Dropped, "ab"));
    assert_eq!((channel.picked(2).as_str(), channel.held_connections()), ("ab", 2));
    channel.runner.exit_idle();
    channel.runner.reset_backoff();
    channel.update("c").unwrap();
    assert_eq!(channel.asked(), []);
}

/// Policies keep data from picker to picker. A lost connection is given back with the last picker
/// that had it.
#[test]
fn no_policy_holds_a_lost_connection() {
    let weights = json!({"weights": {"a": 1, "b": 2}});
    // Small tables and rings, for Miri.
    let maglev = |factor| json!({"tableSize": 101, "hashBalanceFactor": factor});
    let ring = |factor| json!({"minRingSize": 64, "maxRingSize": 64, "hashBalanceFactor": factor});
    for (policy, config) in [
        ("steer_round_robin", json!({})),
        ("steer_random", json!({})),
        ("steer_least_request", json!({})),
        ("steer_peak_ewma", json!({})),
        ("steer_prequal", json!({})),
        ("steer_weighted_round_robin", json!({})),
        ("steer_weighted_round_robin", weights),
        ("steer_maglev", maglev(0)),
        ("steer_maglev", maglev(150)),
        ("steer_ring_hash", ring(0)),
        ("steer_ring_hash", ring(150)),
    ] {
        // Each of these takes Miri seconds.
        let (counted, rounds): (&[bool], _) =
            if cfg!(miri) { (&[true], 1) } else { (&[false, true], 2) };
        for &counted in counted {
            steer::stats::track_calls(counted);
            let channel = Channel::with(policy, config.clone());
            for _ in 0..rounds {
                channel.update("ab").unwrap();
                for hash in 0..8 {
                    channel.pick_hash(hash << 61);
                }
                channel.run();
                channel.ready("ab");
                assert_eq!(channel.held_connections(), 2, "{policy}");
                channel.fail("a");
                assert_eq!(channel.held_connections(), 1, "{policy}");
                channel.fail("b");
                assert_eq!(channel.held_connections(), 0, "{policy}");
                channel.ready("ab");
                channel.update("").unwrap_err();
                assert_eq!(channel.held_connections(), 0, "{policy}");
            }
        }
    }
    steer::stats::track_calls(false);
}

#[test]
fn a_report_during_a_callback_is_handled_after_it() {
    let channel = Channel::round_robin();
    channel.update("a").unwrap();
    channel.report_within_connect(|| Report::Connecting);
    channel.asked();
    channel.idle("a");
    assert_eq!(channel.asked(), [Connect("a".into()), State(Connecting), State(Connecting)]);
}

#[test]
fn rule_12_a_new_list_connects_from_a_random_place_on() {
    for (random, order, later) in [(0, "abcd", "xyz"), (1, "bcda", "yzx"), (3, "dabc", "xyz")] {
        let channel = Channel::with_random("steer_round_robin", json!({}), random);
        channel.update("abcd").unwrap();
        assert_eq!(channel.asked(), [named(New, order), vec![State(Connecting)]].concat());
        // Only the new endpoints count.
        channel.update("xaybz").unwrap();
        let made: Vec<_> =
            channel.asked().into_iter().filter(|asked| matches!(asked, New(_))).collect();
        assert_eq!(made, named(New, later));
    }
}
