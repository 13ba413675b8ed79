//! Threads that pick and finish calls against updates: the stress test of tests/grpc/stress, small enough for
//! Miri, which sees what is undefined and every race in the order of events that it goes through.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use steer_fuzz::{Channel, Picked};

const ROUNDS: u8 = if cfg!(miri) { 3 } else { 200 };

/// Ends the other threads, also when this one panics.
struct EndOthers<'a>(&'a AtomicBool);

impl Drop for EndOthers<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn stress(policy: &'static str, config: &[u8]) {
    let channel = Channel::new(policy);
    let (over, all_picks, sent) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (ended, calls) = mpsc::channel::<Picked>();
    thread::scope(|scope| {
        let mut others = Vec::new();
        for number in 0..2 {
            let (pickers, ended) = (channel.pickers(), ended.clone());
            let (over, all_picks, sent) = (&over, &all_picks, &sent);
            others.push(scope.spawn(move || {
                let mut picks = 0_u64;
                while !over.load(Ordering::Relaxed) {
                    let Some(picker) = pickers() else {
                        thread::yield_now();
                        continue;
                    };
                    let picked = picker.pick(&picks.to_le_bytes(), picks);
                    all_picks.fetch_add(1, Ordering::Relaxed);
                    if !matches!(picked, Picked::Other) {
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    picked.start();
                    // Half of them end where they were picked, the others after their picker.
                    if (picks + number) % 2 == 0 {
                        picked.finish(14, b"");
                    } else {
                        let _ = ended.send(picked);
                    }
                    drop(picker);
                    picks += 1;
                    thread::yield_now();
                }
            }));
        }
        drop(ended);
        others.push(scope.spawn(move || {
            for (number, call) in calls.iter().enumerate() {
                if number % 4 != 0 {
                    call.finish(0, b"");
                }
            }
        }));
        let end = EndOthers(&over);
        let let_them_pick = || {
            let before = all_picks.load(Ordering::Relaxed);
            while all_picks.load(Ordering::Relaxed) < before + 3 {
                thread::yield_now();
            }
        };
        for round in 0..ROUNDS {
            // One leaves, one comes, one stays; and the order changes.
            let list = [round % 5, (round + 1) % 5, (round + 2) % 5];
            channel.update(&list, config);
            let_them_pick();
            // Ring hash connects what picks have asked for.
            channel.run_later();
            channel.make_ready();
            let_them_pick();
            for state in [0, 3, 2] {
                channel.report(channel.endpoints().saturating_sub(1), state);
            }
            channel.pass(Duration::from_secs(1));
            channel.run_timers();
        }
        drop(end);
        // The scope waits for what they do, not for the threads themselves, and Miri refuses a process that ends before its
        // threads.
        for other in others {
            other.join().expect("no thread panics");
        }
    });
    assert_ne!(sent.load(Ordering::Relaxed), 0);
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
fn ring_hash() {
    let config = br#"{"requestHashHeader":"user","minRingSize":8,"hashBalanceFactor":125}"#;
    stress("steer_ring_hash", config);
}

#[test]
fn maglev() {
    let config = br#"{"requestHashHeader":"user","tableSize":11,"hashBalanceFactor":125}"#;
    stress("steer_maglev", config);
}
