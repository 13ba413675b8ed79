//! The policies that a scenario is run with, and their configs.
//!
//! Policies are looked up in the engine's registry: a custom policy must be registered before a
//! scenario that names it is read.
//!
//! Must not depend on: servers, clients, events, limits.

use serde_json::{Map, Number, Value};
use steer::policies::registry;
use steer::policy::ParsedConfig;
use toml::de::DeValue;

use super::reader::{Fields, Node};
use super::units::{as_number, as_whole, text};
use crate::scenario::PolicyChoice;

/// The policies that need nothing in calls or servers.
const DEFAULT_POLICIES: [&str; 4] =
    ["steer_round_robin", "steer_least_request", "steer_peak_ewma", "steer_weighted_round_robin"];

/// Reads `policies`. `None` if they have faults.
pub(super) fn policies(fields: &mut Fields<'_>) -> Option<Vec<PolicyChoice>> {
    let Some(node) = fields.node("policies") else {
        let named = |name: &str| PolicyChoice { name: name.to_owned(), config: empty() };
        return Some(DEFAULT_POLICIES.into_iter().map(named).collect());
    };
    let mut earlier: Vec<PolicyChoice> = Vec::new();
    node.some("policy", |node| {
        let choice = choice(node)?;
        if earlier.contains(&choice) {
            node.fault("this policy with this config is there already");
            return None;
        }
        earlier.push(choice.clone());
        Some(choice)
    })
}

/// Reads a policy: its name, or a table with its name and config.
fn choice(node: &Node<'_>) -> Option<PolicyChoice> {
    if node.value.is_str() {
        return Some(PolicyChoice { name: name(node)?, config: empty() });
    }
    if !node.value.is_table() {
        return node.expected("a policy's name, or a table with name and config");
    }
    let both = node.table(|fields| {
        let name = fields.require("name", name);
        let config = fields.read("config", json).unwrap_or_else(empty);
        let name = name?;
        let choice = PolicyChoice { name, config };
        check_config(fields, &choice).then_some(choice)
    });
    both?
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn name(node: &Node<'_>) -> Option<String> {
    let name = text(node)?;
    if registry().find(&name).is_some() {
        return Some(name);
    }
    let known = registry().names();
    node.unknown("expected the name of a policy", known.iter().map(String::as_str))
}

/// Lets the policy check its config. Returns whether it is right.
fn check_config(fields: &mut Fields<'_>, choice: &PolicyChoice) -> bool {
    let Some(factory) = registry().find(&choice.name) else { return true };
    // Of one client. Those of others differ in nothing that the policy could reject.
    let config = choice.config_of(0, 1, "a");
    let Err(error) = ParsedConfig::parse(&*factory, &config, registry()) else {
        return true;
    };
    for fault in error.faults {
        fields.fault_at("config", format!("{}: {}", fault.field, fault.error));
    }
    false
}

/// Turns a table into the JSON of `loadBalancingConfig`.
fn json(node: &Node<'_>) -> Option<Value> {
    if !node.value.is_table() {
        return node.expected("a table");
    }
    let value = to_json(node.value);
    if value.is_none() {
        node.fault("has a number or a date that JSON does not have");
    }
    value
}

fn to_json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(_) => Value::from(as_whole(value)?),
        DeValue::Float(_) => Value::Number(Number::from_f64(as_number(value)?)?),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(_) => return None,
        DeValue::Array(list) => {
            let list: Option<Vec<Value>> = list.iter().map(|v| to_json(v.get_ref())).collect();
            Value::Array(list?)
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Some((key.to_string(), to_json(value.get_ref())?))
            };
            let map: Option<Map<String, Value>> = table.iter().map(entry).collect();
            Value::Object(map?)
        }
    })
}
