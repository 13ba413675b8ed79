//! How pickers distribute calls: chi-square tests at a significance of 0.1 %, each with a fixed
//! seed.
//!
//! With 100,000 picks over ten backends, such a test finds a share that is 7 % off (10.7 % of the
//! calls instead of 10 %) in more than 99 % of the cases.

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::Channel;
use support::statistics::{assert_shares, assert_uniform, chi_square};

const NAMES: &str = "abcdefghij";
const PICKS: usize = if cfg!(miri) { 200 } else { 100_000 };

fn channel(policy: &str, config: Value) -> Channel {
    let channel = Channel::with(policy, config);
    channel.seed(5);
    channel.update(NAMES).unwrap();
    channel.ready(NAMES);
    channel
}

/// How often each backend is picked, in the order of the names. Each call ends at once.
fn counts(channel: &Channel, picks: usize) -> Vec<u64> {
    let mut counts = BTreeMap::new();
    for _ in 0..picks {
        *counts.entry(channel.pick()).or_insert(0) += 1;
    }
    NAMES.chars().map(|name| counts.get(&name.to_string()).copied().unwrap_or(0)).collect()
}

#[test]
fn the_test_distinguishes_even_from_uneven() {
    // By the quantiles of the chi-square distribution with one and with three degrees of freedom.
    assert!((chi_square(&[60, 40], &[1.0, 1.0]) - 0.0455).abs() < 1e-4);
    assert!((chi_square(&[20, 30, 25, 25], &[1.0; 4]) - 0.5724).abs() < 1e-4);
    assert!((chi_square(&[300, 100], &[3.0, 1.0]) - 1.0).abs() < 1e-9);
    // A share that is 7 % off.
    let mut counts = vec![10_000; 10];
    counts[3] = 10_700;
    assert!(chi_square(&counts, &[1.0; 10]) < 0.001);
}

#[test]
fn random_is_uniform() {
    assert_uniform(&counts(&channel("steer_random", json!({})), PICKS));
}

#[test]
fn successive_random_picks_are_independent() {
    let channel = channel("steer_random", json!({}));
    let picks = channel.picks(PICKS);
    let mut pairs = BTreeMap::new();
    for pair in picks.as_bytes().chunks(2) {
        *pairs.entry(pair).or_insert(0) += 1;
    }
    assert_eq!(pairs.len(), 100);
    assert_uniform(&pairs.into_values().collect::<Vec<_>>());
}

#[test]
fn idle_backends_are_chosen_equally() {
    for (policy, config) in [
        ("steer_least_request", json!({})),
        ("steer_least_request", json!({"choiceCount": 3})),
        ("steer_least_request", json!({"choiceCount": 10})),
        ("steer_peak_ewma", json!({})),
        ("steer_peak_ewma", json!({"choiceCount": 5})),
        ("steer_peak_ewma", json!({"fullScanBelow": 10})),
        ("steer_prequal", json!({})),
        ("steer_prequal", json!({"poolSize": 3})),
    ] {
        assert_uniform(&counts(&channel(policy, config), PICKS));
    }
}

/// A busy backend is never the better one of two samples. Each other backend is chosen as the first
/// sample, or as the second after the busy one.
#[test]
fn busy_backends_are_skipped_and_the_others_are_chosen_equally() {
    for policy in ["steer_least_request", "steer_peak_ewma"] {
        let channel = channel(policy, json!({}));
        let (busy, call) = channel.start();
        let counts = counts(&channel, PICKS);
        drop(call);
        let others = NAMES.chars().zip(counts).filter(|(name, count)| {
            let is_busy = *name == busy.chars().next().unwrap();
            assert!(!is_busy || *count == 0, "{policy}");
            !is_busy
        });
        assert_uniform(&others.map(|(_, count)| count).collect::<Vec<_>>());
    }
}

/// If half of the backends are busy, both samples are busy in 5/10 × 4/9 of the picks.
#[test]
fn two_choices_find_an_idle_backend_as_often_as_expected() {
    for policy in ["steer_least_request", "steer_peak_ewma"] {
        let channel = channel(policy, json!({}));
        let mut busy: BTreeMap<String, _> = BTreeMap::new();
        while busy.len() < 5 {
            let (name, call) = channel.start();
            busy.entry(name).or_insert(call);
        }
        let counts = NAMES.chars().zip(counts(&channel, PICKS));
        let (busy, idle): (Vec<_>, Vec<_>) =
            counts.partition(|(name, _)| busy.contains_key(&name.to_string()));
        let sum = |of: &[(char, u64)]| of.iter().map(|(_, count)| *count).sum::<u64>();
        assert_shares(&[sum(&busy), sum(&idle)], &[2.0, 7.0]);
        for of in [busy, idle] {
            assert_uniform(&of.into_iter().map(|(_, count)| count).collect::<Vec<_>>());
        }
    }
}

#[test]
fn clients_begin_at_any_backend() {
    for policy in ["steer_round_robin", "steer_weighted_round_robin"] {
        let mut counts = BTreeMap::new();
        for seed in 0..if cfg!(miri) { 50 } else { 5000 } {
            let channel = Channel::with_seed(policy, json!({}), seed);
            channel.update("abcde").unwrap();
            channel.ready("abcde");
            *counts.entry(channel.pick()).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 5, "{policy}");
        assert_uniform(&counts.into_values().collect::<Vec<_>>());
    }
}

/// In weighted round robin, no share is off by more than one call in each generation.
#[test]
fn weighted_round_robin_is_more_even_than_chance() {
    let weights: serde_json::Map<String, Value> =
        NAMES.chars().zip(1..).map(|(name, weight)| (name.to_string(), json!(weight))).collect();
    let channel = channel("steer_weighted_round_robin", json!({"weights": weights}));
    // 550 picks are ten rounds of 55. In them, each backend's count is its weight × 10, to within
    // 2.
    for _ in 0..PICKS / 550 {
        for (count, weight) in counts(&channel, 550).into_iter().zip(1..) {
            assert!(count.abs_diff(10 * weight) <= 2, "{count} of weight {weight}");
        }
    }
}

#[test]
fn each_thread_follows_the_weights() {
    let weights =
        json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10});
    let channel = channel("steer_weighted_round_robin", json!({"weights": weights}));
    let threads = 4;
    let picks = PICKS / 10;
    let of_threads: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| counts(&channel, picks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let shares: Vec<f64> = (1..=10).map(f64::from).collect();
    for counts in of_threads {
        assert_shares(&counts, &shares);
    }
}
