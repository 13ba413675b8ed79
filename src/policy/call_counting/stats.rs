//! What the statistics get: the sources of the policy, and the calls that are counted for it.
//!
//! Must not depend on: connections, pickers.

use std::sync::Arc;

use crate::stats::{StatsSource, Table};
use crate::sync::atomic::{AtomicBool, Ordering};

/// Who counts the calls of the last picker. All accesses are Relaxed: the statistics may be a
/// moment late.
#[derive(Default)]
pub(super) struct CountingMode {
    /// The policy's own picker.
    pub(super) policy_counts: AtomicBool,
    /// The picker around it.
    pub(super) counts_here: AtomicBool,
}

pub(super) struct CountingStats {
    /// The sources of the policy.
    pub(super) stats_sources: Vec<Arc<dyn StatsSource>>,
    /// The calls that are counted here.
    pub(super) counted: Arc<dyn StatsSource>,
    pub(super) mode: Arc<CountingMode>,
}

impl StatsSource for CountingStats {
    fn describe(&self, table: &mut Table) {
        for stats_source in &self.stats_sources {
            stats_source.describe(table);
        }
        if self.mode.policy_counts.load(Ordering::Relaxed) {
            table.calls_tracked_if_known();
            return;
        }
        // Counters of the policy that its picker does not use mean nothing.
        table.forget_calls();
        if self.mode.counts_here.load(Ordering::Relaxed) {
            table.calls_tracked();
            self.counted.describe(table);
        }
    }
}
