//! The field `childPolicy` of a config.
//!
//! Must not depend on: how a child is run.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::policy::{CommonFields, Config, Fields, ParsedConfig, Policies, PolicyFactory};

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
        let list = list?;
        for (index, entry) in list.iter().enumerate() {
            let path = format!("{}[{index}]", ChildConfig::FIELD);
            let mut entry = entry.iter();
            let (Some((name, config)), None) = (entry.next(), entry.next()) else {
                fields.fault(&path, "must have one field: the name of a policy");
                return None;
            };
            if let Some(factory) = policies.find(name) {
                return parse(fields, &path, factory, config, policies);
            }
        }
        let known = policies.names().join(", ");
        fields.fault(
            ChildConfig::FIELD,
            format!("names no policy that is known; there are: {known}"),
        );
        None
    }

    fn new(factory: Arc<dyn PolicyFactory>, parsed: ParsedConfig) -> ChildConfig {
        ChildConfig { factory, config: parsed.policy, common: parsed.common }
    }

    /// See [`PolicyFactory::uses_weights`].
    pub fn uses_weights(&self) -> bool {
        self.factory.uses_weights(&self.config)
    }

    /// Whether another config of the same text leads to the same releases of all policies.
    pub(super) fn is_same_release(&self, other: &ChildConfig) -> bool {
        Arc::ptr_eq(&self.factory, &other.factory)
            && self.factory.same_children(&self.config, &other.config)
    }

    /// The name of the policy.
    pub fn name(&self) -> &str {
        self.factory.name()
    }
}

fn parse(
    fields: &mut Fields<'_>,
    path: &str,
    factory: Arc<dyn PolicyFactory>,
    config: &Value,
    policies: &dyn Policies,
) -> Option<ChildConfig> {
    match ParsedConfig::parse(&*factory, config, policies) {
        Ok(parsed) if parsed.common.connections > 1 => {
            let field = format!("{path}.{}.{}", factory.name(), CommonFields::CONNECTIONS);
            fields.fault(&field, "belongs into the config of the outermost policy");
            None
        }
        Ok(parsed) => Some(ChildConfig::new(factory, parsed)),
        Err(error) => {
            for fault in error.faults {
                fields.fault(&format!("{path}.{}", fault.field), fault.error);
            }
            None
        }
    }
}
