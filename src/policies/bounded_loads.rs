//! `hashBalanceFactor`: consistent hashing that passes over backends which have more than their
//! share of the calls in flight, by their weights. Used by `steer_ring_hash` and `steer_maglev`.
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
    endpoints: BackendCache<S, ReadyEndpoint>,
    /// The weights of the endpoints of the list in use, by place.
    weights: Vec<u64>,
    ready_weights: ReadyWeights,
}

/// A READY endpoint.
#[derive(Clone)]
struct ReadyEndpoint {
    candidate: Candidate<BackendCapacity>,
    weight: u64,
}

/// The weights of the READY backends. Endpoints with the same addresses are one backend, which has
/// the sum of their weights.
#[derive(Default)]
struct ReadyWeights {
    /// By the address of the backend's counters in memory.
    by_backend: HashMap<usize, u64>,
    sum: u64,
}

impl ReadyWeights {
    /// Adds or removes the weight of an endpoint that has become READY or has been lost.
    fn change(&mut self, endpoint: &ReadyEndpoint, is_ready: bool) {
        let calls = &endpoint.candidate.calls;
        let backend = Arc::as_ptr(calls) as usize;
        let former = self.by_backend.remove(&backend).unwrap_or(0);
        self.sum -= former;
        let weight = if is_ready {
            former + endpoint.weight
        } else {
            former.saturating_sub(endpoint.weight)
        };
        // A backend that is not READY is in no new picker.
        if weight > 0 {
            self.sum += weight;
            self.by_backend.insert(backend, weight);
            calls.observer.set_weight(weight);
        }
    }
}

impl<S: HasConnection> BoundedLoads<S> {
    /// For an empty list.
    pub(super) fn new() -> Self {
        BoundedLoads {
            total: Arc::default(),
            calls: PerAddress::default(),
            endpoints: BackendCache::new(),
            weights: Vec::new(),
            ready_weights: ReadyWeights::default(),
        }
    }

    /// Makes `endpoints` the list in use. `weights` has a weight of at least 1 for each of them.
    /// Without a factor, forgets all calls.
    pub(super) fn update_list(
        &mut self,
        factor: Option<u32>,
        endpoints: &[&Arc<EndpointDescriptor>],
        weights: impl Iterator<Item = u64>,
    ) {
        // All endpoints are made again, so all weights are added again.
        self.ready_weights = ReadyWeights::default();
        self.endpoints.update_list(endpoints.len(), |_, _| false);
        self.weights.clear();
        if factor.is_none() {
            self.total = Arc::default();
            self.calls.clear();
            return;
        }
        self.weights.extend(weights);
        let BoundedLoads { total, calls, .. } = self;
        calls.update_list(endpoints, |_| CallCounters::new(BackendCapacity::new(total)));
    }

    /// Describes the calls of all backends for the statistics.
    pub(super) fn stats_source(&self) -> Arc<dyn StatsSource> {
        self.calls.stats_source()
    }

    /// Drops all connections: no backend is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.ready_weights = ReadyWeights::default();
        self.endpoints = BackendCache::new();
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
        let BoundedLoads { total, calls, endpoints, weights, ready_weights } = self;
        let endpoints = endpoints.update(
            backends,
            |place, connection| {
                let candidate = Candidate::new(connection, calls.at(place), place);
                ReadyEndpoint { candidate, weight: weights[place] }
            },
            |endpoint, is_ready| ready_weights.change(endpoint, is_ready),
        );
        let (total, endpoints) = (Arc::clone(total), endpoints.clone());
        BoundedBackends { percent, total, endpoints, weights: ready_weights.sum }
    }
}

/// The READY backends of one picker.
pub(super) struct BoundedBackends {
    percent: u32,
    total: Arc<TotalInFlight>,
    /// By place.
    endpoints: PersistentVec<ReadyEndpoint>,
    /// The sum of their weights.
    weights: u64,
}

impl BoundedBackends {
    /// Counts a call that looks for a backend.
    pub(super) fn arrive(&self) -> Arrival<'_> {
        self.total.arrive(self.percent, self.weights)
    }

    /// Takes the backend at this place for the call, if it is READY and has room.
    pub(super) fn take<'a>(
        &self,
        arrival: Arrival<'a>,
        place: usize,
    ) -> Result<Pick<'static>, Arrival<'a>> {
        let Some(ReadyEndpoint { candidate, .. }) = self.endpoints.get(place) else {
            return Err(arrival);
        };
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
        let ReadyEndpoint { candidate, .. } =
            order().find_map(|place| self.endpoints.get(place))?;
        self.arrive().take_anyway(&candidate.calls.observer);
        Some(Pick::tracked(&candidate.backend))
    }
}
