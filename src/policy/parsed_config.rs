//! A config as hosts hand it in: the policy's own part, and what the runner acts upon.
//!
//! Must not depend on: how a policy is run, any policy.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::config::{CommonFields, ConfigError, UnknownField, fields_of};
use super::policy::{Config, Policies, PolicyFactory};

/// A policy's config, parsed and checked.
#[derive(Clone)]
pub struct ParsedConfig {
    /// What the policy's factory made of its fields.
    pub policy: Config,
    /// What the runner acts upon.
    pub common: Arc<CommonFields>,
}

impl ParsedConfig {
    /// Parses a config. The fields that every policy takes are read here. The factory gets all
    /// others. `policies` are those that its children may be of. Fails with the faults of both.
    pub fn parse(
        factory: &dyn PolicyFactory,
        json: &Value,
        policies: &dyn Policies,
    ) -> Result<ParsedConfig, ConfigError> {
        let name = factory.name();
        let object = fields_of(name, json)?;
        let common = CommonFields::parse(name, &object);
        let own = without_common(object);
        match (factory.parse_config(&own, policies), common) {
            (Ok(policy), Ok(mut common)) => {
                if let Some(known) = factory.known_fields(&policy) {
                    common.unknown = unknown_fields(&own, &known);
                }
                Ok(ParsedConfig { policy, common: Arc::new(common) })
            }
            (Err(mut error), Err(common)) => {
                error.faults.extend(common.faults);
                Err(error)
            }
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }
}

/// The fields of the policy's own.
fn without_common(mut object: Cow<'_, Value>) -> Cow<'_, Value> {
    for name in CommonFields::NAMES {
        if object.get(name).is_some() {
            if let Value::Object(fields) = object.to_mut() {
                fields.remove(name);
            }
        }
    }
    object
}

fn unknown_fields(own: &Value, known: &BTreeSet<String>) -> Vec<UnknownField> {
    let names = own.as_object().into_iter().flat_map(|fields| fields.keys());
    let unknown = names.filter(|name| !known.contains(*name));
    let all = || known.iter().map(String::as_str).chain(CommonFields::NAMES);
    unknown.map(|name| UnknownField::new(name, all())).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{Helper, Policy, Registry};

    /// Its config is the JSON that it gets.
    struct Echo;

    impl PolicyFactory for Echo {
        fn name(&self) -> &str {
            "echo"
        }

        fn parse_config(&self, json: &Value, _: &dyn Policies) -> Result<Config, ConfigError> {
            Ok(Arc::new(json.clone()))
        }

        fn new_policy(&self, _helper: Arc<dyn Helper>) -> Box<dyn Policy> {
            unreachable!("this test makes no policies")
        }
    }

    #[test]
    fn a_policy_gets_its_own_fields_alone() {
        for common in CommonFields::NAMES {
            let parsed =
                ParsedConfig::parse(&Echo, &json!({"own": 1, common: null}), &Registry::new());
            let parsed = parsed.ok().unwrap();
            assert_eq!(parsed.policy.downcast_ref::<Value>(), Some(&json!({"own": 1})));
            // This factory does not say which fields it knows.
            assert_eq!(parsed.common.unknown, []);
        }
    }

    #[test]
    fn a_config_is_an_object() {
        let error = ParsedConfig::parse(&Echo, &json!([1]), &Registry::new());
        let error = error.err().unwrap().to_string();
        let expected =
            "errors validating echo LB policy config: [field:echo error:is not an object]";
        assert_eq!(error, expected);
    }
}
