//! `steer_peak_ewma`: samples a few READY backends, and chooses the one with the least cost: the
//! estimated latency of its calls × (calls in flight + 1) ÷ success rate ÷ weight.
//!
//! Sources: the balancers of that name in Finagle, linkerd and tower. `load/peak_ewma/` has the
//! estimate, and what it does beyond them.
//! Config: `decayTime`, `defaultRtt`, `choiceCount`, `fullScanBelow`, `failureCodes`.
//! Cost per pick: a reading of the clock; for each backend compared, 64 random bits, six loads, and
//! a load for each level of a tree of the backends; one atomic addition and a store on cache lines
//! of the chosen backend. Cost of a call's end: an exponential and nine atomic operations on cache
//! lines of that backend. Cost per report: O(log backends). Cost per update: O(backends).
//!
//! Must not depend on: how latency becomes an estimate.

use std::sync::Arc;
use std::time::Duration;

use super::candidate::Candidate;
use super::compared::{Compared, ComparedBackends};
use super::failure_codes;
use crate::calls::{Call, CallCounters};
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::load::{EwmaRule, FailureCodes, PeakEwma};
use crate::policy::sample::{self, distinct, two};
use crate::policy::{BuiltIn, Fields, Helper, Pick, Picker, PickerFactory, Ready, Sources};
use crate::stats::StatsSource;
use crate::sync::Nanos;

/// The default of `decayTime`, as in Finagle and linkerd.
const DEFAULT_DECAY_TIME: Duration = Duration::from_secs(10);

/// The default of `defaultRtt`, as in linkerd. It should be of the order of what calls need.
const DEFAULT_RTT: Duration = Duration::from_millis(30);

/// Two choices bring most of the benefit (gRFC A48, Mitzenmacher).
const DEFAULT_CHOICES: usize = 2;

/// The default of `fullScanBelow`. Two samples of four backends miss the best one in half of the
/// picks.
const DEFAULT_FULL_SCAN: usize = 4;

/// The picker factory of `steer_peak_ewma`.
pub struct PeakEwmaPickers {
    rule: Arc<EwmaRule>,
    backends: ComparedBackends<PeakEwma>,
    /// For its clock. `None` before the first update.
    helper: Option<Arc<dyn Helper>>,
}

/// The config.
#[derive(Debug)]
pub struct PeakEwmaConfig {
    decay_time: Duration,
    default_rtt: Duration,
    /// The number of backends that a pick compares.
    choice_count: usize,
    /// A pick compares all backends if there are at most this many.
    full_scan_below: usize,
    failure_codes: FailureCodes,
}

impl BuiltIn for PeakEwmaPickers {
    const NAME: &'static str = "steer_peak_ewma";

    fn parse(fields: &mut Fields<'_>) -> PeakEwmaConfig {
        let mut positive = |name, default| {
            let duration = fields.duration(name, default);
            if duration.is_zero() {
                fields.fault(name, "must be above 0");
            }
            duration
        };
        let decay_time = positive("decayTime", DEFAULT_DECAY_TIME);
        let default_rtt = positive("defaultRtt", DEFAULT_RTT);
        let choice_count: usize = fields.number("choiceCount", DEFAULT_CHOICES);
        if choice_count < 2 {
            fields.fault("choiceCount", "must be at least 2");
        }
        PeakEwmaConfig {
            decay_time,
            default_rtt,
            choice_count: choice_count.min(sample::MAX_SAMPLES),
            full_scan_below: fields.number("fullScanBelow", DEFAULT_FULL_SCAN),
            failure_codes: failure_codes::parse(fields),
        }
    }

    fn new(_helper: &dyn Helper) -> Self {
        let codes = FailureCodes::default();
        let rule = Arc::new(EwmaRule::new(DEFAULT_DECAY_TIME, DEFAULT_RTT, codes));
        PeakEwmaPickers { rule, backends: ComparedBackends::new(), helper: None }
    }
}

impl PickerFactory for PeakEwmaPickers {
    type Config = PeakEwmaConfig;

    const USES_WEIGHTS: bool = true;

    fn counts_calls(&self, _config: &PeakEwmaConfig) -> bool {
        true
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.backends.stats_source()]
    }

    fn configure(&mut self, config: &Arc<PeakEwmaConfig>, helper: &Arc<dyn Helper>) {
        self.rule.set(config.decay_time, config.default_rtt, config.failure_codes);
        self.helper = Some(Arc::clone(helper));
    }

    fn update_list(&mut self, _: &Arc<PeakEwmaConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let now = self.helper.as_ref().map_or(Nanos::ZERO, |helper| helper.now().into());
        let PeakEwmaPickers { rule, backends, .. } = self;
        backends.update_list(endpoints, || PeakEwma::new(rule, now));
    }

    fn connected(&mut self, endpoint: &EndpointDescriptor) {
        self.backends.connected(endpoint);
    }

    fn none_ready(&mut self) {
        self.backends.none_ready();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.backends.forget(gone);
    }

    fn build(
        &mut self,
        config: &Arc<PeakEwmaConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let now = helper.now().into();
        let restart = |backend: &CallCounters<PeakEwma>, others: &[Arc<CallCounters<PeakEwma>>]| {
            let mean = |value: fn(&PeakEwma, u32, Nanos) -> f64| {
                let values = others.iter().map(|it| value(&it.observer, it.in_flight(), now));
                values.sum::<f64>() / others.len().max(1) as f64
            };
            backend.observer.restart(mean(PeakEwma::estimate), mean(PeakEwma::calls), now);
        };
        let backends = self.backends.update(ready.connections(), restart);
        let all = backends.count();
        let choices = if all <= config.full_scan_below { all } else { config.choice_count };
        Box::new(PeakEwmaPicker { backends, choices, sources: Sources::of(helper) })
    }
}

struct PeakEwmaPicker {
    /// Without gaps, in no particular order.
    backends: PersistentVec<Compared<PeakEwma>>,
    choices: usize,
    sources: Sources,
}

impl PeakEwmaPicker {
    /// The backend at this index, and what another call to it costs.
    // Inlined, because a call saves registers: twice in a pick, 20 instructions each time.
    #[inline(always)]
    fn costed(&self, index: usize, now: Nanos) -> (Option<&Candidate<PeakEwma>>, f64) {
        let Some(backend) = self.backends.get(index) else { return (None, f64::INFINITY) };
        let calls = &backend.candidate.calls;
        let cost = calls.observer.cost(calls.in_flight(), now);
        (Some(&backend.candidate), cost / backend.weight)
    }

    /// The best of the samples, if these are not two of many.
    #[inline(never)]
    fn best_of_samples(&self, now: Nanos) -> Option<&Candidate<PeakEwma>> {
        let (mut best, mut least) = (None, f64::INFINITY);
        let random = || self.sources.random();
        distinct(random, self.backends.count(), self.choices, |index| {
            let (backend, cost) = self.costed(index, now);
            if cost < least || best.is_none() {
                (best, least) = (backend, cost);
            }
        });
        best
    }
}

impl Picker for PeakEwmaPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let now = self.sources.now();
        let backends = self.backends.count();
        let best = if self.choices == 2 && backends > 2 {
            let [first, second] = two(|| self.sources.random(), backends);
            let (first, second) = (self.costed(first, now), self.costed(second, now));
            // Of backends with equal costs, the first sample is chosen.
            if second.1 < first.1 { second.0 } else { first.0 }
        } else {
            self.best_of_samples(now)
        };
        let Some(candidate) = best else { return Pick::Queue };
        candidate.calls.observer.picked_at(candidate.calls.in_flight(), now);
        candidate.pick()
    }
}
