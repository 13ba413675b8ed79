//! The fields that every policy takes. The runner acts upon them, so no policy has to.
//!
//! Must not depend on: any policy, what the fields lead to.

use std::time::Duration;

use serde_json::Value;

use super::attributes::{self, GivenAttributes};
use super::by_address::ByAddress;
use super::error::ConfigError;
use super::fields::Fields;
use super::unknown::UnknownField;

const RERESOLUTION_PERIOD: &str = "reresolutionPeriod";

/// The most `connectionsPerBackend`. More connections than that cost a server more than they bring.
const MOST_CONNECTIONS: u32 = 100;

/// The shortest `reresolutionPeriod`. A typing error, such as "0.3s" for "30s", must not load name
/// servers: gRPC's own resolver waits 30 s between two queries, unless a channel arg says less.
const MIN_RERESOLUTION_PERIOD: Duration = Duration::from_secs(1);

/// The fields that every policy takes.
#[derive(Debug)]
pub struct CommonFields {
    /// The resolver is asked again once in this time. `None`: only when a connection fails.
    pub(crate) reresolution_period: Option<Duration>,
    /// Attributes of backends.
    pub(crate) attributes: ByAddress<GivenAttributes>,
    /// So many connections to each backend. At least 1.
    pub(crate) connections: u32,
    /// The fields that the policy does not know.
    pub(crate) unknown: Vec<UnknownField>,
}

impl Default for CommonFields {
    fn default() -> CommonFields {
        CommonFields {
            reresolution_period: None,
            attributes: ByAddress::empty(attributes::FIELD),
            connections: 1,
            unknown: Vec::new(),
        }
    }
}

impl CommonFields {
    /// The name of the field `connections`.
    pub(crate) const CONNECTIONS: &'static str = "connectionsPerBackend";

    /// The names of the fields.
    pub const NAMES: [&'static str; 3] =
        [attributes::FIELD, CommonFields::CONNECTIONS, RERESOLUTION_PERIOD];

    /// Reads the fields of a policy's config.
    pub(crate) fn parse(policy: &str, json: &Value) -> Result<CommonFields, ConfigError> {
        Fields::parse(policy, json, |fields| CommonFields {
            reresolution_period: reresolution_period(fields),
            attributes: GivenAttributes::parse(fields),
            connections: connections(fields),
            unknown: Vec::new(),
        })
    }
}

fn connections(fields: &mut Fields<'_>) -> u32 {
    let connections = fields.number(CommonFields::CONNECTIONS, 1);
    if !(1..=MOST_CONNECTIONS).contains(&connections) {
        fields.fault(CommonFields::CONNECTIONS, format!("must be from 1 to {MOST_CONNECTIONS}"));
    }
    connections
}

fn reresolution_period(fields: &mut Fields<'_>) -> Option<Duration> {
    if !fields.has(RERESOLUTION_PERIOD) {
        return None;
    }
    let period = fields.duration(RERESOLUTION_PERIOD, MIN_RERESOLUTION_PERIOD);
    if period < MIN_RERESOLUTION_PERIOD {
        let error = "must be at least 1s; leave it out to ask only when a connection fails";
        fields.fault(RERESOLUTION_PERIOD, error);
    }
    Some(period)
}
