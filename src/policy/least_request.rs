//! `steer_least_request`: of a few READY backends taken at random, the one with the fewest calls in flight.
//!
//! Source: gRFC A48, but for samples that are distinct (see `sample.rs`); Mitzenmacher, "The Power of Two Choices in
//! Randomized Load Balancing" (2001), for why two are enough.
//! Cost per pick: 64 random bits and one load for each choice; one atomic addition on a line of the chosen
//! backend's. Cost per update or report: O(backends).
//!
//! Must not know: what calls are, beyond their number.

use std::sync::Arc;

use super::leaf::{Backend, BuiltIn, PickerFactory, Ready};
use super::sample::{self, distinct};
use super::{Call, CallHooks, Fields, Helper, Pick, Picker, TrackedBackend};
use crate::endpoints::EndpointDescriptor;
use crate::load::{Observed, PerAddress};
use crate::stats::Describe;

/// The picker factory of `steer_least_request`.
pub struct LeastRequest {
    calls: PerAddress<Observed<()>>,
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
        LeastRequestConfig { choice_count: choice_count.min(sample::MOST) }
    }

    fn new(_helper: &dyn Helper) -> Self {
        LeastRequest { calls: PerAddress::default() }
    }
}

impl PickerFactory for LeastRequest {
    type Config = LeastRequestConfig;

    fn counts_calls(&self, _config: &LeastRequestConfig) -> bool {
        true
    }

    fn tellers(&self) -> Vec<Arc<dyn Describe>> {
        vec![self.calls.teller()]
    }

    fn list(&mut self, _: &Arc<LeastRequestConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        self.calls.list(endpoints, |_| Observed::new(()));
    }

    fn build(
        &mut self,
        config: &Arc<LeastRequestConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let candidate = |(place, backend): (usize, Backend)| {
            let calls = Arc::clone(self.calls.at(backend.place));
            let hooks = Arc::clone(&calls) as Arc<dyn CallHooks>;
            Candidate { calls, backend: TrackedBackend::new(backend.connection, hooks, place) }
        };
        let candidates = ready.backends().enumerate().map(candidate).collect();
        let choice_count = config.choice_count;
        Box::new(LeastRequestPicker { candidates, choice_count, helper: Arc::clone(helper) })
    }

    fn keep(&mut self, endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {
        self.calls.keep(endpoints);
    }
}

struct Candidate {
    calls: Arc<Observed<()>>,
    backend: Arc<TrackedBackend>,
}

struct LeastRequestPicker {
    candidates: Box<[Candidate]>,
    choice_count: usize,
    helper: Arc<dyn Helper>,
}

impl Picker for LeastRequestPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let (mut best, mut fewest) = (0, u32::MAX);
        distinct(&*self.helper, self.candidates.len(), self.choice_count, |index| {
            let in_flight = self.candidates[index].calls.in_flight();
            // Only fewer is better: of equals, the first one stays.
            if in_flight < fewest {
                (best, fewest) = (index, in_flight);
            }
        });
        Pick::tracked(&self.candidates[best].backend)
    }
}
