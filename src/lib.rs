//! Steer's engine: load-balancing policies for gRPC C++, behind a C ABI.
//!
//! The engine makes all decisions, and does not depend on gRPC. A *host* (the C++ shim in
//! `cpp-shim/`, or a virtual one in tests) hands in updates of the resolver and reports of
//! connectivity. The engine answers with connection requests, states and pickers.
//!
//! | module | contents | must not depend on |
//! |---|---|---|
//! | [`ffi`] | the only `extern "C"`: guard, convert, call | how anything is decided |
//! | [`virtual_host`] | a host in memory, for tests and simulations | any policy, the C ABI |
//! | [`policies`] | the policies, one file or folder each | raw pointers, the C ABI |
//! | [`policy`] | the framework: traits, registry, runner, leaf policies | any policy |
//! | [`hashing`] | consistent hashing: the ketama ring, the maglev table | states, policies |
//! | [`load`] | what the engine learns from a backend's calls and load reports | how a backend is chosen |
//! | [`calls`] | tracked calls, their listeners and counters, load reports | policies |
//! | [`stats`] | the statistics of a running process | policies, the C ABI |
//! | [`endpoints`] | endpoints, and the connectivity rules of all leaf policies | how a backend is chosen |
//! | [`fault`] | panics and errors of user code | everything above |
//! | [`sync`] | what threads share: locks, rotations, the clock, opaque handles | everything above |
//!
//! Each module depends only on those below it.
//!
//! `docs/ARCHITECTURE.md` is the map of the whole repository.

#![warn(unreachable_pub)]
// `ffi` and `sync` allow it, and no other module does.
#![deny(unsafe_code)]

pub mod calls;
pub mod endpoints;
pub mod fault;
pub mod ffi;
pub mod hashing;
pub mod load;
pub mod policies;
pub mod policy;
mod severity;
pub mod stats;
pub mod sync;
pub mod virtual_host;

#[cfg(all(test, loom))]
mod model;

pub use severity::Severity;
pub use steer_abi::{Code, Status};
