//! `steer_peak_ewma`: samples a few READY backends, and chooses the one with the least cost: the
//! estimated latency of its calls × (calls in flight + 1).
//!
//! Sources: the balancers of that name in Finagle, linkerd and tower. `load/peak_ewma/` has the
//! estimate, and what it does beyond them.
//! Config: `decayTime`, `defaultRtt`, `choiceCount`, `fullScanBelow`.
//! Cost per pick: for each backend compared, 64 random bits, three loads, an exponential, and a
//! load for each level of a tree of the backends; one atomic addition on a cache line of the chosen
//! backend. A pick does not read the clock. Cost of a call's end: an exponential and six atomic
//! operations on cache lines of that backend. Cost per report: O(log backends). Cost per update:
//! O(backends).
//!
//! Must not depend on: how latency becomes an estimate.

use std::sync::Arc;
use std::time::Duration;

use super::candidate::Candidate;
use crate::calls::{Call, CallCounters};
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::load::{Cost, DecayRate, EwmaRule, PeakEwma, PerAddress};
use crate::policy::sample::{self, distinct};
use crate::policy::{
    BuiltIn, DenseBackendCache, Fields, Helper, Pick, Picker, PickerFactory, Ready,
};
use crate::stats::StatsSource;

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
    calls: PerAddress<CallCounters<PeakEwma>>,
    candidates: DenseBackendCache<Candidate<PeakEwma>>,
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
        }
    }

    fn new(_helper: &dyn Helper) -> Self {
        let rule = Arc::new(EwmaRule::new(DEFAULT_DECAY_TIME, DEFAULT_RTT));
        let (calls, candidates) = (PerAddress::default(), DenseBackendCache::new());
        PeakEwmaPickers { rule, calls, candidates, helper: None }
    }
}

impl PickerFactory for PeakEwmaPickers {
    type Config = PeakEwmaConfig;

    fn counts_calls(&self, _config: &PeakEwmaConfig) -> bool {
        true
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.calls.stats_source()]
    }

    fn configure(&mut self, config: &Arc<PeakEwmaConfig>, helper: &Arc<dyn Helper>) {
        self.rule.set(config.decay_time, config.default_rtt);
        self.helper = Some(Arc::clone(helper));
    }

    fn update_list(&mut self, _: &Arc<PeakEwmaConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let now = self.helper.as_ref().map_or(Duration::ZERO, |helper| helper.now());
        let PeakEwmaPickers { rule, calls, candidates, .. } = self;
        calls.update_list(endpoints, |_| CallCounters::new(PeakEwma::new(rule, now)));
        candidates
            .update_list(endpoints.len(), |place, candidate| candidate.has_calls(calls.at(place)));
    }

    fn none_ready(&mut self) {
        self.candidates = DenseBackendCache::new();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.calls.forget(gone);
    }

    fn build(
        &mut self,
        config: &Arc<PeakEwmaConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let PeakEwmaPickers { calls, candidates, .. } = self;
        let candidates = candidates.update(ready.connections(), |place, connection| {
            Candidate::new(connection, calls.at(place), place)
        });
        let (candidates, all) = (candidates.clone(), candidates.count());
        let choices = if all <= config.full_scan_below { all } else { config.choice_count };
        let decay = DecayRate::from_decay_time(config.decay_time);
        Box::new(PeakEwmaPicker { candidates, choices, decay, helper: Arc::clone(helper) })
    }
}

struct PeakEwmaPicker {
    /// Without gaps, in no particular order.
    candidates: PersistentVec<Candidate<PeakEwma>>,
    choices: usize,
    decay: DecayRate,
    helper: Arc<dyn Helper>,
}

impl Picker for PeakEwmaPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let mut best: Option<(&Candidate<PeakEwma>, Cost)> = None;
        distinct(&*self.helper, self.candidates.count(), self.choices, |index| {
            let Some(candidate) = self.candidates.get(index) else { return };
            let cost = candidate.calls.observer.cost(candidate.calls.in_flight());
            // Of candidates with equal costs, the first sample is chosen.
            if best.is_none_or(|(_, least)| cost.is_below(&least, self.decay)) {
                best = Some((candidate, cost));
            }
        });
        best.map_or(Pick::Queue, |(candidate, _)| Pick::tracked(&candidate.backend))
    }
}
