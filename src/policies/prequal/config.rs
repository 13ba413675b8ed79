//! The config of `steer_prequal`.
//!
//! Must not depend on: what the fields are used for.

use std::time::Duration;

use crate::load::FailureCodes;
use crate::policies::failure_codes;
use crate::policy::Fields;
use crate::policy::sample::MAX_POOL;

/// The default of `reportExpirationPeriod`: the age limit of probes in the paper.
const DEFAULT_EXPIRATION: Duration = Duration::from_secs(1);

/// The default of `oobReportingPeriod`. A report is then a tenth of the expiration old at most.
const DEFAULT_REPORTING_PERIOD: Duration = Duration::from_millis(100);

/// The shortest time between two reports out of band. 0 would mean "no reports" to a host.
const MIN_REPORTING_PERIOD: Duration = Duration::from_millis(1);

/// The default of `rifQuantile`: 2 to the power of -0.25, as in the paper.
const DEFAULT_QUANTILE: f64 = 0.84;

/// The config.
#[derive(Debug)]
pub struct PrequalConfig {
    /// How often reports out of band are requested. `None`: never.
    pub(super) reporting_period: Option<Duration>,
    /// How long a report is used.
    pub(super) expiration: Duration,
    /// A backend is hot if its RIF is above this quantile of the pool.
    pub(super) rif_quantile: f64,
    /// The number of backends that a pick looks at.
    pub(super) pool_size: usize,
    pub(super) failure_codes: FailureCodes,
}

impl PrequalConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> PrequalConfig {
        let out_of_band = fields.read("enableOobLoadReport", false);
        let period = fields.duration("oobReportingPeriod", DEFAULT_REPORTING_PERIOD);
        let expiration = fields.duration("reportExpirationPeriod", DEFAULT_EXPIRATION);
        if expiration.is_zero() {
            fields.fault("reportExpirationPeriod", "must be above 0");
        } else if out_of_band && period > expiration {
            let error = "must be at most reportExpirationPeriod, after which a report is not used";
            fields.fault("oobReportingPeriod", error);
        }
        let rif_quantile = fields.number("rifQuantile", DEFAULT_QUANTILE);
        if !(0.0..=1.0).contains(&rif_quantile) {
            fields.fault("rifQuantile", "must be a number from 0 to 1");
        }
        let pool_size: usize = fields.number("poolSize", MAX_POOL);
        if pool_size < 2 {
            fields.fault("poolSize", "must be at least 2");
        }
        PrequalConfig {
            reporting_period: out_of_band.then_some(period.max(MIN_REPORTING_PERIOD)),
            expiration,
            rif_quantile,
            pool_size: pool_size.min(MAX_POOL),
            failure_codes: failure_codes::parse(fields),
        }
    }
}
