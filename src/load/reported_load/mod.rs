//! The load that one backend reports: its requests in flight (RIF) and its latency. Says whether
//! the latest report can still be used, and how often it was.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the latest report, its age and its uses |
//! | `rule.rs` | what all backends of a policy share: the expiration, and the recent reports |
//! | `recent.rs` | the recent reports of all backends: the usual latency, the picks for each |
//!
//! A report has two metrics, `rif` (a number of requests) and `latency` (seconds), in its map
//! `named_metrics`. gRPC before 1.53 keeps only the map `utilization` of a report out of band, so a
//! metric that is not in the first map is looked for in the second one.
//!
//! Since the report, this client may have sent calls to the backend, and some may have ended. The
//! RIF is corrected by them. Calls of other clients show in the next report.
//!
//! Source: Wydrowski et al., "Load is not what you should balance: Introducing Prequal" (NSDI
//! 2024).
//! There, a report is the answer to a probe.
//!
//! Cost of a call's end: four atomic operations of `request_cost.rs`, and five on another cache
//! line of this backend. At most every 10 ms also `recent.rs`. Cost of a reading: five loads.
//!
//! Must not depend on: how backends are chosen, where reports come from.

mod recent;
mod rule;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use self::rule::ReportRule;
use super::decay::{packed, unpacked};
use super::request_cost::RequestCost;
use crate::calls::{CallEnd, CallObserver, LoadReport};
use crate::stats::BackendStats;
use crate::sync::Nanos;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Marks a time that has not come.
const NEVER: u64 = u64::MAX;

/// The metrics of a report. The helper for servers, `steer/server_load.hpp`, has the same names.
const RIF: &str = "rif";
const LATENCY: &str = "latency";

/// A backend's report counts among the recent ones of all backends at most once in this time, so
/// that calls to different backends seldom write to one cache line.
const SHARE_INTERVAL: u64 = 10_000_000;

/// [`ReportedLoad::since`] without any calls. Its lower half begins in the middle, so that it can
/// go down.
const NO_CALLS: u64 = 1 << 31;

/// A pick: in the upper half a use, in the lower half a call in flight.
const PICK: u64 = (1 << 32) + 1;

/// The report was removed, and is not used any more.
const REMOVED: u64 = 1 << 63;

/// The upper half.
const USES: u64 = !0 << 32;

/// More reports than this for each pick bring news, but no further uses: the number of probes for
/// each query in the paper. Otherwise a backend that seems to be the best could get any share of
/// the calls, of each of many clients, until its next report.
pub const MOST_PROBES: f64 = 3.0;

/// A whole report, in [`ReportedLoad::credit`].
const WHOLE: u32 = 1 << 16;

/// What is known of a backend's load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KnownLoad {
    /// Its latest report can be used.
    Reported(Report),
    /// Its latest report is recent, but was used too often, or was removed.
    UsedUp,
    /// It has not reported for the expiration period, and no call has ended since.
    Stale,
    /// It has not reported for the expiration period, although calls succeed: it does not report.
    Silent,
}

/// A report that can be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Requests in flight: as reported, with this client's calls since.
    pub rif: f64,
    /// How long requests take, in nanoseconds.
    pub latency: f64,
    /// When the report came, in nanoseconds.
    pub stamp: u64,
}

/// The load that one backend reports, and what its calls show.
///
/// Made by a policy for each address, and shared with its pickers and with statistics. Any thread,
/// many at the same time. The values are not read together: a reader may see one of two reports
/// that come at the same time with the calls since the other.
#[derive(Debug)]
pub struct ReportedLoad {
    rule: Arc<ReportRule>,
    /// What a call costs by this client's own calls.
    pub own: RequestCost,
    /// When the latest report came, in nanoseconds. [`NEVER`]: there is none.
    reported: AtomicU64,
    /// The latest report: RIF and latency in nanoseconds ([`packed`]). A latency of 0: unknown.
    load: AtomicU64,
    /// Upper half: picks since a report that brought further uses. Lower half: picks less ends
    /// since the latest report.
    since: AtomicU64,
    /// The picks in the upper half at the latest report.
    uses_before: AtomicU32,
    /// The part of a report that brings further uses, which is left from the reports so far.
    credit: AtomicU32,
    /// When the backend was tried last although nothing was known of it. 0: it may be tried.
    tried: AtomicU64,
    /// When a report was last counted among the recent ones of all backends.
    shared: AtomicU64,
    /// Whether a call has succeeded without a report since the latest one.
    silent: AtomicBool,
}

impl ReportedLoad {
    /// The load of a backend that is new at `now`.
    pub fn new(rule: &Arc<ReportRule>, now: Nanos) -> ReportedLoad {
        ReportedLoad {
            rule: Arc::clone(rule),
            own: RequestCost::new(rule.failures(), now),
            reported: AtomicU64::new(NEVER),
            load: AtomicU64::new(0),
            since: AtomicU64::new(NO_CALLS),
            uses_before: AtomicU32::new(0),
            credit: AtomicU32::new(0),
            tried: AtomicU64::new(0),
            shared: AtomicU64::new(NEVER),
            silent: AtomicBool::new(false),
        }
    }

    /// Takes a report that came at `now`. Ignores it if it has no RIF. Returns whether it has one.
    pub fn report(&self, report: LoadReport<'_>, now: Nanos) -> bool {
        let metric = |name| {
            let value = report.named_metric(name).or_else(|| report.utilization(name))?;
            (value >= 0.0 && value.is_finite()).then_some(value)
        };
        let Some(rif) = metric(RIF) else { return false };
        let latency = metric(LATENCY).unwrap_or(0.0) * 1e9;
        let now = now.get();
        // Relaxed: these are not read before the time below.
        self.load.store(packed(rif, latency), Ordering::Relaxed);
        let picks = self.renew_uses();
        self.silent.store(false, Ordering::Relaxed);
        // Release: pairs with the Acquire in `known`. A thread that sees this report's time sees
        // its load.
        self.reported.store(now, Ordering::Release);
        // Relaxed: only one of several threads counts its report.
        let shared = self.shared.load(Ordering::Relaxed);
        let due = shared == NEVER || now.saturating_sub(shared) >= SHARE_INTERVAL;
        let take =
            || self.shared.compare_exchange(shared, now, Ordering::Relaxed, Ordering::Relaxed);
        if due && take().is_ok() {
            self.rule.recent.add(latency, picks);
        }
        true
    }

    /// Lets a new report be used as often as the one before, unless reports come too often for
    /// that. Returns the picks since the one before.
    fn renew_uses(&self) -> u32 {
        let share = (self.rule.recent.picks() * MOST_PROBES).min(1.0);
        let part = (share * f64::from(WHOLE)) as u32;
        // Relaxed, here and below: reports at the same time may share their credit.
        let credit = self.credit.load(Ordering::Relaxed) + part;
        let renews = credit >= WHOLE;
        self.credit.store(credit % WHOLE, Ordering::Relaxed);
        let kept = if renews { 0 } else { USES };
        let next = |since| Some((since & kept) | NO_CALLS);
        let before = self.since.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let uses = uses(before.unwrap_or(NO_CALLS));
        let uses_now = if renews { 0 } else { uses };
        uses.saturating_sub(self.uses_before.swap(uses_now, Ordering::Relaxed))
    }

    /// The backend has another connection: what it reported before says nothing about it.
    pub fn reconnected(&self) {
        // Relaxed: no other memory is read because of it.
        self.reported.store(NEVER, Ordering::Relaxed);
        self.silent.store(false, Ordering::Relaxed);
        self.tried.store(0, Ordering::Relaxed);
    }

    /// What is known at `now` of the backend, which has this many calls of this client. A report is
    /// used at most `limit` times.
    #[inline]
    pub fn known(&self, in_flight: u32, limit: u32, now: Nanos) -> KnownLoad {
        // Acquire: pairs with the Release in `report`.
        let reported = self.reported.load(Ordering::Acquire);
        let age = now.get().saturating_sub(reported);
        if reported == NEVER || age > self.rule.expiration() {
            // Relaxed, here and below: the values are independent.
            let is_silent = self.silent.load(Ordering::Relaxed);
            return if is_silent { KnownLoad::Silent } else { KnownLoad::Stale };
        }
        let since = self.since.load(Ordering::Relaxed);
        if since & REMOVED != 0 || uses(since) >= limit {
            return KnownLoad::UsedUp;
        }
        let (rif, latency) = unpacked(self.load.load(Ordering::Relaxed));
        let own_since = f64::from(since as u32) - NO_CALLS as f64;
        let rif = (rif + own_since).max(f64::from(in_flight));
        let latency = if latency > 0.0 { latency } else { self.rule.recent.latency() };
        KnownLoad::Reported(Report { rif, latency, stamp: reported })
    }

    /// Removes the report that came at this time, unless a newer one has come.
    pub fn remove(&self, reported: u64) {
        // A report that comes at this very moment may be removed in its place.
        if self.reported.load(Ordering::Relaxed) == reported {
            self.since.fetch_or(REMOVED, Ordering::Relaxed);
        }
    }

    /// Whether a call may try out the backend, of which nothing good is known: it has none of this
    /// client's calls, and was not tried for the expiration period ÷ its success rate. Only one
    /// thread gets the permission.
    pub fn may_try(&self, in_flight: u32, success_rate: f64, now: Nanos) -> bool {
        let (now, tried) = (now.get(), self.tried.load(Ordering::Relaxed));
        let pause = self.rule.expiration() as f64 / success_rate;
        let due = tried == 0 || now.saturating_sub(tried) as f64 > pause;
        // 0 would mean that it was not tried.
        let take = || {
            let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            self.tried.compare_exchange(tried, now.max(1), success, failure).is_ok()
        };
        in_flight == 0 && due && take()
    }
}

/// The picks in a value of [`ReportedLoad::since`].
fn uses(since: u64) -> u32 {
    ((since & !REMOVED) >> 32) as u32
}

impl CallObserver for ReportedLoad {
    fn picked(&self) {
        // Relaxed, here and below: the counters are independent.
        self.since.fetch_add(PICK, Ordering::Relaxed);
    }

    fn ended(&self, end: &CallEnd<'_>) {
        // Before the report, which includes that this call has ended.
        self.since.fetch_sub(1, Ordering::Relaxed);
        self.own.ended(end);
        let CallEnd::Finished { status, ended, metrics, .. } = end else { return };
        let has_reported = metrics.is_some_and(|report| self.report(report, *ended));
        if status.is_ok() {
            if !has_reported && !self.silent.load(Ordering::Relaxed) {
                self.silent.store(true, Ordering::Relaxed);
            }
            // A success lets the next call try it at once.
            if self.tried.load(Ordering::Relaxed) != 0 {
                self.tried.store(0, Ordering::Relaxed);
            }
        }
    }

    fn write_stats(&self, row: &mut BackendStats, now: Duration) {
        let in_flight = u32::try_from(row.in_flight.unwrap_or(0)).unwrap_or(u32::MAX);
        if let KnownLoad::Reported(report) = self.known(in_flight, u32::MAX, now.into()) {
            row.reported_rif = Some(report.rif);
            row.reported_latency_seconds = Some(report.latency / 1e9);
        }
    }
}

#[cfg(all(test, loom))]
mod model {
    use std::collections::BTreeMap;

    use super::*;
    use crate::calls::Metrics;

    fn metrics(rif: f64) -> Metrics {
        let named_metrics = BTreeMap::from([(RIF.to_owned(), rif), (LATENCY.to_owned(), rif)]);
        Metrics { named_metrics, ..Metrics::default() }
    }

    /// A report that races with a pick: the load is one that was reported, and the pick counts for
    /// one of the two reports.
    #[test]
    fn a_pick_races_with_a_report() {
        let s = |seconds| Nanos::from(Duration::from_secs(seconds));
        let (one, two) = (metrics(1.0), metrics(2.0));
        loom::model(move || {
            let load = Arc::new(ReportedLoad::new(&Arc::default(), s(0)));
            load.report(LoadReport::Decoded(&one), s(1));
            let report = {
                let (load, two) = (Arc::clone(&load), two.clone());
                loom::thread::spawn(move || load.report(LoadReport::Decoded(&two), s(1)))
            };
            load.picked();
            let KnownLoad::Reported(seen) = load.known(0, 9, s(1)) else { panic!("it reported") };
            assert!([1.0, 2.0, 3.0].contains(&seen.rif), "{seen:?}");
            assert!([1e9, 2e9].contains(&seen.latency), "{seen:?}");
            report.join().unwrap();
            let KnownLoad::Reported(seen) = load.known(0, 9, s(1)) else { panic!("it reported") };
            assert!([2.0, 3.0].contains(&seen.rif) && seen.latency == 2e9, "{seen:?}");
        });
    }
}
