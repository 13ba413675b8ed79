//! `steer_ring_hash`: sends calls with the same hash to the same backend, by a ketama ring, and
//! moves few of them when backends come and go. Connects a backend when a call first belongs to it.
//!
//! Sources: gRFC A42 (the policy), A61 (endpoints, states), A76 (hash by header, random hashes);
//! gRPC's `ring_hash`. Bounded loads: see `bounded_loads.rs`.
//! Config: `minRingSize`, `maxRingSize`, `requestHashHeader`, `hashBalanceFactor`; see `config.rs`.
//! Cost per pick: the call's hash, a look-up in the ring (see `hashing/ring/`), and one backend's
//! state, O(log endpoints) loads. Cost per report: O(log endpoints); the new picker shares
//! everything else with the one before. Cost per update: O(endpoints + entries), for the ring. A
//! list that repeats costs one comparison for each endpoint. If few endpoints change, and keep
//! their weights, the ring is merged instead of sorted again.
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config, and its limits |
//! | `policy.rs` | the control plane: updates, reports, connection requests |
//! | `endpoint_table/` | the endpoints of the list, and what a new list changes |
//! | `states.rs` | the states of endpoints, and the aggregate of them |
//! | `ring_update.rs` | the ring of a new list |
//! | `picker.rs` | the data plane |
//! | `stats.rs` | the share of each backend, for the statistics |
//!
//! The general flow is: an update gives the table a list, and the policy a ring of its endpoints. A
//! pick finds its place on the ring. If the endpoint there is IDLE, the pick marks it and wakes the
//! policy, which connects it. Each report changes one state in the table, and publishes a picker.
//!
//! Why the table is not `endpoints::EndpointLists`: that keeps a current and a pending list,
//! connects each endpoint at once, and identifies it by its addresses in order. Ring hash replaces
//! its list at once, connects on demand, and merges endpoints with the same set of addresses into
//! one.
//!
//! Must not depend on: how a ring is built, the C ABI.

mod config;
mod endpoint_table;
mod picker;
mod policy;
mod ring_update;
mod states;
mod stats;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use self::config::RingHashConfig;
use self::policy::RingHashPolicy;
use crate::policy::{Config, ConfigError, Fields, Helper, Policies, Policy, PolicyFactory};

/// The policy factory of `steer_ring_hash`.
pub struct RingHash;

impl PolicyFactory for RingHash {
    fn name(&self) -> &str {
        "steer_ring_hash"
    }

    fn parse_config(&self, json: &Value, _: &dyn Policies) -> Result<Config, ConfigError> {
        let parsed = Fields::parse(self.name(), json, RingHashConfig::parse);
        parsed.map(|config| Arc::new(config) as Config)
    }

    fn known_fields(&self, _config: &Config) -> Option<BTreeSet<String>> {
        Some(Fields::names_read(RingHashConfig::parse))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(RingHashPolicy::new(helper))
    }
}
