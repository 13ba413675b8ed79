//! The picker factory of `steer_weighted_round_robin`: requests reports, looks at the weights when
//! it is time, and makes pickers.
//!
//! Must not depend on: how a schedule chooses, how a report becomes a weight.

use std::sync::Arc;

use super::config::{WeightSource, WeightedRoundRobinConfig};
use super::picker::{BackendRotation, WeightedPicker};
use super::schedule::Schedule;
use super::stats::ScheduleStats;
use super::weights::{ReportingBackend, Weights};
use crate::calls::Metrics;
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::policies::unique_backends::UniqueBackends;
use crate::policy::{BackendCache, BuiltIn, Fields, Helper, Picker, PickerFactory, Ready, TimerId};
use crate::stats::{self, Latest, StatsSource};
use crate::sync::WeightedRotation;

/// A schedule by list of n backends serves up to n / 4 pickers. So a report costs O(1) of the O(n)
/// that making one takes, and at most a quarter of the backends has come without a weight in it.
const BACKENDS_PER_REUSE: usize = 4;

/// The picker factory of `steer_weighted_round_robin`. Its methods run in the work serializer.
pub struct WeightedRoundRobin {
    /// Used by all pickers: with a new rotation, the order would start again at every report.
    rotation: WeightedRotation,
    weights: Weights,
    /// The list in use.
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    /// Keeps one of the endpoints with the same addresses: a weight belongs to a backend, however
    /// often it is listed, as in gRPC.
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
    schedule: Option<Schedule>,
    /// How many pickers used that schedule again.
    reuses: usize,
    /// For the statistics.
    schedule_stats: Arc<Latest>,
    /// What the latest update brought.
    latest: Option<(Arc<WeightedRoundRobinConfig>, Arc<dyn Helper>)>,
    /// Runs until weights are looked at again.
    timer: Option<TimerId>,
    /// Whether the last picker counts its calls.
    counts_calls: bool,
}

impl WeightedRoundRobin {
    /// A schedule by the weights that the backends have now.
    fn new_schedule(&self) -> Schedule {
        let now = self.latest.as_ref().map(|(config, helper)| (&**config, helper.now()));
        Schedule::new(&self.backends, self.weights.are_from_config(), |place| {
            self.weights.usable(place, now)
        })
    }

    /// The schedule for a new picker, which may be the one before.
    fn schedule_for_picker(&mut self) -> Schedule {
        let reusable = self.reuses < self.backends.count() / BACKENDS_PER_REUSE;
        let former = self.schedule.take().filter(|old| reusable && old.fits(&self.backends));
        let schedule = match former {
            Some(former) => {
                self.reuses += 1;
                former
            }
            None => {
                self.reuses = 0;
                self.new_schedule()
            }
        };
        self.schedule.insert(schedule).clone()
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
            rotation: WeightedRotation::new(|| helper.random()),
            weights: Weights::default(),
            endpoints: Arc::default(),
            unique: UniqueBackends::new(),
            backends: PersistentVec::new(0),
            backend_places: BackendCache::new(),
            reporting: BackendCache::new(),
            reporting_config: None,
            schedule: None,
            reuses: 0,
            schedule_stats: Arc::default(),
            latest: None,
            timer: None,
            counts_calls: false,
        }
    }
}

impl PickerFactory for WeightedRoundRobin {
    type Config = WeightedRoundRobinConfig;

    fn counts_calls(&self, config: &WeightedRoundRobinConfig) -> bool {
        matches!(config.source, WeightSource::Calls) && self.counts_calls
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        let schedule_stats = Arc::clone(&self.schedule_stats) as Arc<dyn StatsSource>;
        vec![self.weights.stats_source(), schedule_stats]
    }

    fn configure(&mut self, config: &Arc<WeightedRoundRobinConfig>, helper: &Arc<dyn Helper>) {
        let former = self.latest.replace((Arc::clone(config), Arc::clone(helper)));
        let former = former.as_ref().map(|(config, _)| &**config);
        let former_reporting = former.and_then(WeightedRoundRobinConfig::reporting_period);
        if config.reporting_period() != former_reporting {
            helper.request_load_reports(config.reporting_period());
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
        if !matches!(config.source, WeightSource::OutOfBand(_)) {
            return;
        }
        if let (Some(record), Some(weight)) =
            (self.weights.find(endpoint), config.rule.weight(metrics))
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
        self.backends = self.unique.update(ready.connections());
        let schedule = self.schedule_for_picker();
        let places = (!schedule.by_list)
            .then(|| self.backends.iter().map(|(place, _)| place as u32).collect());
        let rotation = BackendRotation {
            scheduler: schedule.scheduler.clone(),
            rotation: self.rotation.clone(),
            places,
        };
        self.write_stats(schedule);
        if !matches!(config.source, WeightSource::Calls) {
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
        let Some(former) = self.schedule.take() else { return false };
        let schedule = self.new_schedule();
        self.reuses = 0;
        let changed = schedule.scheduler != former.scheduler;
        if !changed {
            // There will be no picker, but the weights may have changed in the same ratio.
            self.write_stats(schedule.clone());
        }
        self.schedule = Some(schedule);
        changed
    }
}
