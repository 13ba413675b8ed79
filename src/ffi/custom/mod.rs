//! Policies that are not the engine's own: tables of C functions, run as the engine's traits ask.
//!
//! | file | idea |
//! |---|---|
//! | `api.rs` | `steer_api`: the table, and functions that fit nowhere else |
//! | `engine.rs` | `steer_engine`: what another copy of Steer in the process sees |
//! | `delegate.rs` | the functions of `steer_api`, which are the leader's when this engine follows |
//! | `register.rs` | `steer_register_picker`, `steer_last_error` |
//! | `plugin.rs` | `steer_register_plugin`, `steer_load_plugin` |
//! | `kind.rs` | a registered table, and what was made of it: configs, instances |
//! | `json.rs` | `steer_json`, `steer_faults`: a config, to be read |
//! | `backends.rs` | `steer_backends`, and what pickers remember of each backend |
//! | `channel.rs` | `steer_channel`: log, clock, chance, timers |
//! | `hook.rs` | which hook a thread is in, and so what it may ask for |
//! | `choice.rs` | `steer_choice`: what `pick` returns, checked |
//! | `picker.rs` | runs a `steer_picker_type` |
//! | `policy.rs` | runs a `steer_policy_type` |
//!
//! Must not know: hosts.

mod api;
mod backends;
mod channel;
mod choice;
mod delegate;
mod engine;
mod hook;
mod json;
mod kind;
mod picker;
mod plugin;
mod policy;
mod register;

pub use api::*;
pub(super) use engine::{leader_tracks_calls, leaders_stats};
pub use engine::{steer_engine, steer_engine_follow, steer_engine_lead};
pub(super) use picker::{CustomPicker, Direct};
pub use plugin::*;
pub use register::*;
