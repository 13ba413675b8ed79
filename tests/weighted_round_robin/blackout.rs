//! The blackout period: what begins one, and what does not.

use super::*;

#[test]
fn a_new_connection_starts_a_blackout() {
    let channel = channel(json!({}), "abc");
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5), ("c", 0.5)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
    channel.idle("a");
    channel.ready("a");
    // `a` gets the mean of the others, so all are equal.
    assert_eq!(shares(&channel, 6000), [('a', 2000), ('b', 2000), ('c', 2000)].into());
    report_with_calls(&channel, &[("a", 1.0)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
}

/// A channel whose backends have weights 1, 2 and 2 by their reports.
fn weighted() -> Channel {
    let channel = channel(json!({}), "abc");
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5), ("c", 0.5)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
    channel
}

#[test]
fn a_changed_description_starts_no_blackout() {
    // What hosts report of an endpoint that they made again.
    let reports: [&[Connectivity]; 3] =
        [&[Ready], &[Connecting, Ready], &[Idle, Connecting, Ready]];
    for states in reports {
        let channel = weighted();
        for name in "abcabcabc".chars() {
            channel.change_args_of(name);
            channel.update("abc").unwrap();
            report_newest(&channel, name, states);
            assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
        }
    }
}

#[test]
fn changed_channel_args_start_no_blackout() {
    let channel = weighted();
    // The first endpoint that is READY again ends all former ones.
    for first in ["abc", "bca", "cab"] {
        channel.change_args();
        channel.update("abc").unwrap();
        channel.report_first();
        first.chars().for_each(|name| report_newest(&channel, name, &[Ready]));
        assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
    }
    // A further change comes before the others are READY again.
    channel.change_args();
    channel.update("abc").unwrap();
    report_newest(&channel, 'c', &[Ready]);
    channel.change_args();
    channel.update("abc").unwrap();
    "abc".chars().for_each(|name| report_newest(&channel, name, &[Connecting, Ready]));
    assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
}

#[test]
fn a_connection_that_is_lost_after_its_description_changed_starts_a_blackout() {
    let equal: BTreeMap<char, usize> = [('a', 2000), ('b', 2000), ('c', 2000)].into();
    let (lost_later, lost_at_once) = ([Ready, Idle, Ready], [TransientFailure, Ready]);
    for states in [&lost_later[..], &lost_at_once] {
        let channel = weighted();
        channel.change_args();
        channel.update("abc").unwrap();
        "bc".chars().for_each(|name| report_newest(&channel, name, &[Ready]));
        report_newest(&channel, 'a', states);
        assert_eq!(shares(&channel, 6000), equal, "{states:?}");
    }
    // The former endpoint loses its connection first.
    let channel = weighted();
    channel.change_args();
    channel.update("abc").unwrap();
    channel.report_state(channel.ids('a')[0], Idle);
    "bca".chars().for_each(|name| report_newest(&channel, name, &[Connecting, Ready]));
    assert_eq!(shares(&channel, 6000), equal);
}

#[test]
fn a_backend_that_is_listed_twice_has_a_new_connection_when_all_were_lost() {
    let channel = channel(json!({}), "aba");
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5)]);
    channel.advance(s(10));
    let ids = channel.ids('a');
    channel.report_state(ids[0], Idle);
    channel.report_state(ids[0], Ready);
    assert_eq!(shares(&channel, 3000), [('a', 1000), ('b', 2000)].into());
    for id in &ids {
        channel.report_state(*id, Idle);
    }
    for id in &ids {
        channel.report_state(*id, Ready);
    }
    assert_eq!(shares(&channel, 3000), [('a', 1500), ('b', 1500)].into());
}
