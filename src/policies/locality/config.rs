//! The config of `steer_locality`.
//!
//! Must not depend on: how zones are used.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use crate::endpoints::{AttributeValue, EndpointDescriptor};
use crate::policy::Fields;

/// Envoy's 140 %.
const DEFAULT_OVERPROVISIONING: f64 = 1.4;

/// Envoy's 50 %.
const DEFAULT_PANIC_THRESHOLD: f64 = 0.5;

/// The environment variable with the client's zone. A config that a resolver gives to all clients
/// cannot have it.
const ZONE_VARIABLE: &str = "STEER_ZONE";

/// The fields of `steer_locality`, without its child's.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalityConfig {
    /// The client's zone. Empty: it has none.
    pub(super) zone: String,
    /// The attribute that names a backend's zone, if its locality does not.
    attribute: String,
    /// The shares of the zones. `None`: the own zone first.
    pub(super) weights: Option<BTreeMap<String, f64>>,
    /// Above or equal to 1.
    pub(super) overprovisioning: f64,
    /// From 0 to 1.
    pub(super) panic_threshold: f64,
}

impl LocalityConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> LocalityConfig {
        let own = || std::env::var(ZONE_VARIABLE).unwrap_or_default();
        let zone = fields.read("zone", None).unwrap_or_else(own);
        let attribute = fields.read("attribute", "zone".to_owned());
        let weights = weights(fields);
        let overprovisioning = fields.number("overprovisioningFactor", DEFAULT_OVERPROVISIONING);
        if overprovisioning < 1.0 {
            fields.fault("overprovisioningFactor", "must be at least 1");
        }
        let panic_threshold = fields.number("panicThreshold", DEFAULT_PANIC_THRESHOLD);
        if !(0.0..=1.0).contains(&panic_threshold) {
            fields.fault("panicThreshold", "must be from 0 to 1");
        }
        LocalityConfig { zone, attribute, weights, overprovisioning, panic_threshold }
    }

    /// The zone of a backend. Empty: it has none.
    pub(super) fn zone_of(&self, endpoint: &EndpointDescriptor) -> String {
        if !endpoint.locality.zone.is_empty() {
            return endpoint.locality.zone.clone();
        }
        let attribute = endpoint.attributes.iter().find(|other| other.key == self.attribute);
        match attribute.map(|attribute| &attribute.value) {
            Some(AttributeValue::Text(zone)) => zone.clone(),
            Some(AttributeValue::Integer(zone)) => zone.to_string(),
            None => String::new(),
        }
    }
}

/// The field `weights`, which maps zones to numbers. They may be text, as in protobuf's JSON.
fn weights(fields: &mut Fields<'_>) -> Option<BTreeMap<String, f64>> {
    let object: Map<String, Value> = fields.read("weights", None)?;
    let mut weights = BTreeMap::new();
    for (zone, value) in &object {
        let weight = match value {
            Value::String(text) => {
                serde_json::from_str(text).ok().and_then(|of: Number| of.as_f64())
            }
            value => value.as_f64(),
        };
        match weight.filter(|weight| *weight >= 0.0 && weight.is_finite()) {
            Some(weight) => drop(weights.insert(zone.clone(), weight)),
            None => {
                let path = format!("weights[{}]", Value::from(zone.as_str()));
                fields.fault(&path, "must be a number, and not negative");
            }
        }
    }
    Some(weights)
}
