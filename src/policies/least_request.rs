//! `steer_least_request`: samples a few READY backends, and chooses the one with the fewest calls
//! in flight.
//!
//! Sources: gRFC A48, except that the samples are distinct (see `policy/sample.rs`); Mitzenmacher,
//! "The Power of Two Choices in Randomized Load Balancing" (2001), for why two are enough.
//! Config: `choiceCount`.
//! Cost per pick: for each choice, 64 random bits, a load of its count, and a load for each level
//! of a tree of the backends; one atomic addition on a cache line of the chosen backend. Cost per
//! report: O(log backends). Cost per update: O(backends).
//!
//! Must not depend on: anything about calls except their number.

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

/// Two choices bring most of the benefit (gRFC A48, Mitzenmacher).
const DEFAULT_CHOICES: usize = 2;

/// The picker factory of `steer_least_request`.
pub struct LeastRequest {
    calls: PerAddress<CallCounters<()>>,
    candidates: DenseBackendCache<Candidate<()>>,
}

/// The config.
#[derive(Debug)]
pub struct LeastRequestConfig {
    /// The number of backends that a pick compares.
    choice_count: usize,
}

impl BuiltIn for LeastRequest {
    const NAME: &'static str = "steer_least_request";

    fn parse(fields: &mut Fields<'_>) -> LeastRequestConfig {
        let choice_count: usize = fields.number("choiceCount", DEFAULT_CHOICES);
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

    fn update_list(&mut self, _: &Arc<LeastRequestConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let LeastRequest { calls, candidates } = self;
        calls.update_list(endpoints, |_| CallCounters::new(()));
        candidates
            .update_list(endpoints.len(), |place, candidate| candidate.has_calls(calls.at(place)));
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
    /// Without gaps, in no particular order.
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
            // Of candidates with equal numbers, the first sample is chosen.
            if in_flight < fewest {
                (best, fewest) = (Some(candidate), in_flight);
            }
        });
        best.map_or(Pick::Queue, |candidate| Pick::tracked(&candidate.backend))
    }
}
