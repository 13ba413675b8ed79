//! The weight of one backend by its own load reports, and when that weight is usable.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the latest weight, and when it is usable |
//! | `rule.rs` | how a load report becomes a weight |
//!
//! A weight is usable when reports have come for the blackout period, so that a backend is not
//! judged by its first calls. It expires when no report has come for the expiration period.
//!
//! Source: gRFC A58 and gRPC's `weighted_round_robin.cc`, whose order of events this has. gRPC
//! locks a mutex for each backend. Here, a report at the end of a call takes no lock.
//!
//! Cost of a report: about two multiplications, and three atomic operations on a cache line of this
//! backend.
//!
//! Must not depend on: how reports arrive, how weights are used.

mod rule;
#[cfg(all(test, not(loom)))]
mod tests;

use std::time::Duration;

pub use self::rule::{UtilizationMetric, WeightRule};
use crate::calls::{CallEnd, CallObserver};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Marks a time that has not come.
const NEVER: u64 = u64::MAX;

/// The weight of one backend.
///
/// Made by a policy for each address. Any thread may report; the policy reads it when it makes a
/// schedule.
///
/// The three values are not read together. If a report comes at the same time as the weight expires
/// or the connection is replaced, the start of the blackout period may be lost. Then the next
/// report sets it.
#[derive(Debug)]
pub struct ReportedWeight {
    /// The bits of an f32. 0 before the first report.
    weight: AtomicU32,
    /// The time of the first report since the last expiry or reconnection, in nanoseconds.
    non_empty_since: AtomicU64,
    /// The time of the last report, in nanoseconds.
    last_updated: AtomicU64,
}

impl ReportedWeight {
    /// No report yet.
    pub fn new() -> ReportedWeight {
        ReportedWeight {
            weight: AtomicU32::new(0),
            non_empty_since: AtomicU64::new(NEVER),
            last_updated: AtomicU64::new(NEVER),
        }
    }

    /// Records the weight of a report. It must be above 0.
    pub fn report(&self, weight: f32, now: Duration) {
        let now = nanoseconds(now);
        // Relaxed: the weight is not read before the other two values are set.
        self.weight.store(weight.to_bits(), Ordering::Relaxed);
        // Release: pairs with the Acquire in `usable`. A thread that sees this report's time sees
        // its weight.
        self.last_updated.store(now, Ordering::Release);
        // Release: as above. Only the first report counts.
        let since = &self.non_empty_since;
        let _ = since.compare_exchange(NEVER, now, Ordering::Release, Ordering::Relaxed);
    }

    /// Records that the connection was replaced. The blackout period begins with the next report.
    pub fn reconnected(&self) {
        // Relaxed: no other memory is read because of it.
        self.non_empty_since.store(NEVER, Ordering::Relaxed);
    }

    /// The weight. 0 if it is not usable at `now`. If it has expired, this starts another blackout
    /// period.
    pub fn usable(&self, now: Duration, expiration: Duration, blackout: Duration) -> f32 {
        let now = nanoseconds(now);
        // Acquire: pairs with the Releases in `report`.
        let last_updated = self.last_updated.load(Ordering::Acquire);
        if last_updated != NEVER && now.saturating_sub(last_updated) >= nanoseconds(expiration) {
            self.reconnected();
            return 0.0;
        }
        if !blackout.is_zero() {
            let since = self.non_empty_since.load(Ordering::Acquire);
            if since == NEVER || now.saturating_sub(since) < nanoseconds(blackout) {
                return 0.0;
            }
        }
        f32::from_bits(self.weight.load(Ordering::Relaxed))
    }
}

/// Learns nothing from the end of a call: the policy has the config that turns a report into a
/// weight, and calls [`ReportedWeight::report`].
impl CallObserver for ReportedWeight {
    fn ended(&self, _end: &CallEnd<'_>) {}
}

impl Default for ReportedWeight {
    fn default() -> Self {
        ReportedWeight::new()
    }
}

/// Nanoseconds, up to 584 years.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER - 1)
}

#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A usable weight is one that was reported, at any time.
    #[test]
    fn reports_race_with_a_reader() {
        loom::model(|| {
            let weight = Arc::new(ReportedWeight::new());
            let report = {
                let weight = Arc::clone(&weight);
                loom::thread::spawn(move || weight.report(2.0, s(1)))
            };
            assert!([0.0, 2.0].contains(&weight.usable(s(11), s(180), s(10))));
            weight.report(3.0, s(1));
            assert!([2.0, 3.0].contains(&weight.usable(s(11), s(180), s(10))));
            report.join().unwrap();
            assert!([2.0, 3.0].contains(&weight.usable(s(11), s(180), s(10))));
        });
    }

    /// After a report at the moment of expiry, the next report restores the weight.
    #[test]
    fn a_report_races_with_expiry() {
        loom::model(|| {
            let weight = Arc::new(ReportedWeight::new());
            weight.report(2.0, s(0));
            let report = {
                let weight = Arc::clone(&weight);
                loom::thread::spawn(move || weight.report(3.0, s(200)))
            };
            let seen = weight.usable(s(200), s(180), s(10));
            assert!([0.0, 3.0].contains(&seen), "{seen}");
            report.join().unwrap();
            weight.report(4.0, s(201));
            assert_eq!(weight.usable(s(211), s(180), s(10)), 4.0);
        });
    }
}
