//! `steer_random`: exact choices, and its config.

mod support;

use serde_json::json;
use support::Channel;

fn channel(names: &str) -> Channel {
    let channel = Channel::with("steer_random", json!({}));
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

#[test]
fn the_hosts_random_number_decides_the_choice() {
    let channel = channel("abcd");
    let choice = |random: u64| {
        channel.set_random(random);
        channel.pick()
    };
    let quarter = 1 << 62;
    assert_eq!([0, 1, quarter - 1].map(choice), ["a", "a", "a"]);
    assert_eq!([quarter, 2 * quarter, 3 * quarter, u64::MAX].map(choice), ["b", "c", "d", "d"]);
}

#[test]
fn a_seed_gives_one_sequence() {
    let channel = channel("abcd");
    let sequence = |seed| {
        channel.seed(seed);
        channel.picks(20)
    };
    assert_eq!(sequence(1), "ccadadddcaaaadabcccc");
    assert_eq!(sequence(2), "adcbcbbdaccacacbadbb");
    assert_eq!(sequence(1), sequence(1));
}

#[test]
fn only_ready_backends_are_chosen() {
    let channel = channel("abcd");
    channel.seed(1);
    channel.fail("b");
    channel.idle("d");
    assert!(channel.picks(100).chars().all(|name| "ac".contains(name)));
    channel.update("c").unwrap();
    assert_eq!(channel.picks(3), "ccc");
}

#[test]
fn calls_are_not_tracked_and_a_config_has_no_fields() {
    let channel = channel("a");
    assert!(channel.pick_for(steer::calls::Call::UNKNOWN).1.is_none());
    let fault = Channel::config_fault("steer_random", json!([]));
    let expected = "[field:steer_random error:is not an object]";
    assert!(fault.ends_with(expected), "{fault}");
}
