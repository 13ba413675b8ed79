//! The control plane of a policy: its traits, and what a resolver's update carries.
//!
//! Must not depend on: how a policy is run, any policy.

use std::any::Any;
use std::sync::Arc;

use super::config::ConfigError;
use super::helper::{Helper, TimerId};
use super::on_fault::OnFault;
use crate::Status;
use crate::calls::Metrics;
use crate::endpoints::{EndpointDescriptor, EndpointId, Report};
use crate::stats::Plugin;

/// A policy's config, parsed and checked: whatever type its factory made of the JSON.
pub type Config = Arc<dyn Any + Send + Sync>;

/// Makes policies of one name, and knows their config.
pub trait PolicyFactory: Send + Sync + 'static {
    /// The name in `loadBalancingConfig`: lower-case letters, digits and `_`.
    fn name(&self) -> &str;

    /// Checks and converts a config. `{}` must be accepted unless a field is required: gRPC parses
    /// that when a policy is chosen by its name alone. Called on any thread.
    fn parse_config(&self, json: &serde_json::Value) -> Result<Config, ConfigError>;

    /// A new policy, which has not seen an update yet. Until then it may not ask the channel for
    /// anything: what it asks of `helper` but log, clock and chance is ignored.
    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy>;

    /// What a fault of its policies leads to.
    fn on_fault(&self) -> OnFault {
        OnFault::default()
    }

    /// The plugin that it is from.
    fn plugin(&self) -> Option<Plugin> {
        None
    }
}

/// A resolver's update.
#[derive(Clone)]
pub struct Update {
    /// The endpoints in the resolver's order, or why there are none.
    pub endpoints: Result<Arc<[Arc<EndpointDescriptor>]>, Status>,
    /// Whose config it is: the policy's own factory, or a later one of the same name.
    pub factory: Arc<dyn PolicyFactory>,
    /// What that factory made of the config.
    pub config: Config,
    /// Context for people, to be part of the status when there are no endpoints. May be empty.
    pub resolution_note: String,
    /// What the channel was made for, such as `dns:///greeter:50051`: for people. May be empty.
    pub target: String,
}

/// The control plane of a policy. Calls never overlap: a host serialises them.
///
/// A policy publishes by [`Helper::update_state`]. Dropping it shuts it down.
pub trait Policy: Send {
    /// Takes a resolver's update. `Err` tells the resolver that the update was not accepted.
    fn update(&mut self, update: &Update) -> Result<(), Status>;

    /// Takes a report of an endpoint's state. Reports of endpoints that were dropped are ignored:
    /// `false` says that there is no such endpoint.
    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool;

    /// Leaves IDLE, for policies that connect lazily.
    fn exit_idle(&mut self) {}

    /// Forgets the backoff of every endpoint.
    fn reset_backoff(&mut self);

    /// A timer started with [`Helper::start_timer`] has run out.
    fn timer(&mut self, _timer: TimerId) {}

    /// What [`Helper::wake`] asked for.
    fn woken(&mut self) {}

    /// Takes an endpoint's load report that came out of band: see [`Helper::request_load_reports`]. `false`:
    /// there is no such endpoint.
    fn load_report(&mut self, _endpoint: EndpointId, _metrics: &Metrics) -> bool {
        false
    }

    /// Whether the policy can go on with a config that another factory of its name has made, and
    /// be of that factory's kind from then on. If not, a new policy takes its place.
    fn adopts(&self, _config: &Config) -> bool {
        false
    }
}
