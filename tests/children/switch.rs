//! A config that names another child.

use steer::endpoints::Connectivity::{Connecting, Ready};

use super::*;

#[test]
fn the_old_child_answers_until_the_new_one_is_ready() {
    for parent in ["steer_subset", "steer_priority"] {
        let mut channel = statistics::channel(parent, with_child("steer_round_robin", json!({})));
        channel.update("ab").unwrap();
        channel.ready("ab");
        assert_eq!(channel.picked(4), "aabb");
        channel.config = with_child("steer_maglev", json!({}));
        channel.update("ab").unwrap();
        // The new child's endpoints are others. On a real host they share the connections.
        assert_eq!((channel.alive().as_str(), channel.state()), ("aabb", Some(Ready)), "{parent}");
        assert_eq!(channel.picked(2), "ab");
        let children = statistics::children(&channel).join(", ");
        assert!(children.contains("steer_round_robin") && children.contains("steer_maglev"));
        channel.ready("ab");
        assert_eq!((channel.alive().as_str(), channel.state()), ("ab", Some(Ready)));
        let children = statistics::children(&channel).join(", ");
        assert!(!children.contains("steer_round_robin"), "{children}");
    }
}

#[test]
fn a_third_child_replaces_a_second_that_was_not_ready() {
    let mut channel =
        statistics::channel("steer_subset", with_child("steer_round_robin", json!({})));
    channel.update("a").unwrap();
    channel.ready("a");
    channel.config = with_child("steer_maglev", json!({}));
    channel.update("a").unwrap();
    channel.config = with_child("steer_random", json!({}));
    channel.update("a").unwrap();
    assert_eq!(
        statistics::children(&channel),
        ["subset: steer_round_robin", "subset: steer_random"]
    );
    assert_eq!(channel.pick(), "a");
    channel.ready("a");
    assert_eq!(statistics::children(&channel), ["subset: steer_random"]);
    assert_eq!((channel.alive().as_str(), channel.pick().as_str()), ("a", "a"));
}

#[test]
fn a_child_that_fails_at_once_takes_over() {
    let mut channel =
        statistics::channel("steer_subset", with_child("steer_round_robin", json!({})));
    channel.update("a").unwrap();
    assert_eq!(channel.state(), Some(Connecting));
    channel.config = with_child("steer_random", json!({}));
    channel.update("a").unwrap();
    channel.fail("a");
    assert_eq!(statistics::children(&channel), ["subset: steer_random"]);
}

#[test]
fn another_config_of_the_same_policy_keeps_the_child() {
    let config = |count: u32| with_child("steer_least_request", json!({"choiceCount": count}));
    let mut channel = statistics::channel("steer_subset", config(2));
    channel.update("ab").unwrap();
    channel.ready("ab");
    channel.asked();
    channel.config = config(3);
    channel.update("ab").unwrap();
    assert!(!channel.asked().iter().any(|asked| matches!(asked, support::Asked::New(_))));
}
