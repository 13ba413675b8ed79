//! The policy's config of each client.
//!
//! Must not depend on: how a client uses its config.

use std::sync::Arc;

use serde_json::Value;
use steer::policies::registry;
use steer::policy::{ConfigError, ParsedConfig, PolicyFactory};

use crate::scenario::{PolicyChoice, Scenario};

/// The configs of all clients.
pub(super) enum ClientConfigs {
    Same(ParsedConfig),
    Each(Vec<ParsedConfig>),
}

impl ClientConfigs {
    /// The configs of this policy for the scenario's clients.
    pub(super) fn new(
        factory: &Arc<dyn PolicyFactory>,
        policy: &PolicyChoice,
        scenario: &Scenario,
    ) -> Result<ClientConfigs, ConfigError> {
        let parse = |config: &Value| ParsedConfig::parse(&**factory, config, registry());
        if !policy.differs() {
            return parse(&policy.config).map(ClientConfigs::Same);
        }
        let zones = scenario.clients.iter().flat_map(|group| {
            (0..group.count).map(|index| &*group.zones[index % group.zones.len()])
        });
        let zones: Vec<&str> = zones.collect();
        let count = zones.len();
        let each = zones
            .into_iter()
            .enumerate()
            .map(|(index, zone)| parse(&policy.config_of(index, count, zone)));
        each.collect::<Result<_, _>>().map(ClientConfigs::Each)
    }

    /// The config of this client.
    pub(super) fn of(&self, client: u32) -> &ParsedConfig {
        match self {
            ClientConfigs::Same(config) => config,
            ClientConfigs::Each(configs) => &configs[client as usize],
        }
    }
}
