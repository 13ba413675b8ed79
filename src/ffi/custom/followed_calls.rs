//! The calls that a custom picker follows, counted for the statistics as Steer's own policies count
//! theirs. With `TrackCalls`, all of its calls.
//!
//! Cost: nothing for a call that is not followed. A followed call: one atomic addition at its pick,
//! and four at its end.
//!
//! Must not depend on: hooks, how a picker chooses.

use std::sync::Arc;

use crate::calls::CallCounters;
use crate::endpoints::EndpointDescriptor;
use crate::load::PerAddress;
use crate::stats::{StatsSource, Table, tracks_calls};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The counters of one backend.
pub(super) type BackendCalls = CallCounters<()>;

/// The counters of the backends of one policy, by address. The table is used in serialised calls,
/// and read by statistics. Pickers share single counters.
#[derive(Default)]
pub(super) struct FollowedCalls {
    by_address: Mutex<PerAddress<BackendCalls>>,
    /// Whether any call was counted, or all are.
    any: Arc<AtomicBool>,
}

impl FollowedCalls {
    /// The counters of the backend with these addresses.
    pub(super) fn of(&self, descriptor: &Arc<EndpointDescriptor>) -> Arc<BackendCalls> {
        self.by_address.lock().get(descriptor, || CallCounters::new(()))
    }

    /// Forgets backends that have left.
    pub(super) fn forget(&self, gone: &[Arc<EndpointDescriptor>]) {
        self.by_address.lock().forget(gone);
    }

    /// Whether a picker that is made now has all of its calls counted.
    pub(super) fn counts_all(&self) -> bool {
        let all = tracks_calls();
        if all {
            self.note_counted();
        }
        all
    }

    /// Notes that a call is counted.
    #[inline]
    pub(super) fn note_counted(&self) {
        // Relaxed: the statistics may see it late. Written once, so that threads share the line.
        if !self.any.load(Ordering::Relaxed) {
            self.any.store(true, Ordering::Relaxed);
        }
    }

    /// What the statistics get. Nothing until a call was counted.
    pub(super) fn stats_source(&self) -> Arc<dyn StatsSource> {
        let counted = self.by_address.lock().stats_source();
        Arc::new(FollowedStats { counted, any: Arc::clone(&self.any) })
    }
}

struct FollowedStats {
    counted: Arc<dyn StatsSource>,
    any: Arc<AtomicBool>,
}

impl StatsSource for FollowedStats {
    fn describe(&self, table: &mut Table) {
        // Relaxed: as in `note_counted`.
        if self.any.load(Ordering::Relaxed) {
            table.calls_tracked();
            self.counted.describe(table);
        }
    }
}
