//! `steer_weighted_round_robin`: the READY backends in turn, each as often as its weight says. Weights are
//! those that the config gives, or are made of what the backends report of their load.
//!
//! Source: gRFC A58, gRFC A114, and gRPC's `weighted_round_robin`. `load/reported_weight.rs` says what a
//! weight is, `load/static_stride.rs` what becomes of it.
//! Cost per pick: one load and one store on a cache line of the thread's own, and two
//! multiplications for each backend that is passed over; with reports per call, what the tracking of a
//! call takes. No lock and no reference count: where gRPC replaces a picker's scheduler, here a whole
//! picker takes its place; and a load for each level of a tree of the backends.
//! Cost per report: a schedule of up to 1,024 backends; of more, O(log backends), and a new schedule each time that a
//! fourth of them has come or gone. Cost of an update and of new weights: O(backends).
//!
//! Must not know: how reports come, how turns by weight are taken.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::round_robin::MOST_SIDE_BY_SIDE;
use super::unique_backends::UniqueBackends;
use crate::calls::{Call, CallCounters, CallEnd, CallListener, Metrics, TrackedBackend, Wants};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::hashing::of_address;
use crate::load::{PerAddress, ReportedWeight, StaticStride, UtilizationMetric, WeightRule};
use crate::policy::{
    BackendCache, BuiltIn, Fields, Helper, Pick, Picker, PickerFactory, Ready, TimerId,
};
use crate::stats::{self, Latest, StatsSource, Table};
use crate::sync::{Handle, Step, WeightedRotation};

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
            sequence: WeightedRotation::new(|| helper.random()),
            known: PerAddress::default(),
            endpoints: Arc::default(),
            given: Vec::new(),
            distinct: UniqueBackends::new(),
            backends: PersistentVec::new(0),
            taking_part: BackendCache::new(),
            tracked: BackendCache::new(),
            listed_for: None,
            schedule: None,
            pickers: 0,
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
type Known = CallCounters<ReportedWeight>;

/// The picker factory of `steer_weighted_round_robin`.
pub struct WeightedRoundRobin {
    /// Goes on over pickers: with each of them, a backend's turns would otherwise begin anew.
    sequence: WeightedRotation,
    known: PerAddress<Known>,
    /// The list in use.
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    /// The config's weight for each place of the list; 0: none. Empty when weights are reported.
    given: Vec<f32>,
    /// A weight is a backend's, however often it is listed, so it takes part once, as in gRPC.
    distinct: UniqueBackends,
    /// The backends of the last picker, by place.
    backends: PersistentVec<Connection>,
    /// Where these are, for statistics, which must not hold connections: whoever asks may be their
    /// last owner, on any thread.
    taking_part: BackendCache<Connection, ()>,
    tracked: BackendCache<Connection, Tracked>,
    /// The config by which their reports are read.
    listed_for: Option<Arc<WeightedRoundRobinConfig>>,
    /// What the last picker goes by.
    schedule: Option<Schedule>,
    /// How many pickers went by it, but for the first.
    pickers: usize,
    /// For statistics.
    weighed: Arc<Latest>,
    /// What the latest update brought.
    applied: Option<(Arc<WeightedRoundRobinConfig>, Arc<dyn Helper>)>,
    /// Runs until weights are to be looked at again.
    timer: Option<TimerId>,
    /// Whether the last picker counts its calls.
    counts: bool,
}

/// A backend whose reports come with its calls.
#[derive(Clone)]
struct Tracked {
    known: Arc<Known>,
    backend: Arc<TrackedBackend>,
}

/// Whose turns come how often.
#[derive(Clone)]
struct Schedule {
    /// Its places are those of the list, whose endpoints need not all take part; else those of the backends alone.
    by_list: bool,
    /// 0: none is known.
    weights: Arc<[f32]>,
    /// None: all are taken alike.
    scheduler: Option<StaticStride>,
}

impl WeightedRoundRobin {
    /// By the weights that the backends have now.
    fn new_schedule(&self) -> Schedule {
        let now = self.applied.as_ref().map(|(config, helper)| (config, helper.now()));
        let weight = |place: usize| match (self.given.get(place), now) {
            (Some(given), _) => *given,
            (None, None) => 0.0,
            (None, Some((config, now))) => {
                let (expiration, blackout) =
                    (config.weight_expiration_period, config.blackout_period);
                self.known.at(place).observer.usable(now, expiration, blackout)
            }
        };
        let by_list = self.backends.count() > MOST_SIDE_BY_SIDE;
        let weights: Arc<[f32]> = if by_list {
            // What is learnt of the others says nothing of how they will be when they are READY again.
            let counts =
                |place: usize| !self.given.is_empty() || self.backends.get(place).is_some();
            let places = 0..self.backends.slots();
            places.map(|place| if counts(place) { weight(place) } else { 0.0 }).collect()
        } else {
            self.backends.iter().map(|(place, _)| weight(place)).collect()
        };
        Schedule { by_list, scheduler: StaticStride::new(&weights), weights }
    }

    /// For the backends of a new picker.
    fn follow(&mut self) {
        let goes_on = |schedule: &Schedule| {
            schedule.by_list
                && self.backends.count() > MOST_SIDE_BY_SIDE
                && self.pickers < self.backends.count() / 4
        };
        if self.schedule.as_ref().is_some_and(goes_on) {
            self.pickers += 1;
        } else {
            self.schedule = Some(self.new_schedule());
            self.pickers = 0;
        }
    }

    /// Tells the statistics.
    fn write_stats(&mut self, schedule: Schedule) {
        let backends = self.taking_part.follow(&self.backends, |_, _| (), |(), _| {}).clone();
        let endpoints = Arc::clone(&self.endpoints);
        self.weighed.set(Weighed { endpoints, backends, schedule });
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

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.known.stats_source(), Arc::clone(&self.weighed) as Arc<dyn StatsSource>]
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
        self.known.update_list(endpoints, |_| CallCounters::new(ReportedWeight::new()));
        self.distinct.list(endpoints.len(), self.known.first_places());
        self.endpoints = endpoints.iter().map(|&endpoint| Arc::clone(endpoint)).collect();
        self.schedule = None;
        let same_config =
            self.listed_for.as_ref().is_some_and(|former| Arc::ptr_eq(former, config));
        self.listed_for = Some(Arc::clone(config));
        let known = &self.known;
        self.tracked.relist(endpoints.len(), |place, tracked| {
            same_config && Arc::ptr_eq(&tracked.known, known.at(place))
        });
        self.given = match &config.source {
            Source::Config(weights) => endpoints.iter().map(|of| given(weights, of)).collect(),
            _ => Vec::new(),
        };
    }

    fn none_ready(&mut self) {
        self.distinct.none_ready();
        self.backends = PersistentVec::new(0);
        self.taking_part = BackendCache::new();
        self.tracked = BackendCache::new();
        self.schedule = None;
        self.weighed.clear();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.known.forget(gone);
    }

    fn connected(&mut self, endpoint: &EndpointDescriptor) {
        if let Some(known) = self.known.find(endpoint) {
            known.observer.reconnected();
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
            known.observer.report(weight, helper.now());
        }
    }

    fn build(
        &mut self,
        config: &Arc<WeightedRoundRobinConfig>,
        ready: &Ready<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        self.backends = self.distinct.follow(ready.connections());
        self.follow();
        let schedule = self.schedule.clone().expect("just made");
        // A scheduler of the backends alone has to be told where they are.
        let places = (!schedule.by_list)
            .then(|| self.backends.iter().map(|(place, _)| place as u32).collect());
        let turns = ConnectionRotation {
            scheduler: schedule.scheduler.clone(),
            sequence: self.sequence.clone(),
            places,
        };
        self.write_stats(schedule);
        if !matches!(config.source, Source::Calls) {
            return Box::new(WeightedPicker { turns, backends: self.backends.clone() });
        }
        let counts = stats::tracks_calls();
        if std::mem::replace(&mut self.counts, counts) != counts {
            self.tracked.relist(self.backends.slots(), |_, _| false);
        }
        let track = |place: usize, connection: &Connection| {
            let (config, known) = (Arc::clone(config), Arc::clone(self.known.at(place)));
            let hooks = Arc::new(Reports { counts, config, known: Arc::clone(&known) });
            Tracked { known, backend: TrackedBackend::new(connection.clone(), hooks, place) }
        };
        let backends = self.tracked.follow(&self.backends, track, |_, _| {}).clone();
        Box::new(WeightedPicker { turns, backends })
    }

    fn timer(&mut self, timer: TimerId) -> bool {
        if self.timer != Some(timer) {
            return false;
        }
        self.start_timer();
        let Some(former) = self.schedule.take() else { return false };
        let schedule = self.new_schedule();
        self.pickers = 0;
        let others = schedule.scheduler != former.scheduler;
        if !others {
            // There will be no picker, and yet the weights may be others, in the same ratio.
            self.write_stats(schedule.clone());
        }
        self.schedule = Some(schedule);
        others
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

/// The last picker, for statistics.
struct Weighed {
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    backends: PersistentVec<()>,
    schedule: Schedule,
}

impl StatsSource for Weighed {
    fn describe(&self, table: &mut Table) {
        let Schedule { by_list, weights, scheduler } = &self.schedule;
        let shares: Vec<f64> = match scheduler {
            Some(scheduler) => scheduler.shares().collect(),
            None => vec![1.0; weights.len()],
        };
        let backends = || {
            let backends = self.backends.iter().enumerate();
            backends.map(|(number, (place, _))| (place, if *by_list { place } else { number }))
        };
        let sum: f64 = backends().map(|(_, scheduled)| shares[scheduled]).sum();
        for (place, scheduled) in backends() {
            if let Some(row) = table.row(&self.endpoints[place].addresses) {
                let weight = f64::from(weights[scheduled]);
                row.weight = (weight > 0.0).then_some(weight);
                row.share = Some(shares[scheduled] / sum);
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
    known: Arc<Known>,
}

impl CallListener for Reports {
    fn wants_latency(&self) -> bool {
        // For the statistics.
        self.counts
    }

    fn picked(&self, backend: usize, state: Handle) {
        if self.counts {
            CallListener::picked(&*self.known, backend, state);
        }
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        if let CallEnd::Finished { ended, metrics: Some(metrics), .. } = end {
            if let Some(weight) = self.config.rule.weight(metrics) {
                self.known.observer.report(weight, *ended);
            }
        }
        if self.counts {
            CallListener::finished(&*self.known, backend, state, end);
        }
    }
}

/// Whose turn it is.
struct ConnectionRotation {
    /// None: all are taken alike.
    scheduler: Option<StaticStride>,
    sequence: WeightedRotation,
    /// Where the scheduler's places are in the list; none: they are those of the list, and may have no backend.
    places: Option<Box<[u32]>>,
}

impl ConnectionRotation {
    #[inline(always)]
    fn takes(&self, place: usize, pass: u32) -> bool {
        self.scheduler.as_ref().is_none_or(|scheduler| scheduler.takes(place, pass))
    }

    #[inline(always)]
    fn next<'a, T: Clone>(&self, backends: &'a PersistentVec<T>) -> Option<&'a T> {
        match &self.places {
            Some(places) => {
                let next = self.sequence.next(places.len(), |place, pass| self.takes(place, pass));
                backends.get(places[next] as usize)
            }
            None => self.next_by_list(backends),
        }
    }

    fn next_by_list<'a, T: Clone>(&self, backends: &'a PersistentVec<T>) -> Option<&'a T> {
        let places = backends.slots();
        let mut next = None;
        self.sequence.next_by(places, |place, pass| {
            if !self.takes(place, pass) {
                return Step::Pass;
            }
            next = backends.get(place);
            match next {
                Some(_) => Step::Take,
                None => Step::PassTo(backends.next(place).map_or(places, |(next, _)| next)),
            }
        });
        next
    }
}

/// What a picker has of a backend.
trait Chosen: Send + Sync {
    /// Whether its calls' reports are wanted.
    const REPORTS: bool;

    fn pick(&self) -> Pick<'_>;
}

impl Chosen for Connection {
    const REPORTS: bool = false;

    #[inline(always)]
    fn pick(&self) -> Pick<'_> {
        Pick::Complete(self)
    }
}

impl Chosen for Tracked {
    const REPORTS: bool = true;

    #[inline(always)]
    fn pick(&self) -> Pick<'_> {
        Pick::tracked(&self.backend)
    }
}

struct WeightedPicker<T> {
    turns: ConnectionRotation,
    /// By place in the list.
    backends: PersistentVec<T>,
}

impl<T: Clone + Chosen> Picker for WeightedPicker<T> {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        self.turns.next(&self.backends).map_or(Pick::Queue, Chosen::pick)
    }

    fn wants(&self) -> Wants {
        Wants { metrics: T::REPORTS, ..Wants::default() }
    }
}
