//! `steer_peak_ewma`: of a few READY backends taken at random, the one at which a call would cost
//! the least: how long its calls take × (calls in flight + 1).
//!
//! Source: Finagle's, linkerd's and tower's balancers of that name; the estimate and where it goes
//! beyond them stand in `load/peak_ewma.rs`.
//! Cost per pick: for each backend compared, 64 random bits, three loads and an exponential; one
//! atomic addition on a line of the chosen backend's, and no look at the clock. Cost of a call's
//! end: an exponential and six atomic operations on lines of that backend alone. A pick takes a
//! load more per choice for each level of a tree of the backends. Cost per report: O(log backends).
//! Cost per update: O(backends).
//!
//! Must not know: how latency becomes an estimate.

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

const DECAY_TIME: Duration = Duration::from_secs(10);
const DEFAULT_RTT: Duration = Duration::from_millis(30);

/// The picker factory of `steer_peak_ewma`.
pub struct PeakEwmaPickers {
    rule: Arc<EwmaRule>,
    calls: PerAddress<CallCounters<PeakEwma>>,
    candidates: DenseBackendCache<Candidate<PeakEwma>>,
    /// For its clock, from the first update on.
    helper: Option<Arc<dyn Helper>>,
}

/// The config.
#[derive(Debug)]
pub struct PeakEwmaConfig {
    decay_time: Duration,
    default_rtt: Duration,
    /// How many backends are compared.
    choice_count: usize,
    /// All are compared when there are no more than this.
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
        let decay_time = positive("decayTime", DECAY_TIME);
        let default_rtt = positive("defaultRtt", DEFAULT_RTT);
        let choice_count: usize = fields.number("choiceCount", 2);
        if choice_count < 2 {
            fields.fault("choiceCount", "must be at least 2");
        }
        PeakEwmaConfig {
            decay_time,
            default_rtt,
            choice_count: choice_count.min(sample::MAX_SAMPLES),
            full_scan_below: fields.number("fullScanBelow", 4),
        }
    }

    fn new(_helper: &dyn Helper) -> Self {
        let rule = Arc::new(EwmaRule::new(DECAY_TIME, DEFAULT_RTT));
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

    fn list(&mut self, _: &Arc<PeakEwmaConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let now = self.helper.as_ref().map_or(Duration::ZERO, |helper| helper.now());
        let PeakEwmaPickers { rule, calls, candidates, .. } = self;
        calls.update_list(endpoints, |_| CallCounters::new(PeakEwma::new(rule, now)));
        candidates
            .update_list(endpoints.len(), |place, candidate| candidate.is_of(calls.at(place)));
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
    /// At the first places.
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
            // Only less is better: of equals, the first one stays.
            if best.is_none_or(|(_, least)| cost.is_below(&least, self.decay)) {
                best = Some((candidate, cost));
            }
        });
        best.map_or(Pick::Queue, |(candidate, _)| Pick::tracked(&candidate.backend))
    }
}
