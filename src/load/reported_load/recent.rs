//! The usual latency of the recent reports of all backends of a policy, and how many picks there
//! are for each report.
//!
//! Cost of a report: four atomic operations on a cache line that all backends share. Cost of a
//! reading: a load.
//!
//! Must not depend on: which backend reports.

use crate::sync::atomic::{AtomicU64, Ordering};

/// The share by which a report moves the means.
const NEWEST: f64 = 1.0 / 64.0;

/// Means of the recent reports. Any thread, many at the same time: of reports that come at the same
/// moment, one may be lost.
#[derive(Debug)]
pub(super) struct RecentReports {
    /// The bits of f64s. The latency is 0 before the first one.
    latency: AtomicU64,
    picks: AtomicU64,
}

impl Default for RecentReports {
    fn default() -> Self {
        let number = |value: f64| AtomicU64::new(value.to_bits());
        RecentReports { latency: number(0.0), picks: number(1.0) }
    }
}

impl RecentReports {
    /// Adds a report. Since the one before of the same backend, it was picked this often. A latency
    /// of 0 is unknown.
    pub(super) fn add(&self, latency: f64, picks: u32) {
        // Relaxed, here and below: the numbers are independent.
        let mean = self.picks();
        let next = mean + (f64::from(picks) - mean) * NEWEST;
        self.picks.store(next.to_bits(), Ordering::Relaxed);
        let mean = self.latency();
        let next = match (latency, mean) {
            (0.0, _) => return,
            (first, 0.0) => first,
            (next, _) => mean + (next - mean) * NEWEST,
        };
        self.latency.store(next.to_bits(), Ordering::Relaxed);
    }

    /// The mean of the latencies, in nanoseconds. 0 before the first one.
    pub(super) fn latency(&self) -> f64 {
        f64::from_bits(self.latency.load(Ordering::Relaxed))
    }

    /// The mean number of picks of a backend between two of its reports.
    pub(super) fn picks(&self) -> f64 {
        f64::from_bits(self.picks.load(Ordering::Relaxed))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_means_follow_the_reports() {
        let recent = RecentReports::default();
        assert_eq!((recent.latency(), recent.picks()), (0.0, 1.0));
        recent.add(20.0, 1);
        assert_eq!((recent.latency(), recent.picks()), (20.0, 1.0));
        (0..500).for_each(|_| recent.add(40.0, 5));
        assert!((39.9..40.0).contains(&recent.latency()), "{}", recent.latency());
        assert!((4.9..5.0).contains(&recent.picks()), "{}", recent.picks());
        // A report without a latency does not change it.
        let before = recent.latency();
        recent.add(0.0, 5);
        assert_eq!(recent.latency(), before);
    }
}
