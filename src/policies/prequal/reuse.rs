//! How many reports a pick uses, how often each is used, and how often a pick removes one.
//!
//! In the paper, a client sends `p` probes for each query. For each query it removes the oldest or
//! the worst answer `r` times: otherwise those that nobody wants to use would fill the pool. An
//! answer is used b = max(1, (1 + δ) ÷ ((1 − m/n) · p − r)) times, where m is the size of the pool
//! and n the number of servers, so that the pool does not run empty. The paper has m = 16, n = 100,
//! p = 3, r = 1 and δ = 1. So a server gets at most b · p = 4 times its fair share of a client's
//! calls, however good it looks: many clients look at the same servers.
//!
//! Here p is not chosen, but measured: the number of reports for each pick, of which more than 3
//! bring no further uses (`load/reported_load/`). r is p ÷ 3. m is a sixth of n, at least 2 and at
//! most 16, as in the paper. With fewer than twelve backends, four times the fair share is a third
//! of the calls or more. Then reports are used until they expire, and none is removed.
//!
//! Must not depend on: single backends.

use crate::load::MOST_PROBES;

/// The share of reports that are removed: r ÷ p of the paper.
const REMOVED: f64 = 1.0 / 3.0;

/// δ of the paper.
const DELTA: f64 = 1.0;

/// n ÷ m of the paper.
const BACKENDS_PER_REPORT: usize = 6;

/// With fewer backends, reports are used without a limit.
const LEAST_BACKENDS: usize = 2 * BACKENDS_PER_REPORT;

/// The reuse of reports, for one picker.
pub(super) struct Reuse {
    /// The reports that a pick chooses by: m.
    pub(super) reports: usize,
    /// 1 − m/n − r/p, which is at least 1/2. `None`: reports are used without a limit.
    share: Option<f64>,
}

impl Reuse {
    /// For pools of this size, of so many backends.
    pub(super) fn new(pool_size: usize, backends: usize) -> Reuse {
        let reports = (backends / BACKENDS_PER_REPORT).clamp(2, pool_size.max(2));
        let share = || 1.0 - reports as f64 / backends as f64 - REMOVED;
        Reuse { reports, share: (backends >= LEAST_BACKENDS).then(share) }
    }

    /// How often a report is used, if a backend is picked `picks` times for each report. `random`
    /// rounds it.
    pub(super) fn limit(&self, picks: f64, random: u64) -> u32 {
        let Some(share) = self.share else { return u32::MAX };
        let limit = ((1.0 + DELTA) / (probes(picks) * share)).max(1.0);
        // A number above u32::MAX becomes it.
        (limit + f64::from(random as u32) / f64::from(u32::MAX)) as u32
    }

    /// Which report a pick removes, by these random bits.
    pub(super) fn removal(&self, picks: f64, random: u64) -> Option<Removal> {
        self.share?;
        let threshold = (REMOVED * probes(picks)) * f64::from(u32::MAX);
        if f64::from((random >> 32) as u32 & !1) > threshold {
            return None;
        }
        Some(if (random >> 32) & 1 == 0 { Removal::Oldest } else { Removal::Worst })
    }
}

/// The reports for each pick that bring uses.
fn probes(picks: f64) -> f64 {
    (1.0 / picks.max(1e-9)).min(MOST_PROBES)
}

/// The report that is removed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Removal {
    Oldest,
    /// Of the backend with the highest RIF if one is hot, otherwise of the slowest one.
    Worst,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_papers() {
        // m = 16, n = 100, p = 3, r = 1: b = 2 / (0.84 · 3 − 1) = 1.32.
        let reuse = Reuse::new(16, 100);
        assert_eq!(reuse.reports, 16);
        let limits = |share: f64| reuse.limit(1.0 / 3.0, (share * f64::from(u32::MAX)) as u64);
        assert_eq!((limits(0.0), limits(0.67), limits(0.7), limits(1.0)), (1, 1, 2, 2));
        // One report for a pick, and for ten picks. More reports bring no more.
        assert_eq!((reuse.limit(1.0, 0), reuse.limit(10.0, 0), reuse.limit(0.01, 0)), (3, 39, 1));
    }

    #[test]
    fn few_backends_have_smaller_pools() {
        let sizes = [1, 4, 12, 40, 96, 1000].map(|backends| Reuse::new(16, backends).reports);
        assert_eq!(sizes, [2, 2, 2, 6, 16, 16]);
        assert_eq!(Reuse::new(3, 1000).reports, 3);
        assert_eq!(
            [0, 2, 11].map(|backends| Reuse::new(16, backends).limit(1.0, 0)),
            [u32::MAX; 3]
        );
        assert_eq!(Reuse::new(16, 12).limit(1.0, 0), 4);
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes Miri minutes")]
    fn a_third_of_the_reports_is_removed() {
        let reuse = Reuse::new(16, 100);
        let mut rng = fastrand::Rng::with_seed(1);
        let mut count = |picks: f64, which| {
            (0..30_000).filter(|_| reuse.removal(picks, rng.u64(..)) == Some(which)).count()
        };
        for which in [Removal::Oldest, Removal::Worst] {
            // A pick for each report, ten, and a tenth.
            assert!(count(1.0, which).abs_diff(5000) < 300);
            assert!(count(10.0, which).abs_diff(500) < 100);
            assert!(count(0.1, which).abs_diff(15_000) < 500);
        }
        assert_eq!(Reuse::new(16, 11).removal(1.0, 0), None);
    }
}
