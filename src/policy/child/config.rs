//! The field `childPolicy` of a config.
//!
//! Must not depend on: how a child is run.

use std::sync::Arc;

use serde_json::{Map, Value};
use steer_abi::config_message;

use crate::policy::{
    CommonFields, Config, ConfigError, Fault, Fields, ParsedConfig, Policies, PolicyFactory,
};

/// The policy of a child, and its config, parsed and checked.
#[derive(Clone)]
pub struct ChildConfig {
    pub(super) factory: Arc<dyn PolicyFactory>,
    pub(super) config: Config,
    pub(super) common: Arc<CommonFields>,
}

impl ChildConfig {
    /// The name of the field.
    pub(super) const FIELD: &'static str = "childPolicy";

    /// Reads the field. It is a list, as `loadBalancingConfig` is: the first one of
    /// `policies` is used. Without the field, `default` is used with an empty config, which it
    /// must accept. A fault of the child's config has the whole path.
    pub fn parse(
        fields: &mut Fields<'_>,
        policies: &dyn Policies,
        default: &Arc<dyn PolicyFactory>,
    ) -> Option<ChildConfig> {
        if !fields.has(ChildConfig::FIELD) {
            let parsed = ParsedConfig::parse(&**default, &Value::Null, policies);
            return match parsed {
                Ok(parsed) => Some(ChildConfig::new(Arc::clone(default), parsed)),
                Err(error) => {
                    fields.fault(ChildConfig::FIELD, format!("is required: {error}"));
                    None
                }
            };
        }
        // A fault of its type is noted already.
        let list: Option<Vec<Map<String, Value>>> = fields.read(ChildConfig::FIELD, None);
        match first_known(&list?, ChildConfig::FIELD, policies) {
            Ok(config) => Some(config),
            Err(faults) => {
                faults.into_iter().for_each(|fault| fields.fault(&fault.field, fault.error));
                None
            }
        }
    }

    /// As [`ChildConfig::parse`], for the value of any field, with the field's path. `null`: it is
    /// missing.
    pub fn read(
        value: &Value,
        field: &str,
        policies: &dyn Policies,
        default: &Arc<dyn PolicyFactory>,
    ) -> Result<ChildConfig, Vec<Fault>> {
        if value.is_null() {
            let parsed = ParsedConfig::parse(&**default, value, policies);
            let parsed = parsed.map_err(|error| below(field, error))?;
            return Ok(ChildConfig::new(Arc::clone(default), parsed));
        }
        let list: Result<Vec<Map<String, Value>>, _> = serde_json::from_value(value.clone());
        let list = list.map_err(|error| fault(field, config_message(&error.to_string())))?;
        first_known(&list, field, policies)
    }

    fn new(factory: Arc<dyn PolicyFactory>, parsed: ParsedConfig) -> ChildConfig {
        ChildConfig { factory, config: parsed.policy, common: parsed.common }
    }

    /// See [`PolicyFactory::uses_weights`].
    pub fn uses_weights(&self) -> bool {
        self.factory.uses_weights(&self.config)
    }

    /// Whether another config of the same text leads to the same releases of all policies.
    pub fn is_same_release(&self, other: &ChildConfig) -> bool {
        Arc::ptr_eq(&self.factory, &other.factory)
            && self.factory.same_children(&self.config, &other.config)
    }

    /// The name of the policy.
    pub fn name(&self) -> &str {
        self.factory.name()
    }
}

/// The first entry of the list in this field whose policy is known.
fn first_known(
    list: &[Map<String, Value>],
    field: &str,
    policies: &dyn Policies,
) -> Result<ChildConfig, Vec<Fault>> {
    for (index, entry) in list.iter().enumerate() {
        let path = format!("{field}[{index}]");
        let mut entry = entry.iter();
        let (Some((name, config)), None) = (entry.next(), entry.next()) else {
            return Err(fault(&path, "must have one field: the name of a policy"));
        };
        if let Some(factory) = policies.find(name) {
            return parse(&path, factory, config, policies);
        }
    }
    let known = policies.names().join(", ");
    Err(fault(field, format!("names no policy that is known; there are: {known}")))
}

fn fault(field: &str, error: impl Into<String>) -> Vec<Fault> {
    vec![Fault { field: field.to_owned(), error: error.into() }]
}

/// The faults of a config below this path.
fn below(path: &str, error: ConfigError) -> Vec<Fault> {
    let below = |fault: Fault| Fault { field: format!("{path}.{}", fault.field), ..fault };
    error.faults.into_iter().map(below).collect()
}

fn parse(
    path: &str,
    factory: Arc<dyn PolicyFactory>,
    config: &Value,
    policies: &dyn Policies,
) -> Result<ChildConfig, Vec<Fault>> {
    match ParsedConfig::parse(&*factory, config, policies) {
        Ok(parsed) if parsed.common.connections > 1 => {
            let field = format!("{path}.{}.{}", factory.name(), CommonFields::CONNECTIONS);
            Err(fault(&field, "belongs into the config of the outermost policy"))
        }
        Ok(parsed) => Ok(ChildConfig::new(factory, parsed)),
        Err(error) => Err(below(path, error)),
    }
}
