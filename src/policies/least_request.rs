//! `steer_least_request`: of a few READY backends taken at random, the one with the fewest calls in
//! flight.
//!
//! Source: gRFC A48, but for samples that are distinct (see `sample.rs`); Mitzenmacher, "The Power
//! of Two Choices in Randomized Load Balancing" (2001), for why two are enough.
//! Cost per pick: 64 random bits and one load for each choice; one atomic addition on a line of the
//! chosen backend's; and a load more per choice for each level of a tree of the backends. Cost per
//! report: O(log backends). Cost per update: O(backends).
//!
//! Must not know: what calls are, beyond their number.

use std::sync::Arc;

use super::candidate::Candidate;
use crate::calls::{Call, CallCounters};
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::load::PerAddress;
use crate::policy::sample::{self, distinct};
use crate::policy::{
    BuiltIn, DenseBackendCache, Fields, Helper, Pick, Picker, PickerFactory, Ready,
};
use crate::stats::StatsSource;

/// The picker factory of `steer_least_request`.
pub struct LeastRequest {
    calls: PerAddress<CallCounters<()>>,
    candidates: DenseBackendCache<Candidate<()>>,
}

/// The config.
#[derive(Debug)]
pub struct LeastRequestConfig {
    /// How many backends are compared.
    choice_count: usize,
}

impl BuiltIn for LeastRequest {
    const NAME: &'static str = "steer_least_request";

    fn parse(fields: &mut Fields<'_>) -> LeastRequestConfig {
        let choice_count: usize = fields.number("choiceCount", 2);
        if choice_count < 2 {
            fields.fault("choiceCount", "must be at least 2");
        }
        LeastRequestConfig { choice_count: choice_count.min(sample::MAX_SAMPLES) }
    }

    fn new(_helper: &dyn Helper) -> Self {
        LeastRequest { calls: PerAddress::default(), candidates: DenseBackendCache::new() }
    }
}

impl PickerFactory for LeastRequest {
    type Config = LeastRequestConfig;

    fn counts_calls(&self, _config: &LeastRequestConfig) -> bool {
        true
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.calls.stats_source()]
    }

    fn list(&mut self, _: &Arc<LeastRequestConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let LeastRequest { calls, candidates } = self;
        calls.update_list(endpoints, |_| CallCounters::new(()));
        candidates
            .update_list(endpoints.len(), |place, candidate| candidate.is_of(calls.at(place)));
    }

    fn build(
        &mut self,
        config: &Arc<LeastRequestConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let LeastRequest { calls, candidates } = self;
        let candidates = candidates.update(ready.connections(), |place, connection| {
            Candidate::new(connection, calls.at(place), place)
        });
        let (candidates, choice_count) = (candidates.clone(), config.choice_count);
        Box::new(LeastRequestPicker { candidates, choice_count, helper: Arc::clone(helper) })
    }

    fn none_ready(&mut self) {
        self.candidates = DenseBackendCache::new();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.calls.forget(gone);
    }
}

struct LeastRequestPicker {
    /// At the first places.
    candidates: PersistentVec<Candidate<()>>,
    choice_count: usize,
    helper: Arc<dyn Helper>,
}

impl Picker for LeastRequestPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let (mut best, mut fewest) = (None, u32::MAX);
        distinct(&*self.helper, self.candidates.count(), self.choice_count, |index| {
            let Some(candidate) = self.candidates.get(index) else { return };
            let in_flight = candidate.calls.in_flight();
            // Only fewer is better: of equals, the first one stays.
            if in_flight < fewest {
                (best, fewest) = (Some(candidate), in_flight);
            }
        });
        best.map_or(Pick::Queue, |candidate| Pick::tracked(&candidate.backend))
    }
}
