//! The picker factory of `steer_prequal`: requests reports, and makes pickers.
//!
//! Must not depend on: how a backend is chosen, how a report is read.

use std::sync::Arc;
use std::time::Duration;

use super::config::PrequalConfig;
use super::picker::PrequalPicker;
use super::reuse::Reuse;
use crate::calls::{CallCounters, LoadReport, Metrics};
use crate::endpoints::EndpointDescriptor;
use crate::load::{ReportRule, ReportedLoad};
use crate::policies::compared::ComparedBackends;
use crate::policy::{BuiltIn, Fields, Helper, Picker, PickerFactory, Ready, Sources};
use crate::stats::StatsSource;
use crate::sync::Nanos;

/// The picker factory of `steer_prequal`. Its methods run in the work serializer.
pub struct Prequal {
    rule: Arc<ReportRule>,
    backends: ComparedBackends<ReportedLoad>,
    /// For its clock. `None` before the first update.
    helper: Option<Arc<dyn Helper>>,
    /// How often reports out of band are requested. `None`: never.
    reporting_period: Option<Duration>,
}

impl BuiltIn for Prequal {
    const NAME: &'static str = "steer_prequal";

    fn parse(fields: &mut Fields<'_>) -> PrequalConfig {
        PrequalConfig::parse(fields)
    }

    fn new(_helper: &dyn Helper) -> Self {
        Prequal {
            rule: Arc::default(),
            backends: ComparedBackends::new(),
            helper: None,
            reporting_period: None,
        }
    }
}

impl PickerFactory for Prequal {
    type Config = PrequalConfig;

    fn counts_calls(&self, _config: &PrequalConfig) -> bool {
        true
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.backends.stats_source()]
    }

    fn configure(&mut self, config: &Arc<PrequalConfig>, helper: &Arc<dyn Helper>) {
        self.rule.set(config.expiration, config.failure_codes);
        let period = config.reporting_period;
        if std::mem::replace(&mut self.reporting_period, period) != period {
            helper.request_load_reports(period);
        }
        self.helper = Some(Arc::clone(helper));
    }

    fn update_list(&mut self, _: &Arc<PrequalConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        let now = self.helper.as_ref().map_or(Nanos::ZERO, |helper| helper.now().into());
        let Prequal { rule, backends, .. } = self;
        backends.update_list(endpoints, || ReportedLoad::new(rule, now));
    }

    fn connected(&mut self, endpoint: &EndpointDescriptor) {
        self.backends.connected(endpoint);
    }

    fn load_report(
        &mut self,
        endpoint: &EndpointDescriptor,
        metrics: &Metrics,
        helper: &dyn Helper,
    ) {
        if let Some(backend) = self.backends.find(endpoint) {
            backend.observer.report(LoadReport::Decoded(metrics), helper.now().into());
        }
    }

    fn none_ready(&mut self) {
        self.backends.none_ready();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.backends.forget(gone);
    }

    fn build(
        &mut self,
        config: &Arc<PrequalConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let now = helper.now().into();
        let backends = self.backends.update(
            ready.connections(),
            |backend: &CallCounters<ReportedLoad>, others| {
                backend.observer.reconnected();
                let others: Vec<_> =
                    others.iter().map(|it| (&it.observer.own, it.in_flight())).collect();
                backend.observer.own.charge_like(&others, now);
            },
        );
        let pool_size = config.pool_size;
        let reuse = Reuse::new(pool_size, backends.count());
        // If reports come with calls only, the newest ones are of the backends that have most
        // calls, and these would get even more.
        let newest = if config.reporting_period.is_some() { reuse.reports } else { pool_size };
        Box::new(PrequalPicker {
            newest,
            reuse,
            backends,
            pool_size,
            rif_quantile: config.rif_quantile,
            rule: Arc::clone(&self.rule),
            sources: Sources::of(helper),
        })
    }
}
