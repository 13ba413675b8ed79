//! Policies with children: each of them, and within each other.
//!
//! | file | idea |
//! |---|---|
//! | `configs.rs` | the field `childPolicy`, and its faults |
//! | `equal.rs` | a policy below others behaves as it does alone |
//! | `switch.rs` | a config that names another child |
//! | `faults.rs` | a child that panics falls back alone |
//! | `statistics.rs` | the tree in the statistics |
//! | `subset.rs`, `priority.rs`, `locality.rs`, `slow_start.rs` | the policies |

mod configs;
mod equal;
mod faults;
mod locality;
mod priority;
mod slow_start;
mod statistics;
mod subset;
#[path = "../support/mod.rs"]
mod support;
mod switch;

use std::sync::Arc;

use serde_json::{Value, json};
use steer::endpoints::{Attribute, AttributeValue, EndpointDescriptor};
use support::Channel;

/// A config with this child.
fn with_child(policy: &str, config: Value) -> Value {
    json!({"childPolicy": [{policy: config}]})
}

/// The descriptor of a backend with an attribute.
fn described(name: char, key: &str, value: AttributeValue) -> Arc<EndpointDescriptor> {
    Arc::new(EndpointDescriptor {
        addresses: vec![name.to_string()],
        attributes: vec![Attribute { key: key.to_owned(), value }],
        ..EndpointDescriptor::default()
    })
}

/// The lines of the log since the last look.
fn logs(channel: &Channel) -> Vec<String> {
    let log = |asked| match asked {
        support::Asked::Log(line) => Some(line),
        _ => None,
    };
    channel.asked().into_iter().filter_map(log).collect()
}
