//! The weight of each backend, and the reports that come with calls.
//!
//! Cost of a report with a call: see `load/reported_weight/`. The listener of a backend has its
//! record, so that there is no look-up.
//!
//! Must not depend on: schedules, how a backend is chosen.

use std::sync::Arc;
use std::time::Duration;

use super::config::WeightedRoundRobinConfig;
use crate::calls::{CallCounters, CallEnd, CallListener, TrackedBackend};
use crate::endpoints::{Connection, EndpointDescriptor};
use crate::load::{PerAddress, ReportedWeight};
use crate::stats::StatsSource;
use crate::sync::Handle;

/// The calls of one backend, and the weight that it reports.
pub(super) type BackendRecord = CallCounters<ReportedWeight>;

/// The weights of the backends of the list in use.
#[derive(Default)]
pub(super) struct Weights {
    records: PerAddress<BackendRecord>,
    /// The weight in the config, by place in the list; 0: none. Empty if weights are reported.
    from_config: Vec<f32>,
}

impl Weights {
    /// Makes `endpoints` the list in use.
    pub(super) fn update_list(
        &mut self,
        config: &WeightedRoundRobinConfig,
        endpoints: &[&Arc<EndpointDescriptor>],
    ) {
        self.records.update_list(endpoints, |_| CallCounters::new(ReportedWeight::new()));
        self.from_config = config.source.weights_from_config(endpoints);
    }

    /// For each place, the first place with the same addresses. `None` if all addresses differ.
    pub(super) fn first_places(&self) -> Option<Vec<usize>> {
        self.records.first_places()
    }

    /// Whether the config gives the weights.
    pub(super) fn are_from_config(&self) -> bool {
        !self.from_config.is_empty()
    }

    /// The weight of the endpoint at this place of the list; 0 if there is none to be used. `now`
    /// has the config and the time, after the first update.
    pub(super) fn usable(
        &self,
        place: usize,
        now: Option<(&WeightedRoundRobinConfig, Duration)>,
    ) -> f32 {
        match (self.from_config.get(place), now) {
            (Some(weight), _) => *weight,
            (None, None) => 0.0,
            (None, Some((config, now))) => {
                let (expiration, blackout) =
                    (config.weight_expiration_period, config.blackout_period);
                self.record(place).observer.usable(now, expiration, blackout)
            }
        }
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

    fn picked(&self, backend: usize, state: Handle) {
        if self.counts_calls {
            CallListener::picked(&*self.record, backend, state);
        }
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        if let CallEnd::Finished { ended, metrics: Some(metrics), .. } = end {
            if let Some(weight) = self.config.rule.weight(metrics) {
                self.record.observer.report(weight, *ended);
            }
        }
        if self.counts_calls {
            CallListener::finished(&*self.record, backend, state, end);
        }
    }
}
