//! `hashBalanceFactor`: consistent hashing that passes over backends which have more than their
//! share of the calls in flight. What `steer_ring_hash` and `steer_maglev` have in common there.
//!
//! Source: arXiv 1608.01350; see `load/bounded.rs`.
//! Cost per pick: the call is tracked. Cost per report: O(log backends). Cost per update:
//! O(backends).
//!
//! Must not know: in which order backends are tried.

use std::collections::HashMap;
use std::sync::Arc;

use super::candidate::Candidate;
use crate::calls::CallCounters;
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::load::{Arrival, BackendCapacity, PerAddress, TotalInFlight};
use crate::policy::{BackendCache, Fields, HasConnection, Pick};
use crate::stats::StatsSource;

/// How many times a pick looks at all backends before it takes one that has no room. It takes other
/// threads' picks to make one look in vain.
const LOOKS: usize = 64;

/// Reads the factor, in percent; none: off.
pub(super) fn parse(fields: &mut Fields<'_>) -> Option<u32> {
    const NAME: &str = "hashBalanceFactor";
    let percent: u32 = fields.number(NAME, 0);
    if (1..100).contains(&percent) {
        fields.fault(NAME, "must be 0 or at least 100");
    }
    (percent > 0).then_some(percent)
}

/// What is known of the calls of each backend, for as long as it is listed.
pub(super) struct BoundedLoads<S> {
    total: Arc<TotalInFlight>,
    calls: PerAddress<CallCounters<BackendCapacity>>,
    candidates: BackendCache<S, Candidate<BackendCapacity>>,
    /// How many READY endpoints there are of each backend, which is known by where its calls are
    /// counted: endpoints of the same address are one backend, and have one share.
    endpoints: HashMap<usize, usize>,
}

impl<S: HasConnection> BoundedLoads<S> {
    /// Of no list.
    pub(super) fn new() -> Self {
        BoundedLoads {
            total: Arc::default(),
            calls: PerAddress::default(),
            candidates: BackendCache::new(),
            endpoints: HashMap::new(),
        }
    }

    /// The list in use is this one, with a factor or without. Without one nothing is remembered.
    pub(super) fn update_list(
        &mut self,
        factor: Option<u32>,
        endpoints: &[&Arc<EndpointDescriptor>],
    ) {
        // Backends that went on being READY are counted anew, too.
        self.endpoints.clear();
        self.candidates.update_list(endpoints.len(), |_, _| false);
        if factor.is_none() {
            self.total = Arc::default();
            self.calls.clear();
            return;
        }
        let BoundedLoads { total, calls, .. } = self;
        calls.update_list(endpoints, |_| CallCounters::new(BackendCapacity::new(total)));
    }

    /// What tells statistics of the calls.
    pub(super) fn stats_source(&self) -> Arc<dyn StatsSource> {
        self.calls.stats_source()
    }

    /// No backend is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.endpoints.clear();
        self.candidates = BackendCache::new();
    }

    /// Forgets these endpoints: none with their addresses is left.
    pub(super) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        if !self.calls.is_empty() {
            self.calls.forget(gone);
        }
    }

    /// Backends for one picker: the READY ones of these, by their places in the list in use.
    pub(super) fn backends(
        &mut self,
        percent: u32,
        backends: &PersistentVec<S>,
    ) -> BoundedBackends {
        let BoundedLoads { total, calls, candidates, endpoints } = self;
        let candidates = candidates.update(
            backends,
            |place, connection| Candidate::new(connection, calls.at(place), place),
            |candidate, is_made| {
                let backend = Arc::as_ptr(&candidate.calls) as usize;
                let of = endpoints.entry(backend).or_default();
                *of = if is_made { *of + 1 } else { of.saturating_sub(1) };
                if *of == 0 {
                    endpoints.remove(&backend);
                }
            },
        );
        let (total, candidates) = (Arc::clone(total), candidates.clone());
        BoundedBackends { percent, total, candidates, count: endpoints.len() }
    }
}

/// The READY backends of one picker.
pub(super) struct BoundedBackends {
    percent: u32,
    total: Arc<TotalInFlight>,
    /// By place; none where a backend is not READY.
    candidates: PersistentVec<Candidate<BackendCapacity>>,
    count: usize,
}

impl BoundedBackends {
    /// A call looks for a backend.
    pub(super) fn arrive(&self) -> Arrival<'_> {
        self.total.arrive(self.percent, self.count)
    }

    /// The call goes to the backend at this place, if that is READY and has room for it.
    pub(super) fn take<'a>(
        &self,
        arrival: Arrival<'a>,
        place: usize,
    ) -> Result<Pick<'static>, Arrival<'a>> {
        let Some(candidate) = self.candidates.get(place) else { return Err(arrival) };
        arrival.take(&candidate.calls.observer)?;
        Ok(Pick::tracked(&candidate.backend))
    }

    /// The call goes to the first backend that has room for it; none: none of them is READY.
    pub(super) fn take_first<I: Iterator<Item = usize>>(
        &self,
        order: impl Fn() -> I,
    ) -> Option<Pick<'static>> {
        for _ in 0..LOOKS {
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
