//! Counts of calls.

use super::*;

#[test]
fn calls_are_not_tracked_for_statistics_by_default() {
    let _tracking = Tracking::set(false);
    let channel = channel("untracked", "steer_round_robin", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    // A thread's first turn takes the slow path.
    channel.pick();
    assert!(channel.picker().next_in_rotation().is_some(), "the fast path is used");
    let seen = seen("untracked").remove(0);
    assert!(!seen.calls_tracked);
    let a = &seen.backends[0];
    assert_eq!((a.picks, a.in_flight, &a.finished, &a.latency_seconds), (None, None, &None, &None));
}

#[test]
fn every_policy_tracks_calls_when_it_is_turned_on() {
    let _tracking = Tracking::set(true);
    for policy in steer::policies::registry().names() {
        let target = format!("tracked {policy}");
        let channel = channel(&target, &policy, json!({}));
        channel.update("a").unwrap();
        if channel.ids('a').is_empty() {
            // This policy connects only for calls.
            assert_eq!(pick_hashed(&channel).0, "queue", "{policy}");
            channel.runner.run();
        }
        channel.ready("a");
        drop(pick_hashed(&channel));
        call(&channel);
        let seen = seen(&target).remove(0);
        assert!(seen.calls_tracked, "{policy}");
        let a = &seen.backends[0];
        // One of these is the pick before `call`.
        let counts = (a.picks, a.in_flight, a.abandoned);
        assert_eq!(counts, (Some(6), Some(1), Some(2)), "{policy}");
        assert_eq!(a.finished, Some(vec![(Code::Ok, 2), (Code::Unavailable, 1)]), "{policy}");
        assert_eq!(a.latency_seconds.as_ref().map(|latency| latency.count), Some(3), "{policy}");
    }
}

#[test]
fn tracking_begins_and_ends_with_the_next_picker() {
    let tracking = Tracking::set(false);
    let channel = channel("switched", "steer_round_robin", json!({}));
    channel.update("ab").unwrap();
    channel.ready("a");
    stats::track_calls(true);
    assert!(channel.pick_for(Call::UNKNOWN).1.is_none());
    channel.ready("b");
    assert_eq!(channel.picked(4), "aabb");
    let picks = || -> Vec<_> { backends("switched").iter().map(|one| one.picks).collect() };
    assert_eq!(picks(), [Some(2), Some(2)]);
    stats::track_calls(false);
    assert_eq!(channel.picked(2), "ab");
    assert_eq!(picks(), [Some(3), Some(3)]);
    channel.ready("b");
    channel.picks(2);
    assert_eq!(picks(), [None, None]);
    drop(tracking);
}

#[test]
fn counts_never_decrease_while_calls_come_and_end() {
    use std::thread;
    let channel = channel("storm", "steer_least_request", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    let picker = channel.picker();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let pick = picker.pick(Call::UNKNOWN);
                        let Pick::Tracked(mut slot) = pick else { panic!() };
                        slot.call_mut().finish(&Status::OK, None);
                    }
                })
            })
            .collect();
        let mut last = 0;
        while calls.iter().any(|calls| !calls.is_finished()) {
            let a = backends("storm").remove(0);
            let picks = a.picks.unwrap();
            assert!(picks >= last && picks <= 40_000, "{picks} after {last}");
            last = picks;
        }
    });
    let a = backends("storm").remove(0);
    assert_eq!((a.picks, a.in_flight), (Some(40_000), Some(0)));
    assert_eq!(a.finished, Some(vec![(Code::Ok, 40_000)]));
}
