//! The C ABI: the only `extern "C"` functions, and with `sync` the only unsafe code. Except for the
//! fork handlers, which `sync` gives to the C library.
//!
//! Every function here is thin: it checks and converts what it was given, calls the engine within
//! a guard that turns a panic into a status, and converts the answer. The rules that hold for all
//! of them stand in `docs/ABI.md`; the header `include/steer/steer.h` is generated from this
//! folder by cbindgen.
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
//! | `policy.rs` | `steer_policy`, `steer_update` |
//! | `picker.rs` | `steer_picker`, `steer_picked`, `steer_pick_failure` |
//! | `tracker.rs` | `steer_call_tracker`, `steer_call_finish` |
//! | `custom/` | `steer_api_get`, `steer_register_picker`, `steer_load_plugin`, … |
//! | `environment.rs` | variables that lead to code being loaded |
//! | `versioned.rs` | structs that grow: `struct_size` |
//!
//! # Which functions are guarded
//!
//! *Calls into the engine.* Each `extern "C"` function runs its body in `guard`, or in `run`,
//! which does so: a panic must not leave it. One that reads or copies plain memory has nothing that could
//! panic, and goes without; so does a pick, which costs as much as a guard. A comment that begins
//! with "Unguarded:" says why, above each of these. A test compares.
//!
//! *Calls out of the engine*, of hosts' callbacks and of hooks, are not guarded. Nothing may unwind
//! out of them: by their type (`extern "C"`) a panic or an exception ends the process there, before
//! a guard could see it. `steer-sdk` and `steer.hpp` catch it on their side and say a fault, which
//! the engine then raises itself, within the guard of the call into the engine that led there.
//!
//! Must not know: how anything is decided.

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

use crate::fault::discard;

/// Runs an entry point's body. A panic that the engine let through must not unwind into C: it
/// becomes `fallback`, and what was half done is the engine's to have made safe.
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
