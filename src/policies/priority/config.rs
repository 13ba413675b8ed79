//! The config of `steer_priority`.
//!
//! Must not depend on: how groups are used.

use std::time::Duration;

use hashbrown::HashMap;

use crate::hashing::of_address;
use crate::policy::Fields;

/// As in gRFC A56.
const DEFAULT_FAILOVER_TIMEOUT: Duration = Duration::from_secs(10);

/// The fields of `steer_priority`, without its child's.
pub struct PriorityConfig {
    pub(super) groups: Groups,
    /// How long a group that is tried may take to connect.
    pub(super) failover_timeout: Duration,
}

/// What says which group a backend belongs to.
pub(super) enum Groups {
    /// The group of each address, without its scheme. Others follow after the last one.
    Addresses(HashMap<Vec<u8>, usize>),
    /// The places of the values of an attribute. Other values follow after them.
    Values { attribute: String, order: Vec<String> },
    /// The values of an attribute, which are numbers: the least is the best.
    Numbers { attribute: String },
}

impl PriorityConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> PriorityConfig {
        let lists: Vec<Vec<String>> = fields.read("groups", Vec::new());
        let attribute = fields.read("attribute", "priority".to_owned());
        let order: Vec<String> = fields.read("order", Vec::new());
        let failover_timeout = fields.duration("failoverTimeout", DEFAULT_FAILOVER_TIMEOUT);
        if fields.has("groups") && (fields.has("attribute") || fields.has("order")) {
            fields.fault("groups", "cannot be combined with attribute and order");
        }
        if attribute.is_empty() {
            fields.fault("attribute", "must not be empty");
        }
        for (index, value) in order.iter().enumerate() {
            if order[..index].contains(value) {
                fields.fault(&format!("order[{index}]"), "the same value is named already");
            }
        }
        let groups = if !lists.is_empty() {
            by_address(fields, &lists)
        } else if !order.is_empty() {
            Groups::Values { attribute, order }
        } else {
            Groups::Numbers { attribute }
        };
        PriorityConfig { groups, failover_timeout }
    }
}

fn by_address(fields: &mut Fields<'_>, lists: &[Vec<String>]) -> Groups {
    let mut groups = HashMap::new();
    for (group, addresses) in lists.iter().enumerate() {
        for (index, address) in addresses.iter().enumerate() {
            if groups.insert(of_address(address).into_owned(), group).is_some() {
                let path = format!("groups[{group}][{index}]");
                fields.fault(&path, "the same address is named already");
            }
        }
    }
    Groups::Addresses(groups)
}
