//! The C ABI: the only `extern "C"` functions, and with `sync` the only unsafe code. (Except for
//! the fork handlers, which `sync` gives to the C library.)
//!
//! Each function here is thin. It checks and converts its arguments, calls the engine within a
//! guard that turns a panic into a status, and converts the result. `docs/ABI.md` has the rules for
//! all of them. The headers in `include/steer` are generated from this folder by cbindgen.
//!
//! | file | C names |
//! |---|---|
//! | `library.rs` | `steer_abi_version`, `steer_policy_name`, … |
//! | `stats.rs` | `steer_stats_json`, … |
//! | `status.rs` | `steer_status` |
//! | `last_error.rs` | `steer_last_error` |
//! | `text.rs` | `steer_str`, `steer_string` |
//! | `endpoint.rs` | `steer_endpoint`, `steer_attribute`, `steer_endpoint_report` |
//! | `config.rs` | `steer_config` |
//! | `host.rs` | `steer_host` |
//! | `metrics.rs` | `steer_metrics` |
//! | `policy/` | `steer_policy`, `steer_update` |
//! | `picker.rs` | `steer_picker`, `steer_picked`, `steer_pick_failure` |
//! | `tracker.rs` | `steer_call_tracker`, `steer_call_finish` |
//! | `virtual_host/` | `steer_virtual_host`, for tests |
//! | `custom/` | `steer_api_get`, `steer_register_picker`, `steer_load_plugin`, … |
//! | `environment.rs` | environment variables that choose the code that runs |
//! | `versioned.rs` | structs that grow: `struct_size` |
//!
//! # Which functions are guarded
//!
//! *Calls into the engine.* A panic must not leave an `extern "C"` function. So each one runs its
//! body in `guard`, or in `run`, which uses it. Functions that only read or copy plain memory
//! cannot panic, and have no guard. A pick has none either, because a guard would cost as much as
//! the pick. The callbacks of a virtual host have none, because a panic there shall end the test. A
//! comment that begins with "Unguarded:" says why, above each of these functions. A
//! test checks this.
//!
//! *Calls out of the engine*, of hosts' callbacks and of hooks, are not guarded. Nothing may unwind
//! out of them: their type (`extern "C"`) makes a panic or an exception abort the process before a
//! guard could catch it. `steer-sdk` and `steer.hpp` catch it on their side and report a fault. The
//! engine then raises the fault itself, within the guard of the call into the engine.
//!
//! # SAFETY comments
//!
//! "Caller's contract" is the function's section "# Safety". "Rule of `steer_api`" and so on is the
//! documentation of that C type.
//!
//! Must not depend on: how the engine decides.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, reason = "the C names are the type names here, and only here")]

mod config;
mod custom;
mod endpoint;
mod environment;
mod host;
mod last_error;
mod library;
mod metrics;
mod picker;
mod policy;
mod stats;
mod status;
mod text;
mod tracker;
mod versioned;
mod virtual_host;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use config::*;
pub use custom::*;
pub use endpoint::*;
pub use host::*;
pub use last_error::steer_last_error;
pub use library::*;
pub use metrics::*;
pub use picker::*;
pub use policy::*;
pub use stats::*;
pub use status::*;
pub use text::*;
pub use tracker::*;
pub use virtual_host::*;

use crate::fault::discard;

/// Runs a function's body. Returns `fallback` if it panics, because a panic must not unwind into C.
/// The engine's own code keeps its data consistent when it panics.
fn guard<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        discard(panic);
        fallback
    })
}

#[cfg(test)]
mod tests;

#[cfg(all(test, not(miri)))]
mod rules;
