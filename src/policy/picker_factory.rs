//! Picker factories: the easy way to write a policy.
//!
//! A picker factory chooses among READY backends. The leaf policy (`leaf.rs`) keeps the
//! connections.
//!
//! Must not depend on: how connections are kept, any concrete policy.

use std::sync::Arc;

use super::config::Fields;
use super::helper::{Helper, TimerId};
use super::picker::Picker;
use super::policy::Config;
use crate::calls::Metrics;
use crate::endpoints::{
    Connection, Connectivity, EndpointDescriptor, EndpointLists, PersistentVec,
};
use crate::stats::StatsSource;

/// A READY backend that a picker can choose.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Completes a pick.
    pub connection: Connection,
    /// What the resolver knows about it.
    pub descriptor: Arc<EndpointDescriptor>,
    /// Its place in the list in use: see [`PickerFactory::update_list`].
    pub place: usize,
}

/// The READY backends.
pub struct Ready<'a>(&'a EndpointLists<dyn Helper>);

impl<'a> Ready<'a> {
    pub(super) fn new(endpoints: &'a EndpointLists<dyn Helper>) -> Ready<'a> {
        Ready(endpoints)
    }

    /// Their connections, by their places in the list in use. A clone costs O(1). It serves
    /// factories that do not look at all backends at each report.
    pub fn connections(&self) -> &PersistentVec<Connection> {
        self.0.connections()
    }

    /// All of them, in the resolver's order.
    pub fn backends(&self) -> impl Iterator<Item = Backend> {
        self.0.ready().map(|(place, connection, descriptor)| Backend {
            connection: connection.clone(),
            descriptor: Arc::clone(descriptor),
            place,
        })
    }

    /// All backends of the list in use with their states, READY or not, in the resolver's order. A
    /// failure lasts until the backend is READY. A backend that has not reported yet is IDLE.
    pub fn listed(&self) -> impl Iterator<Item = (&Arc<EndpointDescriptor>, Connectivity)> {
        let states = self.0.listed_states().map(|state| state.unwrap_or(Connectivity::Idle));
        self.0.listed_descriptors().zip(states)
    }
}

/// Makes the pickers of one channel. All methods run in the host's work serializer.
pub trait PickerFactory: Send + 'static {
    /// The type that [`PolicyFactory::parse_config`](super::PolicyFactory::parse_config) makes of
    /// the config.
    type Config: Send + Sync + 'static;

    /// Whether to name the code of a failed connection on hosts that report failures without it.
    /// gRPC's `weighted_round_robin` names it.
    const NAMES_CODES: bool = false;

    /// Whether its pickers choose by the weights of the descriptors.
    const USES_WEIGHTS: bool = false;

    /// Takes the config of an update. Called before the update's endpoints are looked at. The
    /// factory requests load reports and starts timers here.
    fn configure(&mut self, _config: &Arc<Self::Config>, _helper: &Arc<dyn Helper>) {}

    /// Takes all endpoints of the list in use, READY or not, in the resolver's order. Called before
    /// [`PickerFactory::build`] when the list or its config has changed. A list that repeats has
    /// not changed.
    fn update_list(
        &mut self,
        _config: &Arc<Self::Config>,
        _endpoints: &[&Arc<EndpointDescriptor>],
    ) {
    }

    /// Forgets endpoints. No endpoint has their addresses any more.
    fn forget(&mut self, _gone: &[Arc<EndpointDescriptor>]) {}

    /// Notes that a backend has a new connection: its endpoint has become READY. Not called when
    /// only the description of a connected backend has changed, and its endpoint was made again.
    fn connected(&mut self, _endpoint: &EndpointDescriptor) {}

    /// Takes a load report that came out of band: see [`Helper::request_load_reports`].
    fn load_report(
        &mut self,
        _endpoint: &EndpointDescriptor,
        _metrics: &Metrics,
        _helper: &dyn Helper,
    ) {
    }

    /// Whether a load report made a new picker necessary. Called after each one.
    fn wants_rebuild(&mut self) -> bool {
        false
    }

    /// Makes a picker for these backends, of which there is at least one. Called when the backends,
    /// their states or the config have changed.
    fn build(
        &mut self,
        config: &Arc<Self::Config>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker>;

    /// Drops the connections that are kept for the next picker: no backend is READY any more.
    fn none_ready(&mut self) {}

    /// Whether this factory accepts a config that another policy factory of its name made, with the
    /// type [`PickerFactory::Config`].
    fn adopts(&self, _config: &Config) -> bool {
        true
    }

    /// Whether its pickers count calls with [`CallCounters`](crate::calls::CallCounters). If so,
    /// one of its [`stats_sources`](PickerFactory::stats_sources) describes them.
    fn counts_calls(&self, _config: &Self::Config) -> bool {
        false
    }

    /// The sources that describe the backends for the statistics. Called once.
    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        Vec::new()
    }

    /// Handles a timer of [`Helper::start_timer`]. Returns whether a new picker is needed.
    fn timer(&mut self, _timer: TimerId) -> bool {
        false
    }

    /// Does what [`Helper::wake`] was called for. Returns whether a new picker is needed.
    fn woken(&mut self) -> bool {
        false
    }
}

/// A picker factory of the engine.
pub trait BuiltIn: PickerFactory {
    /// The name in `loadBalancingConfig`.
    const NAME: &'static str;

    /// Reads a config. Asks for each of its fields, whatever the others say: the log names those
    /// that it does not ask for.
    fn parse(fields: &mut Fields<'_>) -> Self::Config;

    /// Makes the picker factory of one channel.
    fn new(helper: &dyn Helper) -> Self;
}
