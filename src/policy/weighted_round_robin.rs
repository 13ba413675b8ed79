//! `steer_weighted_round_robin`: the READY backends in turn, each as often as its weight says. Weights are
//! those that the config gives, or are made of what the backends report of their load.
//!
//! Source: gRFC A58, gRFC A114, and gRPC's `weighted_round_robin`. `load/reported_weight.rs` says what a
//! weight is, `load/static_stride.rs` what becomes of it.
//! Cost per pick: one load and one store on a cache line of the thread's own, and two
//! multiplications for each backend that is passed over; with reports per call, what the tracking of a
//! call takes. No lock and no reference count: where gRPC replaces a picker's scheduler, here a whole
//! picker takes its place. Cost of an update, a report or of new weights: O(backends).
//!
//! Must not know: how reports come, how turns by weight are taken.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::leaf::{Backend, BuiltIn, PickerFactory, Ready};
use super::{
    Call, CallEnd, CallHooks, Fields, Helper, Metrics, Pick, Picker, TimerId, TrackedBackend, Wants,
};
use crate::endpoints::{Connection, EndpointDescriptor};
use crate::hashing::of_address;
use crate::load::{
    Observed, PerAddress, ReportedWeight, StaticStride, UtilizationMetric, WeightRule,
};
use crate::stats::{self, Describe, Latest, Table};
use crate::sync::{Handle, Sequence};

/// Schedulers are rebuilt no more often than this, as in gRPC.
const LEAST_UPDATE_PERIOD: Duration = Duration::from_millis(100);
/// Out of band, reports are asked for no more often than this: 0 would mean none to a host.
const LEAST_REPORTING_PERIOD: Duration = Duration::from_millis(1);

/// The config.
#[derive(Debug)]
pub struct WeightedRoundRobinConfig {
    source: Source,
    rule: WeightRule,
    blackout_period: Duration,
    weight_expiration_period: Duration,
    weight_update_period: Duration,
}

/// Where weights come from.
#[derive(Debug)]
enum Source {
    /// From reports with the end of each call.
    Calls,
    /// From reports out of band, about once in this time.
    OutOfBand(Duration),
    /// From the config, by address without its scheme.
    Config(HashMap<Vec<u8>, f32>),
}

impl BuiltIn for WeightedRoundRobin {
    const NAME: &'static str = "steer_weighted_round_robin";

    fn parse(fields: &mut Fields<'_>) -> WeightedRoundRobinConfig {
        let seconds = Duration::from_secs;
        let out_of_band = fields.read("enableOobLoadReport", false);
        let reporting_period = fields.duration("oobReportingPeriod", seconds(10));
        let blackout_period = fields.duration("blackoutPeriod", seconds(10));
        let weight_expiration_period = fields.duration("weightExpirationPeriod", seconds(180));
        let weight_update_period = fields.duration("weightUpdatePeriod", seconds(1));
        let penalty = fields.number("errorUtilizationPenalty", 1.0);
        if !(0.0..=f64::from(f32::MAX)).contains(&penalty) {
            fields.fault("errorUtilizationPenalty", "must be a number that is not negative");
        }
        let utilization_metrics = utilization_metrics(fields);
        let weights = static_weights(fields);
        let source = if !weights.is_empty() {
            Source::Config(weights)
        } else if out_of_band {
            Source::OutOfBand(reporting_period.max(LEAST_REPORTING_PERIOD))
        } else {
            Source::Calls
        };
        WeightedRoundRobinConfig {
            source,
            rule: WeightRule { utilization_metrics, error_utilization_penalty: penalty as f32 },
            blackout_period,
            weight_expiration_period,
            weight_update_period: weight_update_period.max(LEAST_UPDATE_PERIOD),
        }
    }

    fn new(helper: &dyn Helper) -> Self {
        WeightedRoundRobin {
            sequence: Sequence::new(|| helper.random()),
            known: PerAddress::default(),
            same_as: None,
            given: Vec::new(),
            current: Vec::new(),
            scheduler: None,
            weighed: Arc::default(),
            applied: None,
            timer: None,
            counts: false,
        }
    }
}

fn utilization_metrics(fields: &mut Fields<'_>) -> Vec<UtilizationMetric> {
    const FIELD: &str = "metricNamesForComputingUtilization";
    let names: Vec<Value> = fields.read(FIELD, Vec::new());
    let metric = |(index, name): (usize, &Value)| {
        let metric = name.as_str().and_then(UtilizationMetric::parse);
        if metric.is_none() {
            fields.fault(&format!("{FIELD}[{index}]"), format!("unsupported metric name {name}"));
        }
        metric
    };
    names.iter().enumerate().filter_map(metric).collect()
}

fn static_weights(fields: &mut Fields<'_>) -> HashMap<Vec<u8>, f32> {
    const FIELD: &str = "weights";
    let given: serde_json::Map<String, Value> = fields.read(FIELD, serde_json::Map::new());
    let mut weights = HashMap::new();
    for (address, weight) in &given {
        let field = format!("{FIELD}[{}]", Value::from(address.as_str()));
        // As far as single precision goes.
        match weight.as_f64().map(|weight| weight as f32) {
            Some(weight) if weight > 0.0 && weight.is_finite() => {
                if weights.insert(of_address(address).into_owned(), weight).is_some() {
                    fields.fault(&field, "the same address has another weight already");
                }
            }
            _ => fields.fault(&field, "must be a number above 0"),
        }
    }
    weights
}

/// What is known of a backend.
type Known = Observed<ReportedWeight>;

/// The picker factory of `steer_weighted_round_robin`.
pub struct WeightedRoundRobin {
    /// Goes on over pickers: with each of them, a backend's turns would otherwise begin anew.
    sequence: Sequence,
    known: PerAddress<Known>,
    /// For each place of the list, the first one with the same addresses; none: all differ. A weight
    /// is a backend's, however often it is listed, so it takes part once, as in gRPC.
    same_as: Option<Vec<usize>>,
    /// The config's weight for each place of the list; 0: none. Empty when weights are reported.
    given: Vec<f32>,
    /// The backends of the last picker.
    current: Vec<Arc<Known>>,
    /// Its scheduler.
    scheduler: Option<StaticStride>,
    /// For statistics.
    weighed: Arc<Latest>,
    /// What the latest update brought.
    applied: Option<(Arc<WeightedRoundRobinConfig>, Arc<dyn Helper>)>,
    /// Runs until weights are to be looked at again.
    timer: Option<TimerId>,
    /// Whether the last picker counts its calls.
    counts: bool,
}

impl WeightedRoundRobin {
    /// The weights that these backends have now; 0 where none is of use.
    fn reported(&self, backends: &[Arc<Known>]) -> Vec<f32> {
        let Some((config, helper)) = &self.applied else { return vec![0.0; backends.len()] };
        let now = helper.now();
        let (expiration, blackout) = (config.weight_expiration_period, config.blackout_period);
        let weight = |known: &Arc<Known>| known.learnt.usable(now, expiration, blackout);
        backends.iter().map(weight).collect()
    }

    fn start_timer(&mut self) {
        if let Some((config, helper)) = &self.applied {
            self.timer = Some(helper.start_timer(config.weight_update_period));
        }
    }
}

impl PickerFactory for WeightedRoundRobin {
    type Config = WeightedRoundRobinConfig;

    fn counts_calls(&self, config: &WeightedRoundRobinConfig) -> bool {
        matches!(config.source, Source::Calls) && self.counts
    }

    fn tellers(&self) -> Vec<Arc<dyn Describe>> {
        vec![self.known.teller(), Arc::clone(&self.weighed) as Arc<dyn Describe>]
    }

    fn configure(&mut self, config: &Arc<WeightedRoundRobinConfig>, helper: &Arc<dyn Helper>) {
        let former = self.applied.replace((Arc::clone(config), Arc::clone(helper)));
        let former = former.as_ref().map(|(config, _)| &**config);
        let asked = former.and_then(WeightedRoundRobinConfig::reporting_period);
        if config.reporting_period() != asked {
            helper.request_load_reports(config.reporting_period());
        }
        let running = former.and_then(WeightedRoundRobinConfig::update_period);
        if config.update_period() != running {
            if let Some(timer) = self.timer.take() {
                helper.cancel_timer(timer);
            }
            if config.update_period().is_some() {
                self.start_timer();
            }
        }
    }

    fn list(
        &mut self,
        config: &Arc<WeightedRoundRobinConfig>,
        endpoints: &[&Arc<EndpointDescriptor>],
    ) {
        self.known.list(endpoints, |_| Observed::new(ReportedWeight::new()));
        let mut first = HashMap::new();
        let same_as = endpoints.iter().enumerate();
        let same_as = same_as.map(|(place, of)| *first.entry(&of.addresses).or_insert(place));
        let same_as: Vec<usize> = same_as.collect();
        self.same_as = (first.len() < endpoints.len()).then_some(same_as);
        self.given = match &config.source {
            Source::Config(weights) => endpoints.iter().map(|of| given(weights, of)).collect(),
            _ => Vec::new(),
        };
    }

    fn keep(&mut self, endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {
        self.known.keep(endpoints);
    }

    fn connected(&mut self, endpoint: &EndpointDescriptor) {
        if let Some(known) = self.known.find(endpoint) {
            known.learnt.reconnected();
        }
    }

    fn load_report(
        &mut self,
        endpoint: &EndpointDescriptor,
        metrics: &Metrics,
        helper: &dyn Helper,
    ) {
        let Some((config, _)) = &self.applied else { return };
        if !matches!(config.source, Source::OutOfBand(_)) {
            return;
        }
        if let (Some(known), Some(weight)) =
            (self.known.find(endpoint), config.rule.weight(metrics))
        {
            known.learnt.report(weight, helper.now());
        }
    }

    fn build(
        &mut self,
        config: &Arc<WeightedRoundRobinConfig>,
        ready: &Ready<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let mut backends: Vec<Backend> = ready.backends().collect();
        if let Some(same_as) = &self.same_as {
            let mut there = HashSet::new();
            backends.retain(|backend| there.insert(same_as[backend.place]));
        }
        self.current =
            backends.iter().map(|backend| Arc::clone(self.known.at(backend.place))).collect();
        let weights = match &config.source {
            Source::Config(_) => backends.iter().map(|backend| self.given[backend.place]).collect(),
            _ => self.reported(&self.current),
        };
        self.scheduler = StaticStride::new(&weights);
        let (connections, endpoints): (Vec<_>, Vec<_>) =
            backends.into_iter().map(|backend| (backend.connection, backend.descriptor)).unzip();
        self.weighed.set(Weighed { endpoints, weights, scheduler: self.scheduler.clone() });
        let turns = Turns { scheduler: self.scheduler.clone(), sequence: self.sequence.clone() };
        if !matches!(config.source, Source::Calls) {
            return Box::new(UntrackedPicker { turns, connections: connections.into() });
        }
        self.counts = stats::tracks_calls();
        let hooks: Arc<dyn CallHooks> = Arc::new(Reports {
            counts: self.counts,
            config: Arc::clone(config),
            backends: self.current.iter().map(Arc::clone).collect(),
        });
        let tracked =
            |(place, connection)| TrackedBackend::new(connection, Arc::clone(&hooks), place);
        let backends = connections.into_iter().enumerate().map(tracked).collect();
        Box::new(TrackedPicker { turns, backends })
    }

    fn timer(&mut self, timer: TimerId) -> bool {
        if self.timer != Some(timer) {
            return false;
        }
        self.start_timer();
        StaticStride::new(&self.reported(&self.current)) != self.scheduler
    }
}

impl WeightedRoundRobinConfig {
    /// How often reports are wanted out of band; none: they are not.
    fn reporting_period(&self) -> Option<Duration> {
        match self.source {
            Source::OutOfBand(period) => Some(period),
            Source::Calls | Source::Config(_) => None,
        }
    }

    /// How often weights are looked at; none: they do not change.
    fn update_period(&self) -> Option<Duration> {
        match self.source {
            Source::Config(_) => None,
            Source::Calls | Source::OutOfBand(_) => Some(self.weight_update_period),
        }
    }
}

/// The config's weight for this endpoint, which may be named by any of its addresses; 0: none.
fn given(weights: &HashMap<Vec<u8>, f32>, endpoint: &EndpointDescriptor) -> f32 {
    let mut addresses = endpoint.addresses.iter();
    addresses.find_map(|address| weights.get(&*of_address(address))).copied().unwrap_or(0.0)
}

/// What a picker goes by.
struct Weighed {
    endpoints: Vec<Arc<EndpointDescriptor>>,
    /// 0: none is known.
    weights: Vec<f32>,
    scheduler: Option<StaticStride>,
}

impl Describe for Weighed {
    fn describe(&self, table: &mut Table) {
        let shares: Vec<f64> = match &self.scheduler {
            Some(scheduler) => scheduler.shares().collect(),
            None => vec![1.0 / self.endpoints.len() as f64; self.endpoints.len()],
        };
        for ((endpoint, weight), share) in self.endpoints.iter().zip(&self.weights).zip(shares) {
            if let Some(row) = table.row(&endpoint.addresses) {
                row.weight = (*weight > 0.0).then_some(f64::from(*weight));
                row.share = Some(share);
            }
        }
    }
}

/// What becomes of the reports that come with calls.
struct Reports {
    /// Whether calls are counted, too. The policy does not need that, and it costs half of what tracking a call
    /// does.
    counts: bool,
    config: Arc<WeightedRoundRobinConfig>,
    /// By their places in the picker.
    backends: Box<[Arc<Known>]>,
}

impl CallHooks for Reports {
    fn wants_latency(&self) -> bool {
        // For the statistics.
        self.counts
    }

    fn picked(&self, backend: usize, state: Handle) {
        if self.counts {
            CallHooks::picked(&*self.backends[backend], backend, state);
        }
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        if let CallEnd::Finished { ended, metrics: Some(metrics), .. } = end {
            if let Some(weight) = self.config.rule.weight(metrics) {
                self.backends[backend].learnt.report(weight, *ended);
            }
        }
        if self.counts {
            CallHooks::finished(&*self.backends[backend], backend, state, end);
        }
    }
}

/// Whose turn it is.
struct Turns {
    /// None: all are taken alike.
    scheduler: Option<StaticStride>,
    sequence: Sequence,
}

impl Turns {
    #[inline(always)]
    fn next(&self, places: usize) -> usize {
        match &self.scheduler {
            Some(scheduler) => {
                self.sequence.next(places, |place, pass| scheduler.takes(place, pass))
            }
            None => self.sequence.next(places, |_, _| true),
        }
    }
}

struct UntrackedPicker {
    turns: Turns,
    connections: Box<[Connection]>,
}

impl Picker for UntrackedPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Complete(&self.connections[self.turns.next(self.connections.len())])
    }
}

struct TrackedPicker {
    turns: Turns,
    backends: Box<[Arc<TrackedBackend>]>,
}

impl Picker for TrackedPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::tracked(&self.backends[self.turns.next(self.backends.len())])
    }

    fn wants(&self) -> Wants {
        Wants { metrics: true, ..Wants::default() }
    }
}
