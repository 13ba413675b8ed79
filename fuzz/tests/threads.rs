//! Threads that pick and finish calls during updates. This is the stress test of tests/grpc/stress,
//! small enough for Miri. Miri finds undefined behaviour, and data races in the executions that it
//! runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use steer_fuzz::{Channel, HeldPicker, Picked};

/// Enough for the threads to interleave. Miri takes seconds for each round.
const ROUNDS: u8 = if cfg!(miri) { 2 } else { 200 };

/// Ends the other threads, even if this one panics.
struct EndOthers<'a>(&'a AtomicBool);

impl Drop for EndOthers<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The counts of all threads.
#[derive(Default)]
struct Counts {
    picks: AtomicU64,
    sent: AtomicU64,
}

/// Picks until `over`. Half of the calls end here, the others on another thread, after their
/// picker.
fn pick_calls(
    pickers: impl Fn() -> Option<Arc<HeldPicker>>,
    number: u64,
    over: &AtomicBool,
    counts: &Counts,
    ended: &mpsc::Sender<Picked>,
) {
    let mut picks = 0_u64;
    while !over.load(Ordering::Relaxed) {
        let Some(picker) = pickers() else {
            thread::yield_now();
            continue;
        };
        let picked = picker.pick(&picks.to_le_bytes(), picks);
        counts.picks.fetch_add(1, Ordering::Relaxed);
        if !matches!(picked, Picked::Other) {
            counts.sent.fetch_add(1, Ordering::Relaxed);
        }
        picked.start();
        if (picks + number) % 2 == 0 {
            picked.finish(14, b"");
        } else {
            let _ = ended.send(picked);
        }
        drop(picker);
        picks += 1;
        thread::yield_now();
    }
}

/// Ends three of four calls, and abandons the others.
fn end_calls(calls: mpsc::Receiver<Picked>) {
    for (number, call) in calls.iter().enumerate() {
        if number % 4 != 0 {
            call.finish(0, b"");
        }
    }
}

/// One round of updates and reports. `wait_for_picks` lets the other threads pick.
fn update(channel: &Channel, config: &[u8], round: u8, wait_for_picks: impl Fn()) {
    // An endpoint leaves, one comes, the others stay, and the order changes.
    let list = [round % 5, (round + 1) % 5, (round + 2) % 5];
    channel.update(&list, config);
    wait_for_picks();
    // Ring hash connects for picks.
    channel.run_later();
    channel.make_ready();
    wait_for_picks();
    for state in [0, 3, 2] {
        channel.report(channel.endpoints().saturating_sub(1), state);
    }
    channel.pass(Duration::from_secs(1));
    channel.run_timers();
}

fn stress(policy: &'static str, config: &[u8]) {
    let channel = Channel::new(policy);
    let (over, counts) = (AtomicBool::new(false), Counts::default());
    let (ended, calls) = mpsc::channel::<Picked>();
    thread::scope(|scope| {
        let mut others = Vec::new();
        for number in 0..2 {
            let (pickers, ended) = (channel.pickers(), ended.clone());
            let (over, counts) = (&over, &counts);
            others.push(scope.spawn(move || pick_calls(pickers, number, over, counts, &ended)));
        }
        drop(ended);
        others.push(scope.spawn(move || end_calls(calls)));
        let end = EndOthers(&over);
        let wait_for_picks = || {
            let before = counts.picks.load(Ordering::Relaxed);
            while counts.picks.load(Ordering::Relaxed) < before + 3 {
                thread::yield_now();
            }
        };
        for round in 0..ROUNDS {
            update(&channel, config, round, wait_for_picks);
        }
        drop(end);
        // The scope waits for the closures, not for the threads. Miri rejects a process that ends
        // before its threads.
        for other in others {
            other.join().expect("no thread panics");
        }
    });
    assert_ne!(counts.sent.load(Ordering::Relaxed), 0);
    channel.check();
}

#[test]
fn round_robin() {
    stress("steer_round_robin", b"{}");
}

#[test]
fn weighted_round_robin() {
    stress("steer_weighted_round_robin", br#"{"blackoutPeriod":"0s"}"#);
}

#[test]
fn least_request() {
    stress("steer_least_request", b"{}");
}

#[test]
fn peak_ewma() {
    stress("steer_peak_ewma", b"{}");
}

#[test]
fn prequal() {
    stress("steer_prequal", br#"{"enableOobLoadReport":true}"#);
}

#[test]
fn ring_hash() {
    let config = br#"{"requestHashHeader":"user","minRingSize":8,"hashBalanceFactor":125}"#;
    stress("steer_ring_hash", config);
}

#[test]
fn maglev() {
    let config = br#"{"requestHashHeader":"user","tableSize":11,"hashBalanceFactor":125}"#;
    stress("steer_maglev", config);
}
