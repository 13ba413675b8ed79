//! The only `unsafe` of this crate beside the data types of `abi`: between those and the safe traits.
//!
//! | file | idea |
//! |---|---|
//! | `engine.rs` | the engine's functions, by safe signatures where that is possible |
//! | `text.rs` | `steer_str` and slices |
//! | `panics.rs` | no panic leaves a hook |
//! | `backend.rs`, `call.rs`, `channel.rs`, `endpoint.rs` | what hooks are given, as safe types |
//! | `tracked.rs` | the state of one call, behind one pointer |
//! | `config.rs` | configs, for both kinds of tables |
//! | `picks.rs` | the hooks of a picker, which both kinds of tables have |
//! | `picker_type.rs`, `policy_type.rs` | a factory as a table of hooks |
//! | `plugin.rs` | the block that a library shows of itself, and its entry |
//! | `testkit.rs` | what the test kit asks of the engine by its ABI |
//!
//! What every SAFETY comment here leans on is the ABI's contract (`docs/ABI.md` and `abi`): the
//! engine passes to a hook what it says it passes, and what a hook made comes back only to the hooks
//! of the very table that made it. The traits' users cannot break any of it.
//!
//! Must not know: how a backend is chosen.

mod backend;
mod call;
mod channel;
mod config;
mod endpoint;
mod engine;
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
pub use endpoint::{Endpoint, EndpointId, PolicyHelper};
pub use plugin::Library;

pub(crate) use picker_type::register_picker;
pub(crate) use policy_type::register_policy;
pub(crate) use tracked::TrackedCall;
