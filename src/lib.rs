//! Steer's engine: load-balancing policies for gRPC C++, behind a C ABI.
//!
//! Everything that can be decided is decided here, and nothing here knows gRPC: a *host* (the C++
//! shim in `cpp-shim/`, or a virtual one in tests) hands in resolver updates and connectivity
//! reports, and the engine answers with connection requests, aggregate states and pickers.
//!
//! | module | what it holds | what it must not know |
//! |---|---|---|
//! | [`policy`] | traits, registry, one file per policy | raw pointers, the C ABI |
//! | [`endpoints`] | the connectivity rules that every leaf policy shares | how a backend is chosen |
//! | [`load`] | what is learnt of backends from their calls and reports | how a backend is chosen |
//! | [`hashing`] | consistent hashing: the ketama ring, the maglev table | states, any policy |
//! | [`stats`] | what can be seen of a running process | how a policy decides, the C ABI |
//! | [`sync`] | what threads share: per-thread rotation, opaque handles | policies |
//! | [`ffi`] | the only `extern "C"`: guard, convert, call | how anything is decided |
//!
//! `docs/ARCHITECTURE.md` is the map of the whole repository.

#![warn(unreachable_pub)]

pub mod endpoints;
pub mod ffi;
pub mod hashing;
pub mod load;
pub mod policy;
pub mod stats;
pub mod sync;

#[cfg(all(test, loom))]
mod model;

pub use steer_abi::{Code, Status};
