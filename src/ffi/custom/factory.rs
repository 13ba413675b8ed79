//! The policy factory of a registered table.

use std::collections::BTreeSet;
use std::ptr;
use std::sync::Arc;

use serde_json::Value;

use super::choice::{last_fault, listen};
use super::config::CustomConfig;
use super::json::{Faults, Reading};
use super::picker_factory::CustomPickers;
use super::policy::CustomPolicy;
use super::table::{Registered, Table};
use crate::policy::{
    Config, ConfigError, Helper, LeafPolicy, OnFault, Policies, Policy, PolicyFactory, fields_of,
};
use crate::stats::Plugin;

/// The policy factory of a registered table.
pub(super) struct CustomFactory(pub(super) Arc<Registered>);

impl PolicyFactory for CustomFactory {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn parse_config(&self, json: &Value, policies: &dyn Policies) -> Result<Config, ConfigError> {
        let name = self.name();
        let json = fields_of(name, json)?;
        let common = self.0.common();
        let mut pointer = ptr::null_mut();
        let Some(config_new) = common.config_new else {
            let asked = Some(BTreeSet::new());
            return Ok(Arc::new(CustomConfig::new(&self.0, pointer, asked, Vec::new())));
        };
        let mut faults = Faults::new(policies);
        let reading = Reading::new(&json);
        let (json, out) = (reading.pointer(), faults.pointer());
        // SAFETY: called with the table's `ctx`, and the JSON value and the faults are valid during
        // the call.
        let failed = listen(|| unsafe { config_new(common.ctx, json, out, &mut pointer) }) != 0;
        // Dropping it frees the config if there are faults.
        let asked = reading.asked();
        let children = faults.take_children();
        let made = (!failed).then(|| CustomConfig::new(&self.0, pointer, asked, children));
        let faults = faults.into_error(name);
        match made {
            Some(made) if faults.faults.is_empty() => Ok(Arc::new(made)),
            None if faults.faults.is_empty() => {
                let text = last_fault();
                let text = text.unwrap_or_else(|| "config_new failed, and did not say why".into());
                Err(ConfigError::for_field(name, name, text))
            }
            _ => Err(faults),
        }
    }

    fn known_fields(&self, config: &Config) -> Option<BTreeSet<String>> {
        config.downcast_ref::<CustomConfig>()?.asked.clone()
    }

    fn uses_weights(&self, config: &Config) -> bool {
        let config = config.downcast_ref::<CustomConfig>();
        config.is_some_and(|config| config.children.iter().any(|child| child.uses_weights()))
    }

    fn same_children(&self, one: &Config, other: &Config) -> bool {
        let (one, other) = (one.downcast_ref::<CustomConfig>(), other.downcast_ref());
        let Some((one, other)): Option<(&CustomConfig, &CustomConfig)> = one.zip(other) else {
            return false;
        };
        let mut both = one.children.iter().zip(&other.children);
        one.children.len() == other.children.len()
            && both.all(|(one, other)| one.is_same_release(other))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        match &self.0.table {
            Table::Picker(_) => {
                let pickers = CustomPickers::new(&self.0, &helper, Arc::default());
                Box::new(LeafPolicy::new(helper, pickers))
            }
            Table::Policy(_) => Box::new(CustomPolicy::new(&self.0, &helper)),
        }
    }

    fn on_fault(&self) -> OnFault {
        self.0.on_fault()
    }

    fn plugin(&self) -> Option<Plugin> {
        self.0.plugin()
    }
}
