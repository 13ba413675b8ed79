//! Measures what one limit is about.
//!
//! Must not depend on: why it happens.

use hdrhistogram::Histogram;

use super::chance::in_ns;
use super::events::Time;
use super::record::{ratio_of_fullest, share};
use crate::scenario::{Limit, Measure};

/// The calls that an interval should have at a server before its share says anything. With fewer,
/// chance alone exceeds most limits.
const LEAST_EXPECTED: f64 = 5.0;

/// Measures what one limit is about, in its window.
pub(super) struct Watch {
    pub(super) limit: Limit,
    from: Time,
    until: Time,
    /// The width of the intervals of `PeakFairShare`.
    width: Time,
    /// For each server, whether the measure is about it.
    members: Vec<bool>,
    /// The members' share of all listed servers at this time.
    fair: f64,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    calls: u64,
    ended: u64,
    failed: u64,
    latency: Option<Box<Histogram<u64>>>,
    attempts: u64,
    of_members: u64,
    /// Attempts that members would have had by a fair choice.
    expected: f64,
    of_servers: Vec<u64>,
    interval: u64,
    in_interval: (u64, f64),
    peak: f64,
    most_of_members: u64,
    most_of_others: u64,
}

impl Watch {
    /// `members` has an entry for each server. It has no members if the limit names none.
    pub(super) fn new(limit: Limit, members: Vec<bool>, width: Time) -> Watch {
        let (from, until) = (in_ns(limit.window.from), in_ns(limit.window.until));
        let mut counts = Counts::default();
        match limit.measure {
            Measure::Latency(_) => {
                let latency = Histogram::new_with_bounds(1_000, 3 * 3_600_000_000_000, 3);
                counts.latency = Some(Box::new(latency.expect("the bounds are in order")));
            }
            Measure::Fullest => counts.of_servers = vec![0; members.len()],
            _ => {}
        }
        Watch { limit, from, until, width: width.max(1), members, fair: 0.0, counts }
    }

    fn is_open(&self, time: Time) -> bool {
        (self.from..self.until).contains(&time)
    }

    /// The resolver lists these servers from now on.
    pub(super) fn listed(&mut self, listed: impl Iterator<Item = bool>) {
        let (mut all, mut members) = (0, 0);
        for (listed, member) in listed.zip(&self.members) {
            all += u64::from(listed);
            members += u64::from(listed && *member);
        }
        self.fair = share(members, all);
    }

    pub(super) fn call_began(&mut self, now: Time) {
        self.counts.calls += u64::from(self.is_open(now));
    }

    pub(super) fn call_ended(&mut self, began: Time, latency: Time, failed: bool, by_caller: bool) {
        if !self.is_open(began) {
            return;
        }
        self.counts.ended += u64::from(!by_caller);
        self.counts.failed += u64::from(failed);
        if let Some(histogram) = &mut self.counts.latency {
            histogram.saturating_record(latency);
        }
    }

    /// An attempt is sent to a server, which has so many in flight then.
    pub(super) fn attempt_sent(&mut self, server: u32, now: Time, in_flight: u64) {
        if !self.is_open(now) {
            return;
        }
        let member = self.members[server as usize];
        let counts = &mut self.counts;
        counts.attempts += 1;
        counts.of_members += u64::from(member);
        counts.expected += self.fair;
        match self.limit.measure {
            Measure::Fullest => counts.of_servers[server as usize] += 1,
            Measure::PeakFairShare(_) => {
                counts.turn_to(now / self.width);
                counts.in_interval.0 += u64::from(member);
                counts.in_interval.1 += self.fair;
            }
            Measure::InFlight(_) if member => {
                counts.most_of_members = counts.most_of_members.max(in_flight);
            }
            _ => {}
        }
    }

    /// The queue of a server has this length.
    pub(super) fn queue(&mut self, server: u32, now: Time, length: u64) {
        if !self.is_open(now) || !matches!(self.limit.measure, Measure::QueueAboveOthers(_)) {
            return;
        }
        let member = self.members[server as usize];
        let counts = &mut self.counts;
        let most = if member { &mut counts.most_of_members } else { &mut counts.most_of_others };
        *most = length.max(*most);
    }

    /// What was measured. `serving` has the servers that run and are listed at the end,
    /// `fullest_connections` is that of the whole run.
    pub(super) fn measured(&mut self, serving: &[bool], fullest_connections: f64) -> f64 {
        self.counts.turn_to(u64::MAX);
        let counts = &self.counts;
        match self.limit.measure {
            Measure::Latency(quantile) => counts
                .latency
                .as_ref()
                .map_or(0.0, |histogram| histogram.value_at_quantile(quantile) as f64 / 1e9),
            Measure::Errors => share(counts.failed, counts.ended),
            Measure::Share(_) => share(counts.of_members, counts.attempts),
            Measure::FairShare(_) if counts.expected > 0.0 => {
                counts.of_members as f64 / counts.expected
            }
            Measure::FairShare(_) => 0.0,
            Measure::PeakFairShare(_) => counts.peak,
            Measure::Fullest => {
                let of_servers = counts.of_servers.iter().zip(serving);
                ratio_of_fullest(of_servers.filter(|(_, serving)| **serving).map(|(it, _)| *it))
            }
            Measure::InFlight(_) => counts.most_of_members as f64,
            Measure::QueueAboveOthers(_) => {
                counts.most_of_members as f64 - counts.most_of_others as f64
            }
            Measure::Attempts => share(counts.attempts, counts.calls),
            Measure::FullestConnections => fullest_connections,
        }
    }
}

impl Counts {
    /// Ends the interval, if this is another one.
    fn turn_to(&mut self, interval: u64) {
        if interval == self.interval {
            return;
        }
        let (of_members, expected) = std::mem::take(&mut self.in_interval);
        if expected >= LEAST_EXPECTED {
            self.peak = self.peak.max(of_members as f64 / expected);
        }
        self.interval = interval;
    }
}
