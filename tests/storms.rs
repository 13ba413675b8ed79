//! Storms of calls from many threads, while endpoints come, go and reconnect. Afterwards, no
//! backend has a call in flight.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use steer::calls::{Call, Metrics, TrackedSlot};
use steer::{Code, Status, stats};
use support::Channel;

const THREADS: u64 = 4;
const CALLS: usize = if cfg!(miri) { 50 } else { 5000 };

/// One call, which ends in a random way.
fn call(channel: &Channel, rng: &mut fastrand::Rng, kept: &mut Vec<TrackedSlot>) {
    let (_, Some(mut slot)) = channel.pick_for(Call::UNKNOWN) else { return };
    let code = *rng.choice(&[Code::Ok, Code::NotFound, Code::Cancelled]).unwrap();
    let finish = |slot: &mut TrackedSlot| {
        slot.call_mut().finish(&Status::new(code, ""), Some(&Metrics::default()));
    };
    match rng.u8(..7) {
        // Never started.
        0 => {}
        // Started and never finished.
        1 => slot.call_mut().start(),
        2 => {
            slot.call_mut().start();
            finish(&mut slot);
        }
        // A host that reports no start, and reports twice.
        3 => {
            finish(&mut slot);
            slot.call_mut().start();
            finish(&mut slot);
        }
        // Outlives its picker.
        4 => {
            slot.call_mut().start();
            kept.push(slot);
        }
        // The thread panics while it owns the call.
        5 => {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _slot = slot;
                std::panic::resume_unwind(Box::new("a panic of the application"));
            }));
            assert!(panicked.is_err());
        }
        // Ends on another thread.
        _ => std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut slot = slot;
                finish(&mut slot);
            });
        }),
    }
    if kept.len() > 20 {
        let mut slot = kept.swap_remove(rng.usize(..kept.len()));
        if rng.bool() {
            finish(&mut slot);
        }
    }
}

/// Calls on all threads, while endpoints change. At the end, `abcd` are READY and all calls have
/// ended.
fn storm(channel: &Channel) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(seed);
                    let mut kept = Vec::new();
                    for _ in 0..CALLS {
                        call(channel, &mut rng, &mut kept);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut rng = fastrand::Rng::with_seed(99);
            while !over.load(Ordering::Relaxed) {
                match rng.u8(..3) {
                    0 => {
                        let names = rng.choice(["abcd", "abcde", "dcba", "abcdd"]).unwrap();
                        channel.update(names).unwrap();
                    }
                    1 => channel.idle("a"),
                    _ => channel.ready("abcd"),
                }
            }
        });
        for thread in threads {
            thread.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    channel.update("abcd").unwrap();
    channel.ready("abcd");
    channel.asked();
}

/// A channel after a storm. Checks its statistics: no backend has a call in flight, and each picked
/// call has ended once.
fn after_a_storm(policy: &str, config: Value) -> Channel {
    let mut channel = Channel::with(policy, config);
    channel.target = format!("storm of {policy}");
    channel.update("abcd").unwrap();
    channel.ready("abcd");
    storm(&channel);
    let mut seen = stats::snapshot();
    seen.retain(|seen| seen.target == channel.target);
    let [seen] = &seen[..] else { panic!("one channel: {seen:?}") };
    assert_eq!(seen.backends.len(), 4);
    for backend in &seen.backends {
        assert_eq!(backend.in_flight, Some(0), "{backend:?}");
        let finished: u64 = backend.finished.iter().flatten().map(|(_, count)| count).sum();
        let ended = finished + backend.abandoned.unwrap();
        assert_eq!(backend.picks, Some(ended), "{backend:?}");
        assert!(finished > 0);
    }
    assert_eq!(channel.held_connections(), 4);
    channel
}

/// For a policy that compares all backends, and takes the first of equal ones. A new backend joins
/// the four. Calls go to all five in turn only if none of the four has a call in flight.
fn all_are_equal_after_a_storm(policy: &str, config: Value) {
    let channel = after_a_storm(policy, config);
    // What was learnt about them is long ago, and the connections are new.
    channel.advance(Duration::from_secs(1000));
    channel.idle("abcd");
    channel.ready("abcd");
    channel.update("abcdx").unwrap();
    channel.ready("x");
    let calls: Vec<_> = (0..10).map(|_| channel.start()).collect();
    let names: String = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, "abcdxabcdx");
}

#[test]
fn least_request_has_no_call_in_flight_after_a_storm() {
    all_are_equal_after_a_storm("steer_least_request", json!({"choiceCount": 10}));
}

#[test]
fn peak_ewma_has_no_call_in_flight_after_a_storm() {
    all_are_equal_after_a_storm("steer_peak_ewma", json!({"fullScanBelow": 10}));
}

#[test]
fn prequal_has_no_call_in_flight_after_a_storm() {
    all_are_equal_after_a_storm("steer_prequal", json!({}));
}

#[test]
fn a_child_has_no_call_in_flight_after_a_storm() {
    let child = json!([{"steer_slow_start": {"childPolicy": [{"steer_least_request": {}}]}}]);
    after_a_storm("steer_locality", json!({ "childPolicy": child }));
}

#[test]
fn weighted_round_robin_has_no_call_in_flight_after_a_storm() {
    // The policy does not count calls, so statistics must.
    steer::stats::track_calls(true);
    after_a_storm("steer_weighted_round_robin", json!({}));
}
