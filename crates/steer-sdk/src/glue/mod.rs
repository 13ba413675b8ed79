//! Translates between the C ABI (`abi`) and the safe traits. All `unsafe` code of this crate is
//! here.
//!
//! | file | content |
//! |---|---|
//! | `engine.rs` | calls to the engine's functions, with safe signatures where possible |
//! | `text.rs` | `steer_str` and slices |
//! | `panics.rs` | turns a panic of a hook into a fault |
//! | `backend.rs`, `call.rs`, `channel.rs`, `child.rs`, `endpoint.rs` | arguments of hooks |
//! | `metrics.rs` | series of custom metrics |
//! | `tracked.rs` | the state of one call, behind one pointer |
//! | `config.rs` | the config hooks, for both tables |
//! | `picks.rs` | the hooks of a picker, for both tables |
//! | `picker_type.rs`, `policy_type.rs` | a factory as a table of hooks |
//! | `plugin.rs` | a library's `steer_plugin` block, and its entry |
//! | `testkit.rs` | the test kit's calls to the engine's ABI |
//!
//! All SAFETY comments rely on the contract of the ABI (`docs/ABI.md` and the crate `steer-abi`):
//! the engine passes to a hook the arguments that it documents, and passes an object that a hook
//! made only to hooks of the same table. Users of the traits cannot break that contract.
//!
//! Must not depend on: any picker or policy.

mod backend;
mod call;
mod channel;
mod child;
mod config;
mod endpoint;
mod engine;
mod metrics;
mod panics;
mod picker_type;
mod picks;
mod plugin;
mod policy_type;
#[cfg(feature = "testkit")]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
mod text;
mod tracked;

pub use backend::{AttributeValue, Backend, Backends, Locality};
pub use call::{Call, CallEnd, Metrics};
pub use channel::{Channel, Helper, Severity, TimerId};
pub use child::{Child, ChildId};
pub use endpoint::{Endpoint, EndpointId, PolicyHelper};
pub use metrics::{Counter, Gauge, Histogram};
pub use plugin::Library;

pub(crate) use picker_type::register_picker;
pub(crate) use policy_type::register_policy;
pub(crate) use tracked::TrackedCall;
