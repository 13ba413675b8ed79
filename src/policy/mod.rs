//! The framework that policies are written in: traits, registry, runner, leaf policies.
//!
//! | file | idea |
//! |---|---|
//! | `policy.rs` | the control plane: [`PolicyFactory`], [`Policy`], [`Update`] |
//! | `picker.rs` | the data plane: [`Picker`], [`Pick`] |
//! | `helper.rs` | what a policy may ask of its channel, its clock and its random numbers |
//! | `config/` | from JSON to a policy's config type, with the path of every field in error |
//! | `parsed_config.rs` | a config as hosts hand it in: the policy's own part, and the common fields |
//! | `registry/` | policies by name |
//! | `runner/` | runs one policy for a host: one event at a time, panics contained |
//! | `child/` | policies as children of other policies |
//! | `on_fault.rs` | what a fault of a policy leads to |
//! | `picker_factory.rs` | the easy level of policies: chooses among READY backends |
//! | `leaf.rs` | the policy that keeps connections, and leaves the choice to a picker factory |
//! | `backend_cache/` | values derived from each READY backend, kept from picker to picker |
//! | `call_counting/` | counts the calls of policies that do not track them, for the statistics |
//! | `connection_rotation.rs` | connections that are used one after another |
//! | `sample.rs` | random samples of backends |
//! | `sources.rs` | the time and the random numbers of pickers |
//! | `simple_pickers.rs` | pickers without backends: queue, fail |
//!
//! The general flow is: the runner gives an update or a report to a [`Policy`]. The policy
//! publishes a [`Picker`] through its [`Helper`], and many threads pick with it until the next one
//! replaces it.
//!
//! The policies themselves are in [`crate::policies`], which says how to add one. Nothing in these
//! traits assumes that a policy is the outermost one.
//!
//! Must not depend on: any concrete policy, raw pointers, the C ABI, gRPC's classes.

mod backend_cache;
mod call_counting;
mod child;
mod config;
mod connection_rotation;
mod helper;
mod leaf;
mod on_fault;
mod parsed_config;
mod picker;
mod picker_factory;
#[expect(clippy::module_inception, reason = "the trait is named as the folder is")]
mod policy;
mod registry;
mod runner;
pub(crate) mod sample;
mod simple_pickers;
mod sources;

pub use backend_cache::HasConnection;
pub(crate) use backend_cache::{BackendCache, DenseBackendCache};
pub(crate) use call_counting::CallCounting;
pub use child::{
    BuiltInParent, Child, ChildConfig, Children, Parent, ParentConfig, ParentFactory, ParentPolicy,
    Published,
};
pub use config::{
    ByAddress, CommonFields, ConfigError, Fault, Fields, NoFields, UnknownField,
    UnusedAddressesLog, fields_of,
};
pub use connection_rotation::ConnectionRotation;
pub use helper::{Helper, TimerId};
pub use leaf::{LeafFactory, LeafPolicy};
pub use on_fault::{FallbackMode, OnFault};
pub use parsed_config::ParsedConfig;
pub use picker::{Pick, Picker};
pub use picker_factory::{Backend, BuiltIn, PickerFactory, Ready};
pub use policy::{Config, Policies, Policy, PolicyFactory, Update};
pub use registry::{Origin, RegisterError, Registry};
pub use runner::{GuardedPicker, Host, Runner};
pub use simple_pickers::{FailPicker, QueuePicker};
pub(crate) use sources::Sources;
