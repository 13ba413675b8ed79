//! What the reported loads of all backends of a policy share.
//!
//! Must not depend on: single backends, calls.

use std::sync::Arc;
use std::time::Duration;

use super::recent::RecentReports;
use crate::load::request_cost::FailureRule;
use crate::load::success_rate::FailureCodes;
use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The parameters that the reported loads of all backends of a policy share, and their recent
/// reports.
///
/// Made by a policy. A new config may change the parameters at any time; reports and picks on other
/// threads read them. Ends with the last reported load.
#[derive(Debug, Default)]
pub struct ReportRule {
    failures: Arc<FailureRule>,
    /// In nanoseconds.
    expiration: AtomicU64,
    pub(super) recent: RecentReports,
}

impl ReportRule {
    /// Sets when reports expire, and which statuses count as failures.
    pub fn set(&self, expiration: Duration, codes: FailureCodes) {
        // Relaxed, here and below: the numbers are independent.
        self.expiration.store(Nanos::from(expiration).get(), Ordering::Relaxed);
        self.failures.set(codes);
    }

    /// How many calls of this client came between two reports of a backend, on average.
    pub fn picks(&self) -> f64 {
        self.recent.picks()
    }

    pub(super) fn failures(&self) -> &Arc<FailureRule> {
        &self.failures
    }

    pub(super) fn expiration(&self) -> u64 {
        self.expiration.load(Ordering::Relaxed)
    }
}
