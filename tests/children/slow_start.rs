//! `steer_slow_start`: the share of a backend that has just connected.

use std::time::Duration;

use super::*;

const WINDOW: Duration = Duration::from_secs(30);

fn slow_start(name: &str, child: &str, config: Value) -> Channel {
    let child = json!([{child: config}]);
    let mut channel = Channel::with_seed("steer_slow_start", json!({"childPolicy": child}), 5);
    channel.target = format!("children slow start {name}");
    channel
}

/// The share of a backend in many picks, as a percentage of a fair share.
fn share(channel: &Channel, name: char) -> usize {
    let picks = channel.picks(4000);
    let backends = channel.alive().len();
    picks.matches(name).count() * backends * 100 / 4000
}

fn check(channel: &Channel) {
    channel.update("abcd").unwrap();
    channel.ready("abcd");
    // All start together, so none is spared.
    assert!((90..=110).contains(&share(channel, 'a')), "{}", share(channel, 'a'));
    channel.advance(WINDOW);
    channel.fail("d");
    channel.ready("d");
    for (seconds, fewest, most) in [(0, 0, 25), (15, 35, 65), (14, 85, 105), (2, 90, 110)] {
        channel.advance(Duration::from_secs(seconds));
        let share = share(channel, 'd');
        assert!((fewest..=most).contains(&share), "after {seconds} s more: {share} %");
    }
    // A new one.
    channel.update("abcde").unwrap();
    channel.ready("e");
    assert!(share(channel, 'e') <= 25);
    channel.advance(WINDOW);
    assert!((90..=110).contains(&share(channel, 'e')));
}

#[test]
fn calls_of_a_backend_that_starts_are_thinned_out() {
    check(&slow_start("1", "steer_round_robin", json!({})));
    check(&slow_start("2", "steer_random", json!({})));
    let static_weights = json!({"weights": {"z": 1}});
    check(&slow_start("3", "steer_weighted_round_robin", static_weights));
}

#[test]
fn least_request_gets_weights() {
    let channel = slow_start("4", "steer_least_request", json!({"failureAware": false}));
    channel.update("abcd").unwrap();
    channel.ready("abcd");
    channel.advance(WINDOW);
    channel.fail("d");
    channel.ready("d");
    // With a tenth of the weight, d loses each comparison of idle backends.
    assert_eq!(share(&channel, 'd'), 0);
    let picked = channel.connections_picked(100);
    assert_eq!(picked.len(), 3, "{picked:?}");
    channel.advance(WINDOW);
    assert!((90..=110).contains(&share(&channel, 'd')), "{}", share(&channel, 'd'));
    // No call was picked only to be let go: the counts are those of the calls.
    let abandoned: u64 =
        statistics::seen(&channel).backends.iter().filter_map(|backend| backend.abandoned).sum();
    assert_eq!(abandoned, 8100);
}

#[test]
fn a_backend_that_is_alone_gets_all_calls() {
    let channel = slow_start("5", "steer_round_robin", json!({}));
    channel.update("ab").unwrap();
    channel.ready("a");
    channel.fail("b");
    assert_eq!(channel.picks(4), "aaaa");
    channel.advance(WINDOW);
    channel.ready("b");
    assert!(share(&channel, 'b') <= 25);
    channel.fail("a");
    assert_eq!(channel.picks(4), "bbbb");
}

#[test]
fn a_policy_below_is_slowed_down_too() {
    let below = json!({"childPolicy": [{"steer_least_request": {"failureAware": false}}]});
    let channel = slow_start("6", "steer_subset", below);
    channel.update("abcd").unwrap();
    channel.ready("abcd");
    channel.advance(WINDOW);
    channel.fail("d");
    channel.ready("d");
    assert_eq!(share(&channel, 'd'), 0, "the weights go through");
}

#[test]
fn timers_run_only_while_a_backend_starts() {
    let channel = slow_start("7", "steer_round_robin", json!({}));
    let timers = || {
        let asked = channel.asked().into_iter();
        asked.filter(|asked| matches!(asked, support::Asked::StartTimer(_))).count()
    };
    channel.update("ab").unwrap();
    channel.ready("ab");
    channel.advance(WINDOW * 10);
    assert_eq!(timers(), 20);
    channel.advance(WINDOW * 10);
    assert_eq!(timers(), 0);
    channel.fail("a");
    channel.ready("a");
    channel.advance(WINDOW * 10);
    assert_eq!(timers(), 20);
}

#[test]
fn faults_of_the_config_say_what_to_do() {
    for (config, expected) in [
        (json!({"slowStartWindow": "0s"}), "slowStartWindow error:must be above 0s"),
        (json!({"aggression": 0}), "aggression error:must be above 0"),
        (json!({"minWeightPercent": 101}), "minWeightPercent error:must be from 0 to 100"),
    ] {
        let error = Channel::config_fault("steer_slow_start", config);
        assert!(error.contains(&format!("field:steer_slow_start.{expected}")), "{error}");
    }
}
