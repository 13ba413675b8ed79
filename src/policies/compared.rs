//! The READY backends of a policy that compares a few of them, each with its weight and the
//! counters of its calls. Finds those that have just become READY.
//!
//! Must not depend on: what a backend costs.

use std::collections::HashSet;
use std::sync::Arc;

use super::candidate::Candidate;
use crate::calls::{CallCounters, CallObserver};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::load::PerAddress;
use crate::policy::DenseBackendCache;
use crate::stats::StatsSource;

/// The backends that are looked at for a mean. More do not make it much better.
const SAMPLES: usize = 16;

/// A READY backend.
pub(super) struct Compared<L> {
    pub(super) candidate: Candidate<L>,
    /// The resolver's weight, as a multiple of the mean of all weights. 1 without weights.
    pub(super) weight: f64,
}

// Not derived, because that would require `L: Clone`.
impl<L> Clone for Compared<L> {
    fn clone(&self) -> Self {
        Compared { candidate: self.candidate.clone(), weight: self.weight }
    }
}

/// The backends of a list. Made by a picker factory, and used in the work serializer.
pub(super) struct ComparedBackends<L> {
    calls: PerAddress<CallCounters<L>>,
    /// By place. Empty if no endpoint has a weight.
    weights: Vec<f64>,
    ready: DenseBackendCache<Compared<L>>,
    /// The backends that are new, or are READY again, since the last picker.
    fresh: Vec<Arc<CallCounters<L>>>,
}

impl<L: CallObserver> ComparedBackends<L> {
    pub(super) fn new() -> Self {
        ComparedBackends {
            calls: PerAddress::default(),
            weights: Vec::new(),
            ready: DenseBackendCache::new(),
            fresh: Vec::new(),
        }
    }

    pub(super) fn stats_source(&self) -> Arc<dyn StatsSource>
    where
        CallCounters<L>: crate::stats::BackendStatsSource,
    {
        self.calls.stats_source()
    }

    /// Takes the list in use. `new` makes the observer of a new backend.
    pub(super) fn update_list(
        &mut self,
        endpoints: &[&Arc<EndpointDescriptor>],
        mut new: impl FnMut() -> L,
    ) {
        let mut made = Vec::new();
        self.calls.update_list(endpoints, |descriptor| {
            made.push(descriptor.addresses.clone());
            CallCounters::new(new())
        });
        let find = |addresses| {
            self.calls.find(&EndpointDescriptor { addresses, ..EndpointDescriptor::default() })
        };
        let made: Vec<_> = made.into_iter().filter_map(find).collect();
        self.fresh.extend(made);
        self.weights = weights_of(endpoints);
        let ComparedBackends { calls, weights, ready, .. } = self;
        ready.update_list(endpoints.len(), |place, compared| {
            compared.candidate.has_calls(calls.at(place))
                && compared.weight == weight_at(weights, place)
        });
    }

    /// The calls of this endpoint.
    pub(super) fn find(&self, endpoint: &EndpointDescriptor) -> Option<Arc<CallCounters<L>>> {
        self.calls.find(endpoint)
    }

    /// An endpoint has become READY.
    pub(super) fn connected(&mut self, endpoint: &EndpointDescriptor) {
        self.fresh.extend(self.calls.find(endpoint));
    }

    /// No endpoint is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.ready = DenseBackendCache::new();
    }

    pub(super) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.calls.forget(gone);
    }

    /// Takes the READY backends. `restart` gets each backend that is new or is READY again, and
    /// some of the others.
    pub(super) fn update(
        &mut self,
        connections: &PersistentVec<Connection>,
        restart: impl Fn(&CallCounters<L>, &[Arc<CallCounters<L>>]),
    ) -> PersistentVec<Compared<L>> {
        let ComparedBackends { calls, weights, ready, fresh } = self;
        let ready = ready.update(connections, |place, connection| Compared {
            candidate: Candidate::new(connection, calls.at(place), place),
            weight: weight_at(weights, place),
        });
        if !fresh.is_empty() {
            let fresh = std::mem::take(fresh);
            let others = others(ready, &fresh);
            fresh.iter().for_each(|backend| restart(backend, &others));
        }
        ready.clone()
    }
}

/// Some of the READY backends, evenly chosen, that are not among these.
fn others<L>(
    ready: &PersistentVec<Compared<L>>,
    fresh: &[Arc<CallCounters<L>>],
) -> Vec<Arc<CallCounters<L>>> {
    let fresh: HashSet<*const CallCounters<L>> = fresh.iter().map(Arc::as_ptr).collect();
    let count = ready.count();
    let step = count.div_ceil(SAMPLES).max(1);
    let at = |index| ready.get(index).map(|compared: &Compared<L>| &compared.candidate.calls);
    let sampled = (0..count).step_by(step).filter_map(at);
    sampled.filter(|calls| !fresh.contains(&Arc::as_ptr(calls))).cloned().collect()
}

/// The weights by place, as multiples of their mean. An endpoint without one has the mean. Empty if
/// none has one.
fn weights_of(endpoints: &[&Arc<EndpointDescriptor>]) -> Vec<f64> {
    let given = || endpoints.iter().map(|endpoint| endpoint.weight).filter(|weight| *weight > 0);
    let (sum, count) =
        given().fold((0.0, 0.0), |(sum, count), weight| (sum + f64::from(weight), count + 1.0));
    if count == 0.0 {
        return Vec::new();
    }
    let relative = |endpoint: &&Arc<EndpointDescriptor>| match endpoint.weight {
        0 => 1.0,
        weight => f64::from(weight) * count / sum,
    };
    endpoints.iter().map(relative).collect()
}

fn weight_at(weights: &[f64], place: usize) -> f64 {
    weights.get(place).copied().unwrap_or(1.0)
}
