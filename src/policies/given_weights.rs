//! The weights of backends that need no load reports: those of the config's field `weights`, and
//! those of the resolver or EDS.
//!
//! Must not depend on: what the weights are used for, load reports.

use std::sync::Arc;

use serde_json::{Number, Value};

use crate::Severity;
use crate::endpoints::EndpointDescriptor;
use crate::policy::{ByAddress, Fields, Helper, UnusedAddressesLog};

/// The config's field.
const FIELD: &str = "weights";

/// The field `weights` of a config.
#[derive(Debug)]
pub(super) struct GivenWeights(ByAddress<f32>);

impl GivenWeights {
    /// Reads the field. It maps addresses to numbers above 0, which may be text, as in protobuf's
    /// JSON.
    pub(super) fn parse(fields: &mut Fields<'_>) -> GivenWeights {
        GivenWeights(ByAddress::parse(fields, FIELD, |fields, path, value| {
            let weight = parse_weight(value);
            if weight.is_none() {
                fields.fault(path, "must be a number above 0");
            }
            weight
        }))
    }

    /// Whether the config gives no weights.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The weight of an endpoint. If the config does not name it, the resolver's weight. 0: there
    /// is none.
    pub(super) fn of(&self, endpoint: &EndpointDescriptor) -> f32 {
        self.0.of(endpoint).copied().unwrap_or(endpoint.weight as f32)
    }
}

/// A weight above 0. The schedulers have single precision: it must be above 0 there, too.
fn parse_weight(json: &Value) -> Option<f32> {
    let number = match json {
        Value::String(text) => serde_json::from_str::<Number>(text).ok()?.as_f64(),
        json => json.as_f64(),
    };
    number.map(|number| number as f32).filter(|weight| *weight > 0.0 && weight.is_finite())
}

/// Logs which addresses in the config name no backend.
#[derive(Default)]
pub(super) struct UnusedWeightsLog(UnusedAddressesLog);

impl UnusedWeightsLog {
    /// Takes the list in use. `policy` is the policy's name.
    pub(super) fn update_list(
        &mut self,
        policy: &str,
        weights: &GivenWeights,
        endpoints: &[&Arc<EndpointDescriptor>],
        helper: &dyn Helper,
    ) {
        let endpoints = endpoints.iter().map(|endpoint| &***endpoint);
        if let Some(line) = self.0.update_list(policy, &weights.0, endpoints) {
            helper.log(Severity::Info, &line);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(weights: Value) -> GivenWeights {
        let json = json!({ "weights": weights });
        Fields::parse("p", &json, GivenWeights::parse).unwrap()
    }

    fn endpoint(addresses: &[&str], weight: u32) -> Arc<EndpointDescriptor> {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    }

    #[test]
    fn the_config_wins_over_the_resolver() {
        let weights = parse(json!({"10.0.0.1:80": 2, "ipv4:10.0.0.2:80": "0.5"}));
        assert_eq!(weights.of(&endpoint(&["ipv4:10.0.0.1:80"], 7)), 2.0);
        assert_eq!(weights.of(&endpoint(&["ipv4:10.9.9.9:80", "ipv4:10.0.0.2:80"], 7)), 0.5);
        assert_eq!(weights.of(&endpoint(&["ipv4:10.0.0.3:80"], 7)), 7.0);
        assert_eq!(weights.of(&endpoint(&["ipv4:10.0.0.3:80"], 0)), 0.0);
        assert_eq!(parse(json!({})).of(&endpoint(&["ipv4:10.0.0.1:80"], 7)), 7.0);
    }

    #[test]
    fn a_weight_may_be_text() {
        let weight = |json: Value| parse_weight(&json);
        assert_eq!(weight(json!("3")), Some(3.0));
        assert_eq!(weight(json!("1e2")), Some(100.0));
        for wrong in [json!("0"), json!("-1"), json!("x"), json!(""), json!("1e-60"), json!([1])] {
            assert_eq!(weight(wrong.clone()), None, "{wrong}");
        }
    }
}
