//! The picker factory of `steer_weighted_round_robin`: requests reports, looks at the weights when
//! it is time, and makes pickers.
//!
//! Must not depend on: how a schedule chooses, how a report becomes a weight.

use std::sync::Arc;
use std::time::Duration;

use super::config::{WeightSource, WeightedRoundRobinConfig};
use super::picker::{BackendRotation, WeightedPicker};
use super::reuse::Reuse;
use super::schedule::{Schedule, is_by_list};
use super::stats::ScheduleStats;
use super::weights::{ReportingBackend, Weights};
use crate::Severity;
use crate::calls::{LoadReport, Metrics};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::policies::given_weights::UnusedWeightsLog;
use crate::policies::unique_backends::UniqueBackends;
use crate::policy::{BackendCache, BuiltIn, Fields, Helper, Picker, PickerFactory, Ready, TimerId};
use crate::stats::{self, Latest, StatsSource};
use crate::sync::WeightedRotation;

/// The picker factory of `steer_weighted_round_robin`. Its methods run in the work serializer.
pub struct WeightedRoundRobin {
    /// Used by all pickers: with a new rotation, the order would start again at every report.
    rotation: WeightedRotation,
    weights: Weights,
    /// The list in use.
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    /// Keeps one of the endpoints with the same addresses: a weight belongs to a backend, however
    /// often it is listed, as in gRPC. Each of several connections counts.
    unique: UniqueBackends,
    /// The backends of the last picker, by place in the list.
    backends: PersistentVec<Connection>,
    /// Their places, for the statistics. These must not hold connections, because a thread that
    /// reads the statistics may be the last owner of what it reads.
    backend_places: BackendCache<Connection, ()>,
    /// The backends of the last picker, if reports come with calls.
    reporting: BackendCache<Connection, ReportingBackend>,
    /// The config that the listeners in `reporting` have.
    reporting_config: Option<Arc<WeightedRoundRobinConfig>>,
    /// The schedule of the last picker.
    schedule: Option<(Schedule, Reuse)>,
    /// Logs which of the config's weights name no backend.
    unused_weights: UnusedWeightsLog,
    /// For the statistics.
    schedule_stats: Arc<Latest>,
    /// What the latest update brought.
    latest: Option<(Arc<WeightedRoundRobinConfig>, Arc<dyn Helper>)>,
    /// How often reports out of band are requested. `None`: never.
    reporting_period: Option<Duration>,
    /// Whether reports come with calls, because there is no other way to get them.
    without_oob: bool,
    /// Runs until weights are looked at again.
    timer: Option<TimerId>,
    /// Whether the last picker counts its calls.
    counts_calls: bool,
}

impl WeightedRoundRobin {
    /// A schedule by the weights that the backends have now.
    fn new_schedule(&self) -> (Schedule, Reuse) {
        let now = self.latest.as_ref().map(|(config, helper)| (&**config, helper.now()));
        let schedule = Schedule::new(&self.backends, |places| self.weights.of_places(places, now));
        let reuse = Reuse::new(&schedule, &self.backends);
        (schedule, reuse)
    }

    /// The schedule for a new picker, which may be the one before. `former`: the backends of the
    /// picker before.
    fn schedule_for_picker(&mut self, former: &PersistentVec<Connection>) -> Schedule {
        let reused = self.schedule.take().and_then(|(schedule, mut reuse)| {
            let serves =
                is_by_list(&self.backends) && reuse.serves(&schedule, &self.backends, former);
            serves.then_some((schedule, reuse))
        });
        let (schedule, reuse) = reused.unwrap_or_else(|| self.new_schedule());
        self.schedule.insert((schedule, reuse)).0.clone()
    }

    /// Whether reports come with calls.
    fn reports_with_calls(&self, config: &WeightedRoundRobinConfig) -> bool {
        match config.source {
            WeightSource::Calls => true,
            WeightSource::OutOfBand(_) => self.without_oob,
            WeightSource::Config => false,
        }
    }

    /// Finds out whether the host has the reports that the config asks for.
    fn check_host(&mut self, config: &WeightedRoundRobinConfig, helper: &dyn Helper) {
        let asked = matches!(config.source, WeightSource::OutOfBand(_));
        let had_oob = !self.without_oob;
        self.without_oob = asked && !helper.load_reports_have_qps();
        if self.without_oob && had_oob {
            let text = format!(
                "{}: this gRPC has no load reports out of band with calls per second. The reports \
                 that come with calls are used instead",
                Self::NAME
            );
            helper.log(Severity::Info, &text);
        }
    }

    fn write_stats(&mut self, schedule: Schedule) {
        let places = self.backend_places.update(&self.backends, |_, _| (), |(), _| {}).clone();
        let endpoints = Arc::clone(&self.endpoints);
        self.schedule_stats.set(ScheduleStats { endpoints, backends: places, schedule });
    }

    fn start_timer(&mut self) {
        if let Some((config, helper)) = &self.latest {
            self.timer = Some(helper.start_timer(config.weight_update_period));
        }
    }
}

impl BuiltIn for WeightedRoundRobin {
    const NAME: &'static str = "steer_weighted_round_robin";

    fn parse(fields: &mut Fields<'_>) -> WeightedRoundRobinConfig {
        WeightedRoundRobinConfig::parse(fields)
    }

    fn new(helper: &dyn Helper) -> Self {
        WeightedRoundRobin {
            rotation: WeightedRotation::new(helper.random()),
            weights: Weights::default(),
            endpoints: Arc::default(),
            unique: UniqueBackends::new(),
            backends: PersistentVec::new(0),
            backend_places: BackendCache::new(),
            reporting: BackendCache::new(),
            reporting_config: None,
            schedule: None,
            unused_weights: UnusedWeightsLog::default(),
            schedule_stats: Arc::default(),
            latest: None,
            reporting_period: None,
            without_oob: false,
            timer: None,
            counts_calls: false,
        }
    }
}

impl PickerFactory for WeightedRoundRobin {
    type Config = WeightedRoundRobinConfig;

    const NAMES_CODES: bool = true;

    fn counts_calls(&self, config: &WeightedRoundRobinConfig) -> bool {
        self.reports_with_calls(config) && self.counts_calls
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        let schedule_stats = Arc::clone(&self.schedule_stats) as Arc<dyn StatsSource>;
        vec![self.weights.stats_source(), schedule_stats]
    }

    fn configure(&mut self, config: &Arc<WeightedRoundRobinConfig>, helper: &Arc<dyn Helper>) {
        self.check_host(config, &**helper);
        let former = self.latest.replace((Arc::clone(config), Arc::clone(helper)));
        let former = former.as_ref().map(|(config, _)| &**config);
        let reporting = config.reporting_period().filter(|_| !self.without_oob);
        if std::mem::replace(&mut self.reporting_period, reporting) != reporting {
            helper.request_load_reports(reporting);
        }
        let former_update = former.and_then(WeightedRoundRobinConfig::update_period);
        if config.update_period() != former_update {
            if let Some(timer) = self.timer.take() {
                helper.cancel_timer(timer);
            }
            if config.update_period().is_some() {
                self.start_timer();
            }
        }
    }

    fn update_list(
        &mut self,
        config: &Arc<WeightedRoundRobinConfig>,
        endpoints: &[&Arc<EndpointDescriptor>],
    ) {
        self.weights.update_list(config, endpoints);
        self.unique.update_list(endpoints.len(), self.weights.first_places());
        self.endpoints = endpoints.iter().map(|&endpoint| Arc::clone(endpoint)).collect();
        if let Some((_, helper)) = &self.latest {
            let given = &config.given;
            self.unused_weights.update_list(Self::NAME, given, endpoints, &**helper);
        }
        self.schedule = None;
        let same_config =
            self.reporting_config.as_ref().is_some_and(|former| Arc::ptr_eq(former, config));
        self.reporting_config = Some(Arc::clone(config));
        let weights = &self.weights;
        self.reporting.update_list(endpoints.len(), |place, reporting| {
            same_config && Arc::ptr_eq(&reporting.record, weights.record(place))
        });
    }

    fn none_ready(&mut self) {
        self.unique.none_ready();
        self.backends = PersistentVec::new(0);
        self.backend_places = BackendCache::new();
        self.reporting = BackendCache::new();
        self.schedule = None;
        self.schedule_stats.clear();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.weights.forget(gone);
    }

    fn connected(&mut self, endpoint: &EndpointDescriptor) {
        if let Some(record) = self.weights.find(endpoint) {
            record.observer.reconnected();
        }
    }

    fn load_report(
        &mut self,
        endpoint: &EndpointDescriptor,
        metrics: &Metrics,
        helper: &dyn Helper,
    ) {
        let Some((config, _)) = &self.latest else { return };
        if self.reporting_period.is_none() {
            return;
        }
        if let (Some(record), Some(weight)) =
            (self.weights.find(endpoint), config.rule.weight(LoadReport::Decoded(metrics)))
        {
            record.observer.report(weight, helper.now());
        }
    }

    fn build(
        &mut self,
        config: &Arc<WeightedRoundRobinConfig>,
        ready: &Ready<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let backends = self.unique.update(ready.connections());
        let former = std::mem::replace(&mut self.backends, backends);
        let schedule = self.schedule_for_picker(&former);
        let places = (!schedule.by_list)
            .then(|| self.backends.iter().map(|(place, _)| place as u32).collect());
        let rotation = BackendRotation {
            scheduler: schedule.scheduler.clone(),
            rotation: self.rotation.clone(),
            places,
        };
        self.write_stats(schedule);
        if !self.reports_with_calls(config) {
            return Box::new(WeightedPicker { rotation, backends: self.backends.clone() });
        }
        let counts_calls = stats::tracks_calls();
        if std::mem::replace(&mut self.counts_calls, counts_calls) != counts_calls {
            self.reporting.update_list(self.backends.slots(), |_, _| false);
        }
        let weights = &self.weights;
        let track = |place: usize, connection: &Connection| {
            ReportingBackend::new(connection, place, weights.record(place), config, counts_calls)
        };
        let backends = self.reporting.update(&self.backends, track, |_, _| {}).clone();
        Box::new(WeightedPicker { rotation, backends })
    }

    fn timer(&mut self, timer: TimerId) -> bool {
        if self.timer != Some(timer) {
            return false;
        }
        self.start_timer();
        let Some((former, _)) = self.schedule.take() else { return false };
        let (schedule, reuse) = self.new_schedule();
        let changed = schedule.scheduler != former.scheduler;
        if !changed {
            // There will be no picker, but the weights may have changed in the same ratio.
            self.write_stats(schedule.clone());
        }
        self.schedule = Some((schedule, reuse));
        changed
    }
}
