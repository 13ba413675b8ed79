//! The weight of each backend, and the reports that come with calls.
//!
//! Cost of a report with a call: see `load/reported_weight/`. The listener of a backend has its
//! record, so that there is no look-up.
//!
//! Must not depend on: schedules, how a backend is chosen.

use std::sync::Arc;
use std::time::Duration;

use super::config::{WeightSource, WeightedRoundRobinConfig};
use crate::calls::{CallCounters, CallEnd, CallListener, TrackedBackend};
use crate::endpoints::{Connection, EndpointDescriptor};
use crate::load::{PerAddress, ReportedWeight, combine};
use crate::stats::StatsSource;
use crate::sync::Handle;

/// The calls of one backend, and the weight that it reports.
pub(super) type BackendRecord = CallCounters<ReportedWeight>;

/// The weights of the backends of the list in use.
#[derive(Default)]
pub(super) struct Weights {
    records: PerAddress<BackendRecord>,
    /// The weights of the config and of the resolver, by place in the list; 0: none.
    given: Vec<f32>,
    /// Whether only those count.
    are_static: bool,
}

impl Weights {
    /// Makes `endpoints` the list in use.
    pub(super) fn update_list(
        &mut self,
        config: &WeightedRoundRobinConfig,
        endpoints: &[&Arc<EndpointDescriptor>],
    ) {
        self.records.update_list(endpoints, |_| CallCounters::new(ReportedWeight::new()));
        self.given = endpoints.iter().map(|endpoint| config.given.of(endpoint)).collect();
        self.are_static = matches!(config.source, WeightSource::Config);
    }

    /// For each place, the first place with the same backend and connection. `None` if all differ.
    pub(super) fn first_places(&self) -> Option<Vec<usize>> {
        self.records.first_places()
    }

    /// The weights of places of the list, each with whether it is READY; 0: there is none to be
    /// used. `now` has the config and the time, after the first update.
    pub(super) fn of_places(
        &self,
        places: impl Iterator<Item = (usize, bool)>,
        now: Option<(&WeightedRoundRobinConfig, Duration)>,
    ) -> Arc<[f32]> {
        if self.are_static {
            return places.map(|(place, _)| self.given[place]).collect();
        }
        // The reports of a backend before it failed say nothing about it when it is READY again.
        let weights = places.map(|(place, is_ready)| {
            (if is_ready { self.reported(place, now) } else { 0.0 }, self.given[place])
        });
        let (mut reported, given): (Vec<f32>, Vec<f32>) = weights.unzip();
        combine(&mut reported, &given);
        reported.into()
    }

    fn reported(&self, place: usize, now: Option<(&WeightedRoundRobinConfig, Duration)>) -> f32 {
        let Some((config, now)) = now else { return 0.0 };
        let (expiration, blackout) = (config.weight_expiration_period, config.blackout_period);
        self.record(place).observer.usable(now, expiration, blackout)
    }

    /// The record of the endpoint at this place of the list.
    pub(super) fn record(&self, place: usize) -> &Arc<BackendRecord> {
        self.records.at(place)
    }

    /// The record of this endpoint.
    pub(super) fn find(&self, endpoint: &EndpointDescriptor) -> Option<Arc<BackendRecord>> {
        self.records.find(endpoint)
    }

    /// Forgets endpoints. No endpoint has their addresses any more.
    pub(super) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.records.forget(gone);
    }

    /// Describes the calls of all backends.
    pub(super) fn stats_source(&self) -> Arc<dyn StatsSource> {
        self.records.stats_source()
    }
}

/// A backend whose reports come with its calls.
#[derive(Clone)]
pub(super) struct ReportingBackend {
    pub(super) record: Arc<BackendRecord>,
    pub(super) backend: Arc<TrackedBackend>,
}

impl ReportingBackend {
    /// Tracks the calls to the backend at this place of the list. `counts_calls`: see
    /// [`ReportListener`].
    pub(super) fn new(
        connection: &Connection,
        place: usize,
        record: &Arc<BackendRecord>,
        config: &Arc<WeightedRoundRobinConfig>,
        counts_calls: bool,
    ) -> ReportingBackend {
        let (config, record) = (Arc::clone(config), Arc::clone(record));
        let listener = ReportListener { counts_calls, config, record: Arc::clone(&record) };
        let backend = TrackedBackend::new(connection.clone(), Arc::new(listener), place);
        ReportingBackend { record, backend }
    }
}

/// Makes a weight of each report that comes with a call. Called on any thread.
struct ReportListener {
    /// Whether calls are counted, too. Only the statistics need that, and it is half of the cost of
    /// tracking a call.
    counts_calls: bool,
    config: Arc<WeightedRoundRobinConfig>,
    record: Arc<BackendRecord>,
}

impl CallListener for ReportListener {
    fn wants_latency(&self) -> bool {
        // For the statistics.
        self.counts_calls
    }

    fn wants_start(&self) -> bool {
        false
    }

    fn wants_only_reports(&self) -> bool {
        !self.counts_calls
    }

    fn picked(&self, backend: usize, state: Handle) {
        if self.counts_calls {
            CallListener::picked(&*self.record, backend, state);
        }
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        if let CallEnd::Finished { ended, metrics: Some(metrics), .. } = end {
            if let Some(weight) = self.config.rule.weight(*metrics) {
                self.record.observer.report(weight, (*ended).into());
            }
        }
        if self.counts_calls {
            CallListener::finished(&*self.record, backend, state, end);
        }
    }
}
