//! `hashBalanceFactor`: consistent hashing that passes over backends which have more than their
//! share of the calls in flight. Used by `steer_ring_hash` and `steer_maglev`.
//!
//! Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (arXiv
//! 1608.01350); see `load/bounded.rs`.
//! Config: `hashBalanceFactor`.
//! Cost per pick: the tracking of the call. Cost per report: O(log backends). Cost per update:
//! O(backends).
//!
//! Must not depend on: the order in which backends are tried.

use std::collections::HashMap;
use std::sync::Arc;

use super::candidate::Candidate;
use crate::calls::CallCounters;
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::load::{Arrival, BackendCapacity, PerAddress, TotalInFlight};
use crate::policy::{BackendCache, Fields, HasConnection, Pick};
use crate::stats::StatsSource;

/// How many times a pick looks at all backends before it takes one without room. There is room
/// somewhere whenever a round begins, so a round fails only if picks of other threads take all of
/// it.
const MAX_ROUNDS: usize = 64;

/// Reads the factor, in percent. `None`: off.
pub(super) fn parse(fields: &mut Fields<'_>) -> Option<u32> {
    const NAME: &str = "hashBalanceFactor";
    let percent: u32 = fields.number(NAME, 0);
    if (1..100).contains(&percent) {
        fields.fault(NAME, "must be 0 or at least 100");
    }
    (percent > 0).then_some(percent)
}

/// The calls in flight of each backend that is listed. The policy calls it in the work serializer.
pub(super) struct BoundedLoads<S> {
    total: Arc<TotalInFlight>,
    calls: PerAddress<CallCounters<BackendCapacity>>,
    candidates: BackendCache<S, Candidate<BackendCapacity>>,
    /// The number of READY endpoints of each backend, by the address of its counters in memory:
    /// endpoints with the same addresses are one backend, with one share.
    ready_endpoints: HashMap<usize, usize>,
}

impl<S: HasConnection> BoundedLoads<S> {
    /// For an empty list.
    pub(super) fn new() -> Self {
        BoundedLoads {
            total: Arc::default(),
            calls: PerAddress::default(),
            candidates: BackendCache::new(),
            ready_endpoints: HashMap::new(),
        }
    }

    /// Makes `endpoints` the list in use. Without a factor, forgets all calls.
    pub(super) fn update_list(
        &mut self,
        factor: Option<u32>,
        endpoints: &[&Arc<EndpointDescriptor>],
    ) {
        // All candidates are made again, so all endpoints are counted again.
        self.ready_endpoints.clear();
        self.candidates.update_list(endpoints.len(), |_, _| false);
        if factor.is_none() {
            self.total = Arc::default();
            self.calls.clear();
            return;
        }
        let BoundedLoads { total, calls, .. } = self;
        calls.update_list(endpoints, |_| CallCounters::new(BackendCapacity::new(total)));
    }

    /// Describes the calls of all backends for the statistics.
    pub(super) fn stats_source(&self) -> Arc<dyn StatsSource> {
        self.calls.stats_source()
    }

    /// Drops all connections: no backend is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.ready_endpoints.clear();
        self.candidates = BackendCache::new();
    }

    /// Forgets endpoints. No endpoint has their addresses any more.
    pub(super) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        if !self.calls.is_empty() {
            self.calls.forget(gone);
        }
    }

    /// The backends of one picker. `backends` has the endpoints by their places in the list in use.
    pub(super) fn backends(
        &mut self,
        percent: u32,
        backends: &PersistentVec<S>,
    ) -> BoundedBackends {
        let BoundedLoads { total, calls, candidates, ready_endpoints } = self;
        let candidates = candidates.update(
            backends,
            |place, connection| Candidate::new(connection, calls.at(place), place),
            |candidate, is_made| {
                let backend = Arc::as_ptr(&candidate.calls) as usize;
                let count = ready_endpoints.entry(backend).or_default();
                *count = if is_made { *count + 1 } else { count.saturating_sub(1) };
                if *count == 0 {
                    ready_endpoints.remove(&backend);
                }
            },
        );
        let (total, candidates) = (Arc::clone(total), candidates.clone());
        BoundedBackends { percent, total, candidates, count: ready_endpoints.len() }
    }
}

/// The READY backends of one picker.
pub(super) struct BoundedBackends {
    percent: u32,
    total: Arc<TotalInFlight>,
    /// By place. Endpoints that are not READY have none.
    candidates: PersistentVec<Candidate<BackendCapacity>>,
    /// The number of backends. Endpoints with the same addresses are one backend.
    count: usize,
}

impl BoundedBackends {
    /// Counts a call that looks for a backend.
    pub(super) fn arrive(&self) -> Arrival<'_> {
        self.total.arrive(self.percent, self.count)
    }

    /// Takes the backend at this place for the call, if it is READY and has room.
    pub(super) fn take<'a>(
        &self,
        arrival: Arrival<'a>,
        place: usize,
    ) -> Result<Pick<'static>, Arrival<'a>> {
        let Some(candidate) = self.candidates.get(place) else { return Err(arrival) };
        arrival.take(&candidate.calls.observer)?;
        Ok(Pick::tracked(&candidate.backend))
    }

    /// Takes the first backend that has room, in this order. Returns `None` if none of them is
    /// READY.
    pub(super) fn take_first<I: Iterator<Item = usize>>(
        &self,
        order: impl Fn() -> I,
    ) -> Option<Pick<'static>> {
        for _ in 0..MAX_ROUNDS {
            let mut arrival = self.arrive();
            for place in order() {
                match self.take(arrival, place) {
                    Ok(pick) => return Some(pick),
                    Err(again) => arrival = again,
                }
            }
        }
        let candidate = order().find_map(|place| self.candidates.get(place))?;
        self.arrive().take_anyway(&candidate.calls.observer);
        Some(Pick::tracked(&candidate.backend))
    }
}
