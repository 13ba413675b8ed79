//! The pool of one pick: some random backends with what is known of them, and the choice among
//! them.
//!
//! The general flow is:
//! 1. If fewer than two backends of the pool have a report that counts, the one with the least of
//!    this client's own calls is chosen, as by `steer_least_request`.
//! 2. If the first backend, which is a random one, answers without reports, such backends get their
//!    share: the one of them with the least calls is chosen.
//! 3. If nothing recent is known of the first backend, or if it fails, a call tries it out. At most
//!    one call at a time, and one in a second.
//! 4. Otherwise only the newest reports count. The cold backend with the least latency is chosen,
//!    or if all are hot, the one with the fewest requests.
//!
//! A backend is hot if its RIF is above a quantile of the pool's.
//!
//! Backends that fail are left out of 4. A server that fails at once has few requests, and is
//! quick.
//!
//! Cost: see `mod.rs`. Nothing is allocated.
//!
//! Must not depend on: where reports come from.

use super::reuse::Removal;
use crate::load::{KnownLoad, Report, ReportedLoad};
use crate::policies::compared::Compared;
use crate::policy::sample::MAX_POOL;
use crate::sync::Nanos;

/// A backend fails if its success rate is below this share of the best one in the pool. Failures
/// that all backends share do not count. Of 100 calls, the rate is known to about 0.05.
const FAILS_BELOW: f64 = 0.8;

/// A backend of the pool.
#[derive(Clone, Copy)]
struct Entry<'a> {
    backend: &'a Compared<ReportedLoad>,
    in_flight: u32,
    success_rate: f64,
    known: KnownLoad,
}

/// The pool of one pick.
pub(super) struct Pool<'a> {
    entries: [Option<Entry<'a>>; MAX_POOL],
    count: usize,
    /// A backend with more requests is hot.
    hot_above: f64,
    best_success_rate: f64,
    now: Nanos,
}

impl<'a> Pool<'a> {
    pub(super) fn new(now: Nanos) -> Pool<'a> {
        let (entries, hot_above) = ([None; MAX_POOL], f64::INFINITY);
        Pool { entries, count: 0, hot_above, best_success_rate: 0.0, now }
    }

    /// Adds a backend. Its report is used at most `limit` times.
    pub(super) fn add(&mut self, backend: &'a Compared<ReportedLoad>, limit: u32) {
        let calls = &backend.candidate.calls;
        let in_flight = calls.in_flight();
        let success_rate = calls.observer.own.success_rate(self.now);
        let known = calls.observer.known(in_flight, limit, self.now);
        self.best_success_rate = self.best_success_rate.max(success_rate);
        self.entries[self.count] = Some(Entry { backend, in_flight, success_rate, known });
        self.count += 1;
    }

    /// Finds the RIF above which backends are hot: a quantile of the pool's. A pool is a random
    /// sample of the backends. Reports that come with calls are not: most are of backends that are
    /// chosen often.
    pub(super) fn separate(&mut self, quantile: f64) {
        let mut rifs = [0.0; MAX_POOL];
        let mut count = 0;
        for (rif, (_, report)) in rifs.iter_mut().zip(self.reports()) {
            *rif = report.rif;
            count += 1;
        }
        // Rounded down: of two to seven backends, the one with most requests is hot.
        let rank = (quantile * count as f64) as usize;
        self.hot_above = match rank {
            0 => -1.0,
            rank if rank >= count => f64::INFINITY,
            rank => *rifs[..count].select_nth_unstable_by(rank - 1, f64::total_cmp).1,
        };
    }

    /// The backend for a call, by the newest of the reports. `None` if the pool is empty.
    pub(super) fn choose(&self, newest: usize) -> Option<&'a Compared<ReportedLoad>> {
        if self.reports().nth(1).is_none() {
            return self.least_own_calls(|_| true);
        }
        let first = self.entries().next()?;
        if self.fails(first) || first.known == KnownLoad::Stale {
            let load = &first.backend.candidate.calls.observer;
            if load.may_try(first.in_flight, first.success_rate, self.now) {
                return Some(first.backend);
            }
        } else if first.known == KnownLoad::Silent {
            return self.least_own_calls(|entry| entry.known == KnownLoad::Silent);
        }
        self.best_report(newest)
    }

    /// Removes a report.
    pub(super) fn remove(&self, removal: Removal) {
        let hot = |report: &Report| if self.is_hot(report) { report.rif } else { -1.0 };
        let reports = || self.reports().map(|(entry, report)| (entry.backend, report));
        let removed = match removal {
            Removal::Oldest => reports().min_by_key(|(_, report)| report.stamp),
            Removal::Worst => reports().max_by(|(_, one), (_, other)| {
                let by_latency = || one.latency.total_cmp(&other.latency);
                hot(one).total_cmp(&hot(other)).then_with(by_latency)
            }),
        };
        if let Some((backend, report)) = removed {
            backend.candidate.calls.observer.remove(report.stamp);
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries[..self.count].iter().flatten()
    }

    /// The backends that do not fail and have a report that counts.
    fn reports(&self) -> impl Iterator<Item = (&Entry<'a>, Report)> {
        self.entries().filter(|entry| !self.fails(entry)).filter_map(|entry| match entry.known {
            KnownLoad::Reported(report) => Some((entry, report)),
            KnownLoad::UsedUp | KnownLoad::Stale | KnownLoad::Silent => None,
        })
    }

    fn fails(&self, entry: &Entry<'a>) -> bool {
        entry.success_rate < self.best_success_rate * FAILS_BELOW
    }

    fn is_hot(&self, report: &Report) -> bool {
        report.rif > self.hot_above
    }

    /// When the oldest of so many newest reports came.
    fn since(&self, newest: usize) -> u64 {
        let mut stamps = [0; MAX_POOL];
        let mut count = 0;
        for (stamp, (_, report)) in stamps.iter_mut().zip(self.reports()) {
            *stamp = report.stamp;
            count += 1;
        }
        if count <= newest {
            return 0;
        }
        *stamps[..count].select_nth_unstable(count - newest).1
    }

    /// The rule of hot and cold, among the newest reports. Of equal backends, the first one.
    fn best_report(&self, newest: usize) -> Option<&'a Compared<ReportedLoad>> {
        let since = self.since(newest);
        let cost = |(entry, report): (&Entry<'a>, Report)| {
            let is_hot = self.is_hot(&report);
            let cost = if is_hot { report.rif + 1.0 } else { report.latency };
            (entry.backend, is_hot, cost / entry.success_rate, report.rif)
        };
        let less = |one: &(_, bool, f64, f64), other: &(_, bool, f64, f64)| {
            let by_cost = || one.2.total_cmp(&other.2).then_with(|| one.3.total_cmp(&other.3));
            one.1.cmp(&other.1).then_with(by_cost)
        };
        let reports = self.reports().filter(|(_, report)| report.stamp >= since);
        reports.map(cost).min_by(less).map(|(backend, ..)| backend)
    }

    /// Of these backends, the one with the least cost by this client's own calls.
    fn least_own_calls(
        &self,
        of: impl Fn(&Entry<'a>) -> bool,
    ) -> Option<&'a Compared<ReportedLoad>> {
        let cost = |entry: &Entry<'a>| {
            let own = &entry.backend.candidate.calls.observer.own;
            (entry.backend, own.cost(entry.in_flight, || self.now) / entry.backend.weight)
        };
        let entries = self.entries().filter(|entry| of(entry));
        let least = entries.map(cost).min_by(|one, other| one.1.total_cmp(&other.1));
        least.map(|(backend, _)| backend)
    }
}
