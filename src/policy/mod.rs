//! Policies: the traits, the registry, and one file per policy.
//!
//! | file | idea |
//! |---|---|
//! | `helper.rs` | what a policy may ask of its channel and of the world |
//! | `config.rs` | from JSON to a policy's own config type, with the field path of every fault |
//! | `registry.rs` | policies by name |
//! | `on_fault.rs` | what a fault of a policy leads to, and when that ends |
//! | `runner.rs` | runs one policy for a host: one event at a time, panics contained |
//! | `leaf.rs` | the policy that keeps connections and leaves the choice to a picker factory |
//! | `call.rs` | what a picker may know of a call |
//! | `tracked.rs` | calls of which a picker hears again |
//! | `tracked_slot.rs` | where they are kept, without allocating |
//! | `sample.rs` | backends taken at random |
//! | `candidate.rs` | a READY backend whose calls are known |
//! | `kept.rs` | what is made of each READY backend, kept from picker to picker |
//! | `counted.rs` | calls tracked for the statistics alone |
//! | `distinct.rs` | each backend once, however often it is listed |
//! | `pickers.rs` | pickers that every policy needs: queue, fail |
//! | `turns.rs` | connections that take turns |
//! | `round_robin.rs` | `steer_round_robin` |
//! | `random.rs` | `steer_random` |
//! | `ring_hash.rs` | `steer_ring_hash`, which decides about connections too |
//! | `maglev.rs` | `steer_maglev` |
//! | `bounded_loads.rs` | what these two do when a backend has too many calls |
//! | `least_request.rs` | `steer_least_request` |
//! | `peak_ewma.rs` | `steer_peak_ewma` |
//! | `weighted_round_robin.rs` | `steer_weighted_round_robin` |
//!
//! To add a policy that only chooses among READY backends: write a [`PickerFactory`] in a file of
//! its own, wrap it in a [`LeafFactory`], and add that to the list in `registry.rs`. To decide
//! about connections too, implement [`PolicyFactory`] and [`Policy`]. Nothing in these traits
//! assumes that a policy is the outermost one.
//!
//! Must not know: raw pointers, the C ABI, gRPC's classes.

mod bounded_loads;
mod call;
mod candidate;
mod config;
mod counted;
mod distinct;
mod helper;
mod kept;
mod leaf;
mod least_request;
mod maglev;
mod on_fault;
mod peak_ewma;
mod pickers;
mod random;
mod registry;
mod ring_hash;
mod round_robin;
mod runner;
mod sample;
mod tracked;
mod tracked_slot;
mod turns;
mod weighted_round_robin;

use std::any::Any;
use std::sync::Arc;

pub use call::{Call, Headers, NoHeaders, Wants, is_header_name};
pub use config::{ConfigError, Fault, Fields, fields_of};
pub use helper::{Helper, Severity, TimerId};
pub use leaf::{Backend, BuiltIn, LeafFactory, LeafPolicy, PickerFactory, Ready};
pub use least_request::LeastRequest;
pub use maglev::Maglev;
pub use on_fault::{OnFault, StandIn};
pub use peak_ewma::PeakEwmaPickers;
pub use pickers::{FailPicker, QueuePicker};
pub use random::Random;
pub use registry::{Origin, RegisterError, Registry};
pub use ring_hash::RingHash;
pub use round_robin::RoundRobin;
pub use runner::{GuardedPicker, Host, Runner, discard, raise};
pub use tracked::{CallEnd, CallHooks, Metrics, TrackedBackend, TrackedCall};
pub use tracked_slot::TrackedSlot;
pub use turns::Turns;
pub use weighted_round_robin::WeightedRoundRobin;

use crate::Status;
use crate::endpoints::{Connection, EndpointDescriptor, EndpointId, Report};
use crate::stats::Plugin;
use crate::sync::Handle;

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

/// The data plane of a policy: an immutable choice among backends, made by many threads at once.
///
/// A pick takes no lock, allocates nothing and calls nothing back on its usual path.
pub trait Picker: Send + Sync {
    /// Chooses for one call.
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a>;

    /// What [`Picker::pick`] needs to know. Asked once, before the first pick.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// The picker as what it is, for a host that knows a shorter way to ask it than
    /// [`Picker::pick`], and that checks its choices by [`GuardedPicker::check`]. Asked once, before the first
    /// pick.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// For a picker that does nothing but take turns: whose turns. They are then taken without a
    /// call of [`Picker::pick`], which saves a third of what a pick costs. Asked once, before the
    /// first pick.
    fn turns(&self) -> Option<Turns> {
        None
    }
}

/// A picker's choice.
///
/// Every payload is one pointer, so that a choice travels in two registers: with the statuses in
/// place it would go through memory, which costs as much as the choice itself.
pub enum Pick<'a> {
    /// Send the call over this connection.
    Complete(&'a Connection),
    /// Wait for the next picker.
    Queue,
    /// Fail the call, unless it waits for ready: then it waits for the next picker.
    Fail(&'a Status),
    /// Fail the call even if it waits for ready, and do not retry it (gRFC A6).
    Drop(&'a Status),
    /// [`Pick::Fail`], with a status made for this call.
    FailWith(Box<Status>),
    /// [`Pick::Drop`], with a status made for this call.
    DropWith(Box<Status>),
    /// Send the call over the connection in this, and tell it how the call goes.
    Tracked(TrackedSlot),
    /// The picker is broken, and says how: fail the call with INTERNAL, and use it no more.
    Fault(Box<String>),
}

impl Pick<'_> {
    /// [`Pick::Fail`], with a status made for this call.
    pub fn fail(status: Status) -> Pick<'static> {
        Pick::FailWith(Box::new(status))
    }

    /// [`Pick::Tracked`], of a call to this backend. Allocates nothing once it has warmed up.
    pub fn tracked(backend: &Arc<TrackedBackend>) -> Pick<'static> {
        Pick::Tracked(TrackedSlot::new(TrackedCall::new(backend, Handle::from_number(0))))
    }

    /// [`Pick::Drop`], with a status made for this call.
    pub fn drop(status: Status) -> Pick<'static> {
        Pick::DropWith(Box::new(status))
    }

    /// The pick with a code that a data plane may produce (gRFC A54).
    fn for_data_plane(self) -> Self {
        match self {
            Pick::Fail(status) if !status.code.is_for_data_plane() => {
                Pick::fail(status.for_data_plane("LB pick"))
            }
            Pick::FailWith(status) if !status.code.is_for_data_plane() => {
                Pick::fail(status.for_data_plane("LB pick"))
            }
            Pick::Drop(status) if !status.code.is_for_data_plane() => {
                Pick::drop(status.for_data_plane("LB drop"))
            }
            Pick::DropWith(status) if !status.code.is_for_data_plane() => {
                Pick::drop(status.for_data_plane("LB drop"))
            }
            fine => fine,
        }
    }
}
