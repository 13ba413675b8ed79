//! `steer_virtual_host`: a host in memory, for test kits and fuzzers on the C ABI.
//!
//! The host is that of [`crate::virtual_host`]. The engine calls it as it calls every host: through
//! the callbacks of a `steer_host`.
//!
//! | file | C names |
//! |---|---|
//! | `host.rs` | `steer_virtual_host`: made, driven and freed |
//! | `callbacks.rs` | its `steer_host` |
//! | `request.rs` | `steer_virtual_request` |
//! | `endpoint.rs` | `steer_virtual_endpoint` |
//!
//! Must not depend on: what a test checks.

mod callbacks;
mod endpoint;
mod host;
mod request;

pub use callbacks::*;
pub use endpoint::*;
pub use host::*;
pub use request::*;
