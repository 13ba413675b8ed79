//! The counters of one policy, and when they are used.
//!
//! Must not depend on: how the picker inside chooses.

use std::sync::Arc;

use super::by_connection::BackendsByConnection;
use super::picker::CountedBackends;
use super::stats::{CountingMode, CountingStats};
use crate::calls::{CallCounters, CallListener, TrackedBackend};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::load::PerAddress;
use crate::policy::{BackendCache, HasConnection, Helper};
use crate::stats::{self, StatsSource};
use crate::sync::atomic::Ordering;

/// The counters of one policy. The policy calls it in the work serializer.
pub(crate) struct CallCounting<S> {
    calls: PerAddress<CallCounters<()>>,
    backends: BackendCache<S, Arc<TrackedBackend>>,
    by_connection: BackendsByConnection,
    mode: Arc<CountingMode>,
}

impl<S: HasConnection> CallCounting<S> {
    /// Sets the helper's source of statistics: these sources of the policy, and the counters here.
    pub(crate) fn new(helper: &dyn Helper, stats_sources: Vec<Arc<dyn StatsSource>>) -> Self {
        let (calls, mode) = (PerAddress::default(), Arc::<CountingMode>::default());
        let counted = calls.stats_source();
        helper.set_stats_source(Arc::new(CountingStats {
            stats_sources,
            counted,
            mode: Arc::clone(&mode),
        }));
        let (backends, by_connection) = (BackendCache::new(), BackendsByConnection::new(0));
        CallCounting { calls, backends, by_connection, mode }
    }

    /// Returns what counts the calls of a picker for these backends, which are by place in the list
    /// in use. Returns `None` if calls are not counted, or if the policy's picker counts them
    /// (`policy_counts`).
    pub(crate) fn for_picker<'a>(
        &mut self,
        policy_counts: bool,
        backends: &PersistentVec<S>,
        descriptor: impl Fn(usize) -> &'a Arc<EndpointDescriptor>,
    ) -> Option<CountedBackends> {
        let counts_here = !policy_counts && stats::tracks_calls();
        // Relaxed, here and below: see `CountingMode`.
        self.mode.policy_counts.store(policy_counts, Ordering::Relaxed);
        if self.mode.counts_here.swap(counts_here, Ordering::Relaxed) && !counts_here {
            self.calls.clear();
            self.none_ready();
        }
        if !counts_here {
            return None;
        }
        let CallCounting { calls, backends: tracked, by_connection, .. } = self;
        if by_connection.capacity() != backends.slots() {
            tracked.update_list(backends.slots(), |_, _| false);
            *by_connection = BackendsByConnection::new(backends.slots());
        }
        let track = |place: usize, connection: &Connection| {
            let listener =
                calls.get(descriptor(place), || CallCounters::new(())) as Arc<dyn CallListener>;
            TrackedBackend::new(connection.clone(), listener, place)
        };
        tracked.update(backends, track, |backend, is_made| {
            if is_made {
                by_connection.insert(backend);
            } else {
                by_connection.remove(backend);
            }
        });
        Some(CountedBackends::new(by_connection.clone()))
    }

    /// Drops all connections: no backend is READY any more.
    pub(crate) fn none_ready(&mut self) {
        self.backends = BackendCache::new();
        self.by_connection = BackendsByConnection::new(0);
    }

    /// Forgets endpoints. No endpoint has their addresses any more.
    pub(crate) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        if self.mode.counts_here.load(Ordering::Relaxed) {
            self.calls.forget(gone);
        }
    }
}
