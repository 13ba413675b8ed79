//! `steer_priority`: which group of backends gets the calls.

use std::time::Duration;

use steer::Status;
use steer::endpoints::Connectivity::{Connecting, Ready, TransientFailure};
use steer::endpoints::Locality;

use super::*;

const FAILOVER: Duration = Duration::from_secs(10);

fn second(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A channel whose groups are these names, each group one text.
fn priority(groups: &[&str]) -> Channel {
    let groups: Vec<Vec<String>> =
        groups.iter().map(|group| group.chars().map(String::from).collect()).collect();
    statistics::channel("steer_priority", json!({ "groups": groups }))
}

#[test]
fn calls_go_to_the_first_group_alone() {
    let channel = priority(&["ab", "cd"]);
    channel.update("abcd").unwrap();
    assert_eq!((channel.alive().as_str(), channel.state()), ("ab", Some(Connecting)));
    channel.ready("ab");
    assert_eq!(channel.picked(4), "aabb");
    channel.advance(second(3600));
    assert_eq!(channel.alive(), "ab", "the others are not even connected");
}

#[test]
fn the_next_group_takes_over_when_all_backends_of_the_first_fail() {
    let channel = priority(&["ab", "cd"]);
    channel.update("abcd").unwrap();
    channel.ready("ab");
    channel.fail("a");
    assert_eq!(channel.picked(2), "bb");
    channel.fail("b");
    assert_eq!(channel.state(), Some(Connecting), "the next group connects");
    assert_eq!(channel.pick(), "queue");
    channel.ready("cd");
    assert_eq!(channel.picked(4), "ccdd");
    channel.ready("a");
    assert_eq!(channel.picks(2), "aa", "back at once");
}

#[test]
fn a_group_that_does_not_connect_in_time_is_passed_over() {
    let channel = priority(&["a", "b", "c"]);
    channel.update("abc").unwrap();
    channel.connecting("a");
    channel.advance(FAILOVER - Duration::from_millis(1));
    assert_eq!(channel.alive(), "a");
    channel.advance(Duration::from_millis(1));
    assert_eq!(channel.alive(), "ab");
    channel.advance(FAILOVER);
    assert_eq!((channel.alive().as_str(), channel.state()), ("abc", Some(Connecting)));
    channel.ready("c");
    assert_eq!(channel.pick(), "c");
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
    channel.ready("a");
    assert_eq!(channel.pick(), "a");
}

#[test]
fn a_group_that_has_worked_gets_time_to_connect_again() {
    let channel = priority(&["a", "b"]);
    channel.update("ab").unwrap();
    channel.ready("a");
    channel.idle("a");
    channel.connecting("a");
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("a", "queue"));
    channel.advance(FAILOVER);
    assert_eq!(channel.alive(), "ab");
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
}

#[test]
fn a_group_that_is_not_used_is_kept_for_a_quarter_of_an_hour() {
    let channel = priority(&["a", "b"]);
    channel.update("ab").unwrap();
    channel.fail("a");
    channel.ready("b");
    channel.ready("a");
    channel.advance(second(15 * 60 - 1));
    assert_eq!(channel.alive(), "ab");
    channel.fail("a");
    assert_eq!(channel.pick(), "b", "it was kept, so nothing waits");
    channel.ready("a");
    channel.advance(second(15 * 60));
    assert_eq!(channel.alive(), "a");
}

#[test]
fn all_groups_failing_is_a_failure_of_the_last() {
    let channel = priority(&["a", "b"]);
    channel.update("ab").unwrap();
    channel.fail("a");
    channel.fail("b");
    assert_eq!(
        (channel.state(), channel.status()),
        (Some(TransientFailure), support::all_failing('b'))
    );
    channel.connecting("a");
    assert_eq!(channel.state(), Some(TransientFailure));
}

#[test]
fn a_list_that_changes_only_the_second_group_leaves_the_first_alone() {
    let channel = priority(&["ab", "cd"]);
    channel.update("abc").unwrap();
    channel.ready("ab");
    channel.asked();
    channel.update("abd").unwrap();
    let asked = channel.asked();
    assert!(!asked.iter().any(|it| matches!(it, support::Asked::New(_))), "{asked:?}");
    assert_eq!(channel.picked(4), "aabb");
    // The first group leaves.
    channel.update("cd").unwrap();
    channel.ready("cd");
    assert_eq!(channel.picked(4), "ccdd");
}

#[test]
fn a_group_that_left_serves_until_another_can() {
    let channel = priority(&["a", "b", "c"]);
    channel.update("a").unwrap();
    channel.ready("a");
    channel.update("bc").unwrap();
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("ab", "a"));
    channel.advance(FAILOVER);
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("abc", "a"));
    channel.ready("c");
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("bc", "c"));
    channel.update("a").unwrap();
    channel.fail("a");
    assert_eq!((channel.alive().as_str(), channel.state()), ("a", Some(TransientFailure)));
    channel.ready("a");
    channel.update("").unwrap_err();
    assert_eq!((channel.alive().as_str(), channel.state()), ("", Some(TransientFailure)));
}

/// As each endpoint: see rule 11 of the leaf policies.
#[test]
fn a_group_that_a_list_leaves_out_is_new_when_it_comes_back() {
    let channel = priority(&["a", "b"]);
    channel.update("ab").unwrap();
    channel.fail("a");
    channel.ready("b");
    channel.ready("a");
    let before = channel.ids('b');
    channel.update("a").unwrap();
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("a", "a"));
    channel.update("ab").unwrap();
    assert_eq!(channel.alive(), "a", "it is not needed yet");
    channel.fail("a");
    assert_ne!(channel.ids('b'), before);
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
}

#[test]
fn a_resolver_error_leaves_the_groups_in_use() {
    let channel = priority(&["a", "b"]);
    let error = Status::unavailable("the name server is down");
    channel.update_with(Err(error.clone())).unwrap_err();
    assert_eq!(channel.state(), Some(TransientFailure));
    channel.update("ab").unwrap();
    channel.ready("a");
    assert_eq!(channel.state(), Some(Ready));
    let _ = channel.update_with(Err(error));
    assert_eq!(channel.pick(), "a");
    // A group that is tried later has the list, and not the error.
    channel.fail("a");
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
}

#[test]
fn groups_come_from_an_attribute() {
    let numbered = |name, number| described(name, "priority", AttributeValue::Integer(number));
    let text = |name, value: &str| described(name, "priority", AttributeValue::Text(value.into()));
    let channel = statistics::channel("steer_priority", json!({}));
    let list = vec![numbered('a', 2), text('b', "-1"), numbered('c', 2), text('d', "soon")];
    channel.update_with(Ok(list)).unwrap();
    assert_eq!(channel.alive(), "b");
    channel.fail("b");
    assert_eq!(channel.alive(), "abc");
    channel.fail("ac");
    assert_eq!(channel.alive(), "abcd", "a backend without a number is in the last group");
    let names = statistics::children(&channel);
    assert_eq!(
        names,
        [
            "priority -1: steer_round_robin",
            "priority 2: steer_round_robin",
            "others: steer_round_robin"
        ]
    );
}

#[test]
fn groups_come_from_localities() {
    let config = json!({"attribute": "zone", "order": ["here", "there"]});
    let channel = statistics::channel("steer_priority", config);
    let backend = |name: char, zone: &str| {
        let locality = Locality { zone: zone.to_owned(), ..Locality::default() };
        let addresses = vec![name.to_string()];
        Arc::new(EndpointDescriptor { addresses, locality, ..EndpointDescriptor::default() })
    };
    channel.update_with(Ok(vec![backend('a', "there"), backend('b', "here")])).unwrap();
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
    channel.fail("b");
    channel.ready("a");
    assert_eq!(channel.pick(), "a");
}

#[test]
fn faults_of_the_config_say_what_to_do() {
    for (config, expected) in [
        (json!({"groups": [["a"], ["b", "ipv4:a"]]}), "groups[1][1] error:the same address"),
        (json!({"groups": [["a"]], "attribute": "zone"}), "groups error:cannot be combined"),
        (json!({"order": ["x", "y", "x"]}), "order[2] error:the same value"),
        (json!({"attribute": ""}), "attribute error:must not be empty"),
        (json!({"failoverTimeout": "-1s"}), "failoverTimeout error:must not be negative"),
    ] {
        let error = Channel::config_fault("steer_priority", config);
        assert!(error.contains(&format!("field:steer_priority.{expected}")), "{error}");
    }
}
