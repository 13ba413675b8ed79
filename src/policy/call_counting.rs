//! What leaf policies tell statistics of their backends, and calls that are tracked for the statistics alone:
//! what is put around the pickers of policies that need no call tracking, when somebody wants to see their
//! calls too.
//!
//! Cost: nothing when off. When on, a look-up in a hash table and what tracking costs, for each pick; and
//! O(log backends) for each report.
//!
//! Must not know: how the picker inside chooses.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::sample::below;
use super::{BackendCache, HasConnection, Helper, Pick, Picker};
use crate::calls::{Call, CallCounters, CallListener, TrackedBackend, Wants};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::load::PerAddress;
use crate::stats::{self, StatsSource, Table};
use crate::sync::Handle;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The calls of one policy, as statistics see them.
pub(crate) struct CallCounting<S> {
    calls: PerAddress<CallCounters<()>>,
    backends: BackendCache<S, Arc<TrackedBackend>>,
    by_connection: ByConnection,
    mode: Arc<Mode>,
}

/// Who counts the calls of the picker that was made last. Relaxed everywhere: it is for people.
#[derive(Default)]
struct Mode {
    /// The policy does anyway.
    policy: AtomicBool,
    /// It is done here.
    here: AtomicBool,
}

impl<S: HasConnection> CallCounting<S> {
    /// For one policy, of whose backends `stats_sources` can tell.
    pub(crate) fn new(helper: &dyn Helper, stats_sources: Vec<Arc<dyn StatsSource>>) -> Self {
        let (calls, mode) = (PerAddress::default(), Arc::<Mode>::default());
        let counted = calls.stats_source();
        helper.set_stats_source(Arc::new(CountingStats {
            stats_sources,
            counted,
            mode: Arc::clone(&mode),
        }));
        let (backends, by_connection) = (BackendCache::new(), ByConnection::new(0));
        CallCounting { calls, backends, by_connection, mode }
    }

    /// What counts the calls to the READY ones of these backends, which are by place in the list in use; none when
    /// they are not to be counted here, as when the policy's picker does it.
    pub(crate) fn of<'a>(
        &mut self,
        policy_counts: bool,
        backends: &PersistentVec<S>,
        descriptor: impl Fn(usize) -> &'a Arc<EndpointDescriptor>,
    ) -> Option<Counted> {
        let here = !policy_counts && stats::tracks_calls();
        self.mode.policy.store(policy_counts, Ordering::Relaxed);
        if self.mode.here.swap(here, Ordering::Relaxed) && !here {
            self.calls.clear();
            self.none_ready();
        }
        if !here {
            return None;
        }
        let CallCounting { calls, backends: kept, by_connection, .. } = self;
        if by_connection.0.slots() != backends.slots() {
            kept.relist(backends.slots(), |_, _| false);
            *by_connection = ByConnection::new(backends.slots());
        }
        let count = |place: usize, connection: &Connection| {
            let hooks =
                calls.get(descriptor(place), || CallCounters::new(())) as Arc<dyn CallListener>;
            TrackedBackend::new(connection.clone(), hooks, place)
        };
        kept.follow(backends, count, |backend, is_made| {
            if is_made {
                by_connection.insert(backend);
            } else {
                by_connection.remove(backend);
            }
        });
        Some(Counted(by_connection.clone()))
    }

    /// No backend is READY any more.
    pub(crate) fn none_ready(&mut self) {
        self.backends = BackendCache::new();
        self.by_connection = ByConnection::new(0);
    }

    /// Forgets these endpoints: none with their addresses is left.
    pub(crate) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        if self.mode.here.load(Ordering::Relaxed) {
            self.calls.forget(gone);
        }
    }
}

struct CountingStats {
    /// The policy's.
    stats_sources: Vec<Arc<dyn StatsSource>>,
    counted: Arc<dyn StatsSource>,
    mode: Arc<Mode>,
}

impl StatsSource for CountingStats {
    fn describe(&self, table: &mut Table) {
        for stats_source in &self.stats_sources {
            stats_source.describe(table);
        }
        if self.mode.policy.load(Ordering::Relaxed) {
            table.calls_tracked();
            return;
        }
        // A policy's counters that its picker does not use say nothing.
        table.forget_calls();
        if self.mode.here.load(Ordering::Relaxed) {
            table.calls_tracked();
            self.counted.describe(table);
        }
    }
}

/// Backends by their connections: a hash table whose clones share what they have alike.
#[derive(Clone)]
struct ByConnection(PersistentVec<Arc<[Arc<TrackedBackend>]>>, RandomState);

impl ByConnection {
    /// For about so many.
    fn new(backends: usize) -> ByConnection {
        ByConnection(PersistentVec::new(backends), RandomState::new())
    }

    fn insert(&mut self, backend: &Arc<TrackedBackend>) {
        self.change(backend, |others| others.chain([Arc::clone(backend)]).collect());
    }

    fn remove(&mut self, backend: &Arc<TrackedBackend>) {
        self.change(backend, |others| others.collect());
    }

    /// Puts what `change` makes of the others with its hash in their place.
    fn change(
        &mut self,
        backend: &Arc<TrackedBackend>,
        change: impl FnOnce(&mut dyn Iterator<Item = Arc<TrackedBackend>>) -> Arc<[Arc<TrackedBackend>]>,
    ) {
        let place = self.place(backend.connection().handle());
        let all = self.0.get(place).map_or(&[][..], |all| all);
        let mut others = all.iter().filter(|other| !Arc::ptr_eq(other, backend)).cloned();
        let changed = change(&mut others);
        self.0.set(place, (!changed.is_empty()).then_some(changed));
    }

    fn find(&self, connection: &Connection) -> Option<&Arc<TrackedBackend>> {
        let all = self.0.get(self.place(connection.handle()))?;
        all.iter().find(|backend| backend.connection() == connection)
    }

    fn place(&self, handle: Handle) -> usize {
        below(self.1.hash_one(handle), self.0.slots())
    }
}

/// Backends whose calls are counted.
pub(crate) struct Counted(ByConnection);

impl Counted {
    /// The picker, with its calls counted.
    pub(crate) fn around(self, picker: Box<dyn Picker>) -> Box<dyn Picker> {
        Box::new(CountedPicker { backends: self.0, picker })
    }
}

struct CountedPicker {
    backends: ByConnection,
    picker: Box<dyn Picker>,
}

impl Picker for CountedPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        match self.picker.pick(call) {
            Pick::Complete(connection) => match self.backends.find(connection) {
                Some(backend) => Pick::tracked(backend),
                None => Pick::Complete(connection),
            },
            pick => pick,
        }
    }

    fn wants(&self) -> Wants {
        self.picker.wants()
    }
}
