//! Outcomes that look like those of simulations, made up by a few formulas and a random number
//! generator with a fixed seed.

#![allow(dead_code, reason = "each test uses a part of these")]

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, Normal};
use steer_sim::outcome::{Intervals, Latency, LimitOutcome, Outcome, Server, Unit};

/// What an outcome shall look like.
#[derive(Clone)]
pub struct Sample {
    pub scenario: &'static str,
    pub title: &'static str,
    pub look_for: &'static str,
    pub policy: &'static str,
    pub seed: u64,
    pub duration: f64,
    pub warm_up: f64,
    /// The groups of servers: their names and sizes. The last one is odd.
    pub groups: &'static [(&'static str, usize)],
    /// The share of attempts that goes to the odd group.
    pub odd_share: f64,
    /// The median latency of the others.
    pub median: f64,
    pub errors: f64,
    pub calls_per_second: f64,
}

impl Sample {
    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let calls = (self.calls_per_second * (self.duration - self.warm_up)) as u64;
        let attempts = calls + calls / 50;
        let failed = (self.errors * calls as f64) as u64;
        Outcome {
            scenario: self.scenario.to_string(),
            title: self.title.to_string(),
            look_for: self.look_for.to_string(),
            policy: self.policy.to_string(),
            config: serde_json::json!({"choiceCount": 2}),
            seed: self.seed,
            duration: self.duration,
            warm_up: self.warm_up,
            calls,
            unfinished: calls / 10_000,
            statuses: BTreeMap::from([
                ("OK".to_string(), calls - failed),
                ("UNAVAILABLE".to_string(), failed),
            ]),
            errors: self.errors,
            attempts,
            latency: self.latency(calls, &mut random),
            servers: self.servers(attempts, &mut random),
            intervals: self.intervals(&mut random),
            calls_in_system: self.calls_per_second * self.median,
            calls_at_server: vec![0.6, 0.3, 0.1],
            log: BTreeMap::from([("1 of 30 servers <ejected>".to_string(), 1 + self.seed)]),
            limits: self.limits(),
        }
    }

    fn latency(&self, calls: u64, random: &mut fastrand::Rng) -> Latency {
        if calls == 0 {
            return Latency::default();
        }
        let normal = Normal::standard();
        let shift = 0.95 + random.f64() / 10.0;
        let at = |quantile: f64| {
            let usual = self.median * shift * (0.35 * normal.inverse_cdf(quantile)).exp();
            let tail = quantile - (1.0 - self.odd_share);
            if tail > 0.0 { usual + 0.08 + 0.1 * tail } else { usual }
        };
        let mut quantiles: Vec<f64> = (1..50).map(|step| f64::from(step) / 50.0).collect();
        for nines in 1..=4 {
            let left = 0.1_f64.powi(nines);
            quantiles.extend((1..=9).map(|step| 1.0 - left * f64::from(10 - step) / 10.0));
        }
        quantiles.extend([0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]);
        quantiles.sort_by(f64::total_cmp);
        quantiles.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
        Latency {
            mean: at(0.55),
            max: at(0.99999),
            quantiles: quantiles.into_iter().map(|quantile| (quantile, at(quantile))).collect(),
        }
    }

    fn servers(&self, attempts: u64, random: &mut fastrand::Rng) -> Vec<Server> {
        let mut servers = Vec::new();
        let last = self.groups.len() - 1;
        for (index, (group, count)) in self.groups.iter().enumerate() {
            let share = match (index == last, last) {
                (_, 0) => 1.0,
                (true, _) => self.odd_share,
                (false, _) => (1.0 - self.odd_share) / last as f64,
            };
            for number in 1..=*count {
                let name =
                    if *count == 1 { group.to_string() } else { format!("{group}-{number}") };
                let noise = if *count == 1 { 1.0 } else { 0.9 + random.f64() / 5.0 };
                let share = if attempts == 0 { 0.0 } else { share / *count as f64 * noise };
                servers.push(Server {
                    name,
                    group: group.to_string(),
                    zone: ["a", "b", "c"][number % 3].to_string(),
                    attempts: (attempts as f64 * share) as u64,
                    share,
                    failed: (attempts as f64 * share * self.errors) as u64,
                    most_in_flight: 4 + random.u64(0..20),
                    in_flight_at_end: random.u64(0..4),
                    longest_queue: random.u64(0..12),
                    utilization: 0.4 + random.f64() / 3.0,
                    most_connections: 50,
                });
            }
        }
        servers
    }

    fn intervals(&self, random: &mut fastrand::Rng) -> Intervals {
        let count = self.duration.ceil() as usize;
        let busy = self.calls_per_second > 0.0;
        let mut noisy = |value: f64| (value * (0.93 + 0.14 * random.f64())) as u64;
        let calls: Vec<u64> = (0..count).map(|_| noisy(self.calls_per_second)).collect();
        // The odd servers fail, or slow down, in the middle of the simulation.
        let odd = |index: usize| (count / 3..2 * count / 3).contains(&index);
        let errors = (0..count)
            .map(
                |index| {
                    if odd(index) { noisy(self.calls_per_second * self.errors * 3.0) } else { 0 }
                },
            )
            .collect();
        let in_flight =
            calls.iter().map(|calls| noisy(*calls as f64 * self.median * 1.4)).collect();
        let last = self.groups.len() - 1;
        let attempts = (0..=last)
            .map(|group| {
                let share = |index: usize| {
                    let odd_share = if last == 0 {
                        1.0
                    } else if odd(index) {
                        self.odd_share
                    } else {
                        1.0 / (last + 1) as f64
                    };
                    if group == last { odd_share } else { (1.0 - odd_share) / last as f64 }
                };
                (0..count).map(|index| noisy(calls[index] as f64 * share(index))).collect()
            })
            .collect();
        let p99 = |index: usize| match busy {
            true => self.median * 2.4 + if odd(index) { self.odd_share } else { 0.0 },
            false => 0.0,
        };
        Intervals {
            width: 1.0,
            p50: vec![if busy { self.median } else { 0.0 }; count],
            p99: (0..count).map(|index| p99(index) * (0.9 + random.f64() / 5.0)).collect(),
            connections: vec![if busy { 1500 } else { 0 }; count],
            groups: self.groups.iter().map(|(group, _)| group.to_string()).collect(),
            calls,
            errors,
            in_flight,
            attempts,
        }
    }

    fn limits(&self) -> Vec<LimitOutcome> {
        let limit =
            |line, words: &str, unit, [measured, limit]: [f64; 2], not_yet: &str| LimitOutcome {
                words: words.to_string(),
                measured,
                unit,
                limit,
                kept: measured <= limit,
                not_yet: not_yet.to_string(),
                line,
            };
        let not_yet = match self.policy {
            "round_robin" => "it does not look at latency",
            _ => "",
        };
        vec![
            limit(
                40,
                "share of odd from 20s to 40s at most 1%",
                Unit::Share,
                [self.odd_share, 0.01],
                not_yet,
            ),
            limit(44, "p99 latency at most 25ms", Unit::Time, [self.median * 2.3, 0.025], ""),
            limit(48, "errors at most 0.1%", Unit::Share, [self.errors, 0.001], ""),
        ]
    }
}

/// A fleet without anything odd, for tests that change it.
pub fn usual() -> Sample {
    Sample {
        scenario: "usual",
        title: "Thirty servers",
        look_for: "Nothing in particular.",
        policy: "round_robin",
        seed: 1,
        duration: 20.0,
        warm_up: 2.0,
        groups: &[("usual", 27), ("odd", 3)],
        odd_share: 0.0,
        median: 0.01,
        errors: 0.0,
        calls_per_second: 500.0,
    }
}

/// A fleet with a few slow servers, and several policies with three seeds each.
pub fn slow_servers() -> Vec<Outcome> {
    let policies = [
        ("round_robin", 0.1, 0.0102, 0.0),
        ("steer_least_request", 0.03, 0.0098, 0.0),
        ("steer_peak_ewma", 0.006, 0.0097, 0.0),
        ("weighted_round_robin", 0.05, 0.0121, 0.004),
        ("steer_outlier_detection", 0.0004, 0.0125, 0.0002),
    ];
    let mut outcomes = Vec::new();
    for (policy, odd_share, median, errors) in policies {
        for seed in 1..=3 {
            let sample = Sample {
                scenario: "slow-servers",
                title: "Three of thirty servers become slow",
                look_for: "How fast a policy notices that three servers have become ten times as \
                           slow, how much of the load it keeps on them, and whether it returns \
                           when they recover.",
                policy,
                seed,
                duration: 60.0,
                warm_up: 5.0,
                groups: &[("usual", 27), ("odd", 3)],
                odd_share: odd_share * (1.0 + seed as f64 / 50.0),
                median,
                errors,
                calls_per_second: 2_400.0,
            };
            outcomes.push(sample.outcome());
        }
    }
    outcomes
}

/// One policy, one server, one seed.
pub fn one_server() -> Outcome {
    let sample = Sample {
        scenario: "one-server",
        title: "One server & <one> \"client\"",
        look_for: "Nothing: there is no choice.",
        policy: "pick_first",
        seed: 1,
        duration: 600.0,
        warm_up: 0.0,
        groups: &[("only", 1)],
        odd_share: 0.0,
        median: 0.000_4,
        errors: 0.0,
        calls_per_second: 90.0,
    };
    Outcome { limits: Vec::new(), log: BTreeMap::new(), ..sample.outcome() }
}

/// A thousand servers in four groups.
pub fn thousand_servers() -> Vec<Outcome> {
    let policy = |policy, odd_share| {
        let sample = Sample {
            scenario: "thousand",
            title: "A thousand servers in three zones",
            look_for: "Whether subsets of the servers get the same load.",
            policy,
            seed: 1,
            duration: 30.0,
            warm_up: 2.0,
            groups: &[
                ("west", 400),
                ("east", 300),
                ("north", 290),
                ("canary-of-the-new-version", 10),
            ],
            odd_share,
            median: 0.004,
            errors: 0.0,
            calls_per_second: 150_000.0,
        };
        sample.outcome()
    };
    vec![policy("round_robin", 0.01), policy("steer_ring_hash", 0.04)]
}

/// Nine policies, three of them the same with different configs. Their latencies have very
/// different sizes.
pub fn many_policies() -> Vec<Outcome> {
    let policies = [
        "round_robin",
        "pick_first",
        "steer_ring_hash",
        "steer_least_request",
        "steer_least_request",
        "steer_peak_ewma",
        "weighted_round_robin",
        "a_policy_with_a_name_that_is_longer_than_a_phone_is_wide",
        "steer_least_request",
    ];
    let outcome = |(index, policy): (usize, &&'static str)| {
        let size = 10_f64.powi(index as i32 - 6);
        let sample = Sample {
            scenario: "many-policies",
            title: "Nine policies",
            look_for: "Whether the report has room for all of them.",
            policy,
            seed: 1,
            duration: 0.5,
            warm_up: 0.1,
            odd_share: 0.001,
            median: 0.01 * size,
            calls_per_second: 100_000.0 / size,
            ..usual()
        };
        let settings = "x".repeat(9 * index);
        let config = serde_json::json!({"choiceCount": index, "settings": settings});
        Outcome { config, ..sample.outcome() }
    };
    policies.iter().enumerate().map(outcome).collect()
}

/// Nothing happens: no calls, no attempts.
pub fn no_calls() -> Outcome {
    let sample = Sample {
        scenario: "no-calls",
        title: "No calls",
        look_for: "",
        policy: "round_robin",
        seed: 7,
        duration: 5.0,
        warm_up: 1.0,
        groups: &[("usual", 3)],
        odd_share: 0.0,
        median: 0.0,
        errors: 0.0,
        calls_per_second: 0.0,
    };
    Outcome { limits: Vec::new(), ..sample.outcome() }
}

/// Nothing at all: no servers, no intervals.
pub fn empty() -> Outcome {
    Outcome {
        scenario: "empty".to_string(),
        title: "No servers".to_string(),
        duration: 0.0,
        warm_up: 0.0,
        servers: Vec::new(),
        intervals: Intervals::default(),
        log: BTreeMap::new(),
        ..no_calls()
    }
}

/// All of these.
pub fn all() -> Vec<Outcome> {
    let mut outcomes = slow_servers();
    outcomes.push(one_server());
    outcomes.extend(thousand_servers());
    outcomes.extend(many_policies());
    outcomes.extend([no_calls(), empty()]);
    outcomes
}
