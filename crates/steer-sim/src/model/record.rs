//! Counts what happens in a run, and makes its outcome.
//!
//! Must not depend on: why it happens.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use steer::Code;

use super::events::Time;
use super::watch::Watch;
use crate::outcome::{Intervals, Latency, Outcome, Server};
use crate::scenario::Scenario;

/// The number of intervals in [`Intervals`].
const INTERVALS: u64 = 100;

/// The numbers of calls at a server that are told apart.
const MOST_PRESENT: usize = 64;

/// Latencies from a microsecond to three hours, with an error of at most 0.1 %.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 3 * 3_600_000_000_000, 3).expect("the bounds are in order")
}

/// What has happened so far.
pub(super) struct Record {
    warm_up: Time,
    width: Time,
    calls: u64,
    attempts: u64,
    statuses: [u64; Code::ALL.len()],
    /// Calls that their callers cancelled.
    cancelled: u64,
    latency: Histogram<u64>,
    latency_of_interval: Histogram<u64>,
    intervals: Intervals,
    in_flight: u64,
    connections: u64,
    /// Calls that have begun and not ended, when that changed last, and the time that all calls
    /// have spent in the system since the warm-up.
    in_system: (u64, Time, u128),
    /// For each number of calls, how long servers had it. The last entry is for more, too.
    presence: [Time; MOST_PRESENT],
    servers: Vec<OfServer>,
    pub(super) watches: Vec<Watch>,
    pub(super) log: BTreeMap<String, u64>,
}

/// What has happened at one server.
#[derive(Clone, Debug, Default)]
struct OfServer {
    group: usize,
    attempts: u64,
    failed: u64,
    in_flight: u64,
    most_in_flight: u64,
    longest_queue: u64,
    service: Time,
    connections: u64,
    most_connections: u64,
}

impl Record {
    /// `groups` has the group of each server.
    pub(super) fn new(scenario: &Scenario, groups: &[usize], watches: Vec<Watch>) -> Record {
        let duration = super::chance::in_ns(scenario.duration);
        let width = duration.div_ceil(INTERVALS).max(1);
        let group_names = scenario.servers.iter().map(|group| group.name.clone()).collect();
        let intervals = Intervals {
            width: width as f64 / 1e9,
            groups: group_names,
            attempts: vec![Vec::new(); scenario.servers.len()],
            ..Intervals::default()
        };
        let mut record = Record {
            warm_up: super::chance::in_ns(scenario.warm_up),
            width,
            calls: 0,
            attempts: 0,
            statuses: [0; Code::ALL.len()],
            cancelled: 0,
            latency: histogram(),
            latency_of_interval: histogram(),
            intervals,
            in_flight: 0,
            connections: 0,
            in_system: (0, 0, 0),
            presence: [0; MOST_PRESENT],
            servers: groups
                .iter()
                .map(|group| OfServer { group: *group, ..OfServer::default() })
                .collect(),
            watches,
            log: BTreeMap::new(),
        };
        record.begin_interval();
        record
    }

    /// The width of an interval.
    pub(super) fn width(&self) -> Time {
        self.width
    }

    fn begin_interval(&mut self) {
        self.intervals.calls.push(0);
        self.intervals.errors.push(0);
        self.intervals.attempts.iter_mut().for_each(|attempts| attempts.push(0));
    }

    /// An interval ends. Another one begins, unless this was the last.
    pub(super) fn end_interval(&mut self, last: bool) {
        let quantile = |q: f64| self.latency_of_interval.value_at_quantile(q) as f64 / 1e9;
        let some = !self.latency_of_interval.is_empty();
        self.intervals.p50.push(if some { quantile(0.5) } else { 0.0 });
        self.intervals.p99.push(if some { quantile(0.99) } else { 0.0 });
        self.intervals.in_flight.push(self.in_flight);
        self.intervals.connections.push(self.connections);
        if some {
            self.latency_of_interval.reset();
        }
        if !last {
            self.begin_interval();
        }
    }

    /// A call begins.
    pub(super) fn call_began(&mut self, now: Time) {
        self.calls += u64::from(now >= self.warm_up);
        self.pass_in_system(now);
        self.in_system.0 += 1;
        add_one(&mut self.intervals.calls);
        self.watches.iter_mut().for_each(|watch| watch.call_began(now));
    }

    /// A call that began at this time ends.
    pub(super) fn call_ended(&mut self, began: Time, now: Time, code: Code, by_caller: bool) {
        let latency = now - began;
        self.pass_in_system(now);
        self.in_system.0 -= 1;
        self.latency_of_interval.saturating_record(latency);
        let failed = code != Code::Ok && !by_caller;
        if failed {
            add_one(&mut self.intervals.errors);
        }
        if began >= self.warm_up {
            self.latency.saturating_record(latency);
            self.statuses[code as usize] += 1;
            self.cancelled += u64::from(by_caller);
        }
        for watch in &mut self.watches {
            watch.call_ended(began, latency, failed, by_caller);
        }
    }

    fn pass_in_system(&mut self, now: Time) {
        let (calls, since, spent) = &mut self.in_system;
        let since = std::mem::replace(since, now).max(self.warm_up);
        *spent += u128::from(*calls) * u128::from(now.saturating_sub(since));
    }

    /// A server has had so many calls between these times.
    pub(super) fn present(&mut self, calls: u64, since: Time, now: Time) {
        let time = now.saturating_sub(since.max(self.warm_up));
        self.presence[(calls as usize).min(MOST_PRESENT - 1)] += time;
    }

    /// The share of the time in which servers had at least 1, 2, … calls.
    fn calls_at_server(&self) -> Vec<f64> {
        let all: Time = self.presence.iter().sum();
        let mut at_least = all;
        let mut shares = Vec::new();
        for time in &self.presence {
            at_least -= time;
            if at_least == 0 {
                break;
            }
            shares.push(share(at_least, all));
        }
        shares
    }

    /// An attempt at a call is sent to a server.
    pub(super) fn attempt_sent(&mut self, server: u32, began: Time, now: Time) {
        let of_server = &mut self.servers[server as usize];
        self.in_flight += 1;
        of_server.in_flight += 1;
        if began >= self.warm_up {
            self.attempts += 1;
            of_server.attempts += 1;
        }
        if now >= self.warm_up {
            of_server.most_in_flight = of_server.most_in_flight.max(of_server.in_flight);
        }
        add_one(&mut self.intervals.attempts[of_server.group]);
        for watch in &mut self.watches {
            watch.attempt_sent(server, now, of_server.in_flight);
        }
    }

    /// An attempt ends for its client. `answer` is the server's status, if it gave one.
    pub(super) fn attempt_ended(&mut self, server: u32, answer: Option<Code>, began: Time) {
        let of_server = &mut self.servers[server as usize];
        self.in_flight -= 1;
        of_server.in_flight -= 1;
        let failed = answer.is_some_and(|code| code != Code::Ok);
        of_server.failed += u64::from(failed && began >= self.warm_up);
    }

    /// The queue of a server has this length.
    pub(super) fn queue(&mut self, server: u32, length: u64, now: Time) {
        if now >= self.warm_up {
            let longest = &mut self.servers[server as usize].longest_queue;
            *longest = length.max(*longest);
        }
        self.watches.iter_mut().for_each(|watch| watch.queue(server, now, length));
    }

    /// A server has served a call for this time.
    pub(super) fn served(&mut self, server: u32, time: Time, now: Time) {
        if now >= self.warm_up {
            self.servers[server as usize].service += time;
        }
    }

    /// A connection to a server is made.
    pub(super) fn connected(&mut self, server: u32) {
        let of_server = &mut self.servers[server as usize];
        self.connections += 1;
        of_server.connections += 1;
        of_server.most_connections = of_server.most_connections.max(of_server.connections);
    }

    /// A connection to a server ends.
    pub(super) fn disconnected(&mut self, server: u32) {
        self.connections -= 1;
        self.servers[server as usize].connections -= 1;
    }

    /// The most connections of a server, as a multiple of the mean.
    pub(super) fn fullest_connections(&self) -> f64 {
        let most = self.servers.iter().map(|server| server.most_connections);
        ratio_of_fullest(most)
    }

    /// A policy writes to its log.
    pub(super) fn logged(&mut self, line: String) {
        *self.log.entry(line).or_default() += 1;
    }

    fn quantiles(&self) -> Latency {
        if self.latency.is_empty() {
            return Latency::default();
        }
        // Evenly on the axis of 1 / (1 - q), where plots show them, and what tables name.
        let mut shares: Vec<f64> = (0..50).map(|step| f64::from(step) / 50.0).collect();
        for rest in [1.0, 0.1, 0.01, 0.001] {
            shares.extend(
                (1..90).step_by(2).map(|step| 1.0 - rest * (1.0 - f64::from(step) / 100.0)),
            );
        }
        shares.extend([0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]);
        shares.sort_by(f64::total_cmp);
        shares.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
        let at = |q: f64| (q, self.latency.value_at_quantile(q) as f64 / 1e9);
        Latency {
            mean: self.latency.mean() / 1e9,
            max: self.latency.max() as f64 / 1e9,
            quantiles: shares.into_iter().map(at).collect(),
        }
    }

    /// Fills in the numbers of an outcome.
    pub(super) fn fill(mut self, outcome: &mut Outcome, scenario: &Scenario, now: Time) {
        self.pass_in_system(now);
        let ended: u64 = self.statuses.iter().sum();
        let failed = ended - self.statuses[Code::Ok as usize] - self.cancelled;
        outcome.calls = self.calls;
        outcome.unfinished = self.calls - ended;
        outcome.statuses = Code::ALL
            .iter()
            .zip(self.statuses)
            .filter(|(_, count)| *count > 0)
            .map(|(code, count)| (code.name().to_owned(), count))
            .collect();
        outcome.errors = share(failed, ended - self.cancelled);
        outcome.attempts = self.attempts;
        outcome.latency = self.quantiles();
        let span = (now - self.warm_up.min(now)) as f64;
        outcome.calls_in_system = self.in_system.2 as f64 / span;
        outcome.calls_at_server = self.calls_at_server();
        for (of_server, server) in self.servers.iter().zip(&mut outcome.servers) {
            let places = scenario.servers[of_server.group].concurrency as f64;
            *server = Server {
                attempts: of_server.attempts,
                share: share(of_server.attempts, self.attempts),
                failed: of_server.failed,
                most_in_flight: of_server.most_in_flight,
                in_flight_at_end: of_server.in_flight,
                longest_queue: of_server.longest_queue,
                utilization: if span > 0.0 {
                    of_server.service as f64 / span / places
                } else {
                    0.0
                },
                most_connections: of_server.most_connections,
                ..std::mem::take(server)
            };
        }
        outcome.intervals = self.intervals;
        outcome.log = self.log;
    }
}

fn add_one(counts: &mut [u64]) {
    if let Some(last) = counts.last_mut() {
        *last += 1;
    }
}

/// A part of a whole, from 0 to 1. 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The greatest count as a multiple of the mean of all. 0 if all are 0.
pub(super) fn ratio_of_fullest(counts: impl Iterator<Item = u64>) -> f64 {
    let (most, sum, count) =
        counts.fold((0, 0, 0), |(most, sum, count), one| (one.max(most), sum + one, count + 1));
    if sum == 0 { 0.0 } else { most as f64 * f64::from(count) / sum as f64 }
}
