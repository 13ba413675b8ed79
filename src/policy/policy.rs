//! The control plane of a policy: its traits, and the update of a resolver.
//!
//! Must not depend on: how a policy is run, any policy.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::config::{CommonFields, ConfigError};
use super::helper::{Helper, TimerId};
use super::on_fault::OnFault;
use crate::Status;
use crate::calls::Metrics;
use crate::endpoints::{EndpointDescriptor, EndpointId, Report};
use crate::stats::Plugin;

/// A policy's config, parsed and checked, in the type that its factory chose.
pub type Config = Arc<dyn Any + Send + Sync>;

/// The policies that a config can name. Any thread.
pub trait Policies: Sync {
    /// The policy of this name.
    fn find(&self, name: &str) -> Option<Arc<dyn PolicyFactory>>;

    /// All names, in alphabetical order.
    fn names(&self) -> Vec<String>;
}

/// Makes the policies of one name, and parses their configs.
pub trait PolicyFactory: Send + Sync + 'static {
    /// The name in `loadBalancingConfig`: lower-case letters, digits and `_`.
    fn name(&self) -> &str;

    /// Checks and converts a config. `{}` must be accepted, unless a field is required: gRPC passes
    /// `{}` when a policy is chosen by its name alone. Called on any thread, by
    /// [`ParsedConfig::parse`](super::ParsedConfig::parse), which takes out the fields that every
    /// policy takes. A policy with children finds their factories in `policies`.
    fn parse_config(
        &self,
        json: &serde_json::Value,
        policies: &dyn Policies,
    ) -> Result<Config, ConfigError>;

    /// The names of the fields that this config of the factory may have. The log names others once.
    /// `None`: not known.
    fn known_fields(&self, _config: &Config) -> Option<BTreeSet<String>> {
        None
    }

    /// Whether its policies, with this config, choose by the weights of the descriptors.
    fn uses_weights(&self, _config: &Config) -> bool {
        false
    }

    /// Whether two of its configs, parsed from the same text, lead to the same factories of
    /// children. They do not if a plugin was loaded again in between.
    fn same_children(&self, _one: &Config, _other: &Config) -> bool {
        true
    }

    /// Makes a policy. Before its first update, `helper` ignores everything except log lines, the
    /// clock, random numbers and timers.
    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy>;

    /// What a fault of its policies leads to.
    fn on_fault(&self) -> OnFault {
        OnFault::default()
    }

    /// The plugin that it comes from.
    fn plugin(&self) -> Option<Plugin> {
        None
    }
}

/// A resolver's update.
#[derive(Clone)]
pub struct Update {
    /// The endpoints in the resolver's order, or why there are none.
    pub endpoints: Result<Arc<[Arc<EndpointDescriptor>]>, Status>,
    /// The factory that parsed the config: the policy's own one, or a later one of the same name.
    pub factory: Arc<dyn PolicyFactory>,
    /// The config.
    pub config: Config,
    /// The fields of the config that every policy takes. The runner acts upon them.
    pub common: Arc<CommonFields>,
    /// The resolver's explanation for people, which becomes part of the status if there are no
    /// endpoints. May be empty.
    pub resolution_note: String,
    /// The target of the channel, such as `dns:///greeter:50051`, for people. May be empty.
    pub target: String,
    /// The xDS cluster whose backends these are, for people. Empty: there is none.
    pub cluster: String,
}

/// The control plane of a policy.
///
/// Made by a [`PolicyFactory`] when a channel chooses the policy. Its methods run in the host's
/// work serializer, one at a time. It publishes pickers with [`Helper::update_state`]. Dropping it
/// shuts it down.
pub trait Policy: Send {
    /// Takes an update of the resolver. `Err` tells the resolver that the update was not accepted.
    fn update(&mut self, update: &Update) -> Result<(), Status>;

    /// Takes a report of an endpoint's state. Returns `false`, and ignores the report, if there is
    /// no such endpoint (any more).
    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool;

    /// Leaves IDLE, for policies that connect lazily.
    fn exit_idle(&mut self) {}

    /// Forgets the backoff of every endpoint.
    fn reset_backoff(&mut self);

    /// Handles the end of a timer of [`Helper::start_timer`].
    fn timer(&mut self, _timer: TimerId) {}

    /// Does what [`Helper::wake`] was called for.
    fn woken(&mut self) {}

    /// Takes an endpoint's load report that came out of band: see [`Helper::request_load_reports`].
    /// Returns `false` if there is no such endpoint (any more).
    fn load_report(&mut self, _endpoint: EndpointId, _metrics: &Metrics) -> bool {
        false
    }

    /// Whether the policy accepts a config that another factory of its name made, and belongs to
    /// that factory from then on. Otherwise a new policy replaces it.
    fn adopts(&self, _config: &Config) -> bool {
        false
    }
}
