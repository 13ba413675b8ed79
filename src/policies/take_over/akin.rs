//! Configs that were written for gRPC's policies, for the policies of Steer that do the same.
//!
//! Sources: gRFC A42 and A76 (ring hash), A48 (least request), A58 and A114 (weighted round robin);
//! gRPC's parsers. gRPC 1.46 writes the sizes of rings with `_`.
//!
//! Must not depend on: where a setting comes from.

use serde_json::{Map, Value};

use super::setting::Setting;

/// Pairs of the field of gRPC's config and Steer's field of the same meaning.
type Fields = &'static [(&'static str, &'static str)];

const WEIGHTED_ROUND_ROBIN: Fields = &[
    ("blackoutPeriod", "blackoutPeriod"),
    ("enableOobLoadReport", "enableOobLoadReport"),
    ("errorUtilizationPenalty", "errorUtilizationPenalty"),
    ("metricNamesForComputingUtilization", "metricNamesForComputingUtilization"),
    ("oobReportingPeriod", "oobReportingPeriod"),
    ("weightExpirationPeriod", "weightExpirationPeriod"),
    ("weightUpdatePeriod", "weightUpdatePeriod"),
];

const RING_HASH: Fields = &[
    ("min_ring_size", MIN_RING_SIZE),
    ("max_ring_size", MAX_RING_SIZE),
    (MIN_RING_SIZE, MIN_RING_SIZE),
    (MAX_RING_SIZE, MAX_RING_SIZE),
    ("requestHashHeader", "requestHashHeader"),
];

const MAGLEV: Fields = &[("requestHashHeader", "requestHashHeader")];

const LEAST_REQUEST: Fields = &[("choice_count", "choiceCount"), ("choiceCount", "choiceCount")];

const MIN_RING_SIZE: &str = "minRingSize";
const MAX_RING_SIZE: &str = "maxRingSize";

/// The greatest ring that gRPC makes from 1.53 on, whatever its config says, unless the channel
/// argument `grpc.lb.ring_hash.ring_size_cap` allows more (gRFC A42). xDS configs have 8 million.
const RING_SIZE_CAP: u64 = 4096;

/// The fields that `policy` understands of a config for gRPC's policy `name`.
fn fields_of(name: &str, policy: &str) -> Fields {
    match (name, policy) {
        ("weighted_round_robin", "steer_weighted_round_robin") => WEIGHTED_ROUND_ROBIN,
        ("ring_hash" | "ring_hash_experimental", "steer_ring_hash") => RING_HASH,
        ("ring_hash" | "ring_hash_experimental", "steer_maglev") => MAGLEV,
        ("least_request_experimental", "steer_least_request" | "steer_peak_ewma") => LEAST_REQUEST,
        _ => &[],
    }
}

impl Setting {
    /// The policy's config when the application gives `json` to the policy of gRPC's name.
    ///
    /// If the two policies are akin, the application's fields that both have win over the
    /// setting's. Otherwise only the setting's config counts.
    pub fn config_for(&self, json: &Value) -> Value {
        let fields = fields_of(&self.name, &self.policy);
        if fields.is_empty() || json.is_null() {
            return self.config.clone();
        }
        let Value::Object(given) = json else {
            // The policy's parser says what is wrong with it.
            return json.clone();
        };
        let mut config = self.config.as_object().cloned().unwrap_or_default();
        let cap = config.get(MAX_RING_SIZE).and_then(number).unwrap_or(RING_SIZE_CAP);
        for (from, to) in fields {
            if let Some(value) = given.get(*from) {
                config.insert((*to).to_owned(), value.clone());
            }
        }
        for size in [MIN_RING_SIZE, MAX_RING_SIZE] {
            cap_field(&mut config, size, cap);
        }
        Value::Object(config)
    }
}

/// Numbers may be written as text, too.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Lowers a size that gRPC would lower. Leaves others to the policy's parser, faults too.
fn cap_field(config: &mut Map<String, Value>, field: &str, cap: u64) {
    const GREATEST_VALID: u64 = 8_388_608;
    if let Some(value) = config.get_mut(field) {
        if number(value).is_some_and(|size| size > cap && size <= GREATEST_VALID) {
            *value = cap.into();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::super::parse_list;
    use super::*;

    fn config_for(setting: &str, json: Value) -> Value {
        parse_list(setting).unwrap().remove(0).config_for(&json)
    }

    #[test]
    fn a_policy_that_is_not_akin_gets_the_settings_config() {
        let given = json!({"minRingSize": 7});
        assert_eq!(config_for("ring_hash=steer_random", given.clone()), Value::Null);
        assert_eq!(config_for(r#"round_robin=mine{"a":1}"#, given), json!({"a": 1}));
    }

    #[test]
    fn the_applications_fields_win_where_policies_are_akin() {
        let setting = r#"weighted_round_robin=steer_weighted_round_robin
            {"blackoutPeriod":"1s","weightUpdatePeriod":"2s"}"#;
        let given = json!({"blackoutPeriod": "3s", "enableOobLoadReport": true, "new": 1});
        assert_eq!(
            config_for(setting, given),
            json!({
                "blackoutPeriod": "3s", "weightUpdatePeriod": "2s", "enableOobLoadReport": true
            })
        );
        let setting = r#"weighted_round_robin=steer_weighted_round_robin{"blackoutPeriod":"1s"}"#;
        assert_eq!(config_for(setting, Value::Null), json!({"blackoutPeriod": "1s"}));
    }

    #[test]
    fn rings_have_the_sizes_that_grpc_would_give_them() {
        let xds = json!({"minRingSize": 1024, "maxRingSize": 8_388_608});
        let ring = "ring_hash_experimental=steer_ring_hash";
        assert_eq!(
            config_for(ring, xds.clone()),
            json!({"minRingSize": 1024, "maxRingSize": 4096})
        );
        let old = json!({"min_ring_size": "5000", "max_ring_size": 6000});
        assert_eq!(config_for(ring, old), json!({"minRingSize": 4096, "maxRingSize": 4096}));
        let larger = r#"ring_hash=steer_ring_hash{"maxRingSize":100000,"hashBalanceFactor":150}"#;
        assert_eq!(
            config_for(larger, xds),
            json!({"minRingSize": 1024, "maxRingSize": 100_000, "hashBalanceFactor": 150})
        );
        // Left for the parser, which refuses it.
        assert_eq!(config_for(ring, json!({"maxRingSize": -1})), json!({"maxRingSize": -1}));
    }

    #[test]
    fn maglev_knows_the_header_and_least_request_the_number_of_choices() {
        let given = json!({"requestHashHeader": "user", "minRingSize": 9});
        assert_eq!(
            config_for(r#"ring_hash_experimental=steer_maglev{"tableSize":5003}"#, given),
            json!({"requestHashHeader": "user", "tableSize": 5003})
        );
        for policy in ["steer_least_request", "steer_peak_ewma"] {
            let setting = format!("least_request_experimental={policy}");
            assert_eq!(config_for(&setting, json!({"choiceCount": 4})), json!({"choiceCount": 4}));
        }
    }

    #[test]
    fn a_config_that_is_not_an_object_is_left_to_the_parser() {
        assert_eq!(config_for("ring_hash=steer_ring_hash", json!([1])), json!([1]));
        assert_eq!(config_for("ring_hash=steer_random", json!([1])), Value::Null);
    }
}
