//! The config of `steer_weighted_round_robin`.
//!
//! Must not depend on: what the fields are used for.

use std::time::Duration;

use serde_json::Value;

use crate::load::{UtilizationMetric, WeightRule};
use crate::policies::given_weights::GivenWeights;
use crate::policy::Fields;

/// The shortest time between two looks at the weights (gRFC A58).
const MIN_UPDATE_PERIOD: Duration = Duration::from_millis(100);

/// The shortest time between two reports out of band. 0 would mean "no reports" to a host.
const MIN_REPORTING_PERIOD: Duration = Duration::from_millis(1);

/// The defaults are those of gRFC A58.
const DEFAULT_REPORTING_PERIOD: Duration = Duration::from_secs(10);
const DEFAULT_BLACKOUT_PERIOD: Duration = Duration::from_secs(10);
const DEFAULT_EXPIRATION_PERIOD: Duration = Duration::from_secs(180);
const DEFAULT_UPDATE_PERIOD: Duration = Duration::from_secs(1);
const DEFAULT_ERROR_PENALTY: f64 = 1.0;

/// The config.
#[derive(Debug)]
pub struct WeightedRoundRobinConfig {
    pub(super) source: WeightSource,
    /// The field `weights`, and the resolver's weights for addresses that it does not name.
    pub(super) given: GivenWeights,
    /// How a report becomes a weight.
    pub(super) rule: WeightRule,
    /// How long a backend has to report before its weight is used.
    pub(super) blackout_period: Duration,
    /// How long a weight is used without a report.
    pub(super) weight_expiration_period: Duration,
    /// How often weights are looked at.
    pub(super) weight_update_period: Duration,
}

/// Where weights come from.
#[derive(Debug)]
pub(super) enum WeightSource {
    /// Reports with the end of each call.
    Calls,
    /// Reports out of band, about once in this time.
    OutOfBand(Duration),
    /// The config's `weights`, without reports.
    Config,
}

impl WeightedRoundRobinConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> WeightedRoundRobinConfig {
        let out_of_band = fields.read("enableOobLoadReport", false);
        let reporting_period = fields.duration("oobReportingPeriod", DEFAULT_REPORTING_PERIOD);
        let blackout_period = fields.duration("blackoutPeriod", DEFAULT_BLACKOUT_PERIOD);
        let weight_expiration_period =
            fields.duration("weightExpirationPeriod", DEFAULT_EXPIRATION_PERIOD);
        let weight_update_period = fields.duration("weightUpdatePeriod", DEFAULT_UPDATE_PERIOD);
        let penalty = fields.number("errorUtilizationPenalty", DEFAULT_ERROR_PENALTY);
        if !(0.0..=f64::from(f32::MAX)).contains(&penalty) {
            fields.fault("errorUtilizationPenalty", "must be a number that is not negative");
        }
        let utilization_metrics = parse_utilization_metrics(fields);
        let given = GivenWeights::parse(fields);
        let source = if !given.is_empty() {
            WeightSource::Config
        } else if out_of_band {
            WeightSource::OutOfBand(reporting_period.max(MIN_REPORTING_PERIOD))
        } else {
            WeightSource::Calls
        };
        WeightedRoundRobinConfig {
            source,
            given,
            rule: WeightRule { utilization_metrics, error_utilization_penalty: penalty as f32 },
            blackout_period,
            weight_expiration_period,
            weight_update_period: weight_update_period.max(MIN_UPDATE_PERIOD),
        }
    }

    /// How often reports out of band are requested. `None`: never.
    pub(super) fn reporting_period(&self) -> Option<Duration> {
        match self.source {
            WeightSource::OutOfBand(period) => Some(period),
            WeightSource::Calls | WeightSource::Config => None,
        }
    }

    /// How often weights are looked at. `None`: never, because they do not change.
    pub(super) fn update_period(&self) -> Option<Duration> {
        match self.source {
            WeightSource::Config => None,
            WeightSource::Calls | WeightSource::OutOfBand(_) => Some(self.weight_update_period),
        }
    }
}

fn parse_utilization_metrics(fields: &mut Fields<'_>) -> Vec<UtilizationMetric> {
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
