//! `steer_least_request`: samples a few READY backends, and chooses the one with the least
//! (calls in flight + 1) ÷ weight ÷ success rate.
//!
//! Sources: gRFC A48, except that the samples are distinct (see `policy/sample.rs`), and that
//! failures, weights and new backends count; Mitzenmacher, "The Power of Two Choices in Randomized
//! Load Balancing" (2001), for why two are enough. `failureAware: false` makes it A48's.
//! Config: `choiceCount`, `failureAware`, `failureCodes`.
//! Cost per pick: for each choice, 64 random bits, three loads, and a load for each level of a tree
//! of the backends; one atomic addition on a cache line of the chosen backend. The clock is read
//! only if a backend has failed or is new. Cost of a call's end: eight atomic operations on cache
//! lines of that backend. Cost per report: O(log backends). Cost per update: O(backends).
//!
//! Must not depend on: how long calls take.

use std::sync::Arc;

use super::candidate::Candidate;
use super::compared::{Compared, ComparedBackends};
use super::failure_codes;
use crate::calls::Call;
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::load::{FailureCodes, FailureRule, RequestCost};
use crate::policy::sample::{self, distinct, two};
use crate::policy::{BuiltIn, Fields, Helper, Pick, Picker, PickerFactory, Ready, Sources};
use crate::stats::StatsSource;
use crate::sync::Nanos;

/// Two choices bring most of the benefit (gRFC A48, Mitzenmacher).
const DEFAULT_CHOICES: usize = 2;

/// The picker factory of `steer_least_request`.
pub struct LeastRequest {
    backends: ComparedBackends<RequestCost>,
    rule: Arc<FailureRule>,
    /// For its clock. `None` before the first update.
    helper: Option<Arc<dyn Helper>>,
}

/// The config.
#[derive(Debug)]
pub struct LeastRequestConfig {
    /// The number of backends that a pick compares.
    choice_count: usize,
    /// The codes that count as failures. `None`: failures and new backends do not count.
    failure_codes: Option<FailureCodes>,
}

impl BuiltIn for LeastRequest {
    const NAME: &'static str = "steer_least_request";

    fn parse(fields: &mut Fields<'_>) -> LeastRequestConfig {
        let choice_count: usize = fields.number("choiceCount", DEFAULT_CHOICES);
        if choice_count < 2 {
            fields.fault("choiceCount", "must be at least 2");
        }
        let failure_aware: bool = fields.read("failureAware", true);
        let codes = failure_codes::parse(fields);
        LeastRequestConfig {
            choice_count: choice_count.min(sample::MAX_SAMPLES),
            failure_codes: failure_aware.then_some(codes),
        }
    }

    fn new(_helper: &dyn Helper) -> Self {
        LeastRequest { backends: ComparedBackends::new(), rule: Arc::default(), helper: None }
    }
}

impl PickerFactory for LeastRequest {
    type Config = LeastRequestConfig;

    const USES_WEIGHTS: bool = true;

    fn counts_calls(&self, _config: &LeastRequestConfig) -> bool {
        true
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.backends.stats_source()]
    }

    fn configure(&mut self, config: &Arc<LeastRequestConfig>, helper: &Arc<dyn Helper>) {
        self.rule.set(config.failure_codes.unwrap_or(FailureCodes::NONE));
        self.helper = Some(Arc::clone(helper));
    }

    fn update_list(&mut self, _: &Arc<LeastRequestConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let now = self.helper.as_ref().map_or(Nanos::ZERO, |helper| helper.now().into());
        let LeastRequest { rule, backends, .. } = self;
        backends.update_list(endpoints, || RequestCost::new(rule, now));
    }

    fn connected(&mut self, endpoint: &EndpointDescriptor) {
        self.backends.connected(endpoint);
    }

    fn build(
        &mut self,
        config: &Arc<LeastRequestConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let now = helper.now().into();
        let failure_aware = config.failure_codes.is_some();
        let backends = self.backends.update(ready.connections(), |backend, others| {
            if failure_aware {
                let others: Vec<_> =
                    others.iter().map(|it| (&it.observer, it.in_flight())).collect();
                backend.observer.charge_like(&others, now);
            }
        });
        let (choice_count, sources) = (config.choice_count, Sources::of(helper));
        Box::new(LeastRequestPicker { backends, choice_count, sources })
    }

    fn none_ready(&mut self) {
        self.backends.none_ready();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.backends.forget(gone);
    }
}

struct LeastRequestPicker {
    /// Without gaps, in no particular order.
    backends: PersistentVec<Compared<RequestCost>>,
    choice_count: usize,
    sources: Sources,
}

impl LeastRequestPicker {
    /// The backend at this index, and what another call to it costs.
    // Inlined, because a call saves registers: twice in a pick, 14 instructions each time.
    #[inline(always)]
    fn costed(&self, index: usize) -> (Option<&Candidate<RequestCost>>, f64) {
        let Some(backend) = self.backends.get(index) else { return (None, f64::INFINITY) };
        let calls = &backend.candidate.calls;
        let cost = calls.observer.cost(calls.in_flight(), || self.sources.now());
        (Some(&backend.candidate), cost / backend.weight)
    }

    /// The best of the samples, if these are not two of many.
    #[inline(never)]
    fn best_of_samples(&self) -> Option<&Candidate<RequestCost>> {
        let (mut best, mut least) = (None, f64::INFINITY);
        let random = || self.sources.random();
        distinct(random, self.backends.count(), self.choice_count, |index| {
            let (backend, cost) = self.costed(index);
            if cost < least {
                (best, least) = (backend, cost);
            }
        });
        best
    }
}

impl Picker for LeastRequestPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let backends = self.backends.count();
        let best = if self.choice_count == 2 && backends > 2 {
            let [first, second] = two(|| self.sources.random(), backends);
            let (first, second) = (self.costed(first), self.costed(second));
            // Of backends with equal costs, the first sample is chosen.
            if second.1 < first.1 { second.0 } else { first.0 }
        } else {
            self.best_of_samples()
        };
        // Not `map_or`, which makes a `Pick::Queue` first, and drops it.
        match best {
            Some(candidate) => candidate.pick(),
            None => Pick::Queue,
        }
    }
}
