//! Custom pickers and custom policies: tables of C functions behind the engine's traits.
//!
//! A file imports only files above it in this table.
//!
//! | file | idea |
//! |---|---|
//! | `choice.rs` | `steer_choice`: the result of `pick`, checked |
//! | `hook.rs` | which hook a thread is in, and so which functions it may call |
//! | `json.rs` | `steer_json`, `steer_faults`: a config, to be read |
//! | `code_file.rs` | the file that contains some code |
//! | `table.rs` | a registered `steer_picker_type` or `steer_policy_type` |
//! | `followed_calls.rs` | the calls that pickers follow, counted |
//! | `endpoints.rs` | the endpoints of a custom policy |
//! | `children.rs` | the children of a custom policy |
//! | `requests.rs` | what a policy asks for outside of its serialised hooks |
//! | `channel.rs` | `steer_channel`: log, clock, random numbers, timers |
//! | `custom_metrics.rs` | `steer_counter`, `steer_gauge`, `steer_histogram`: handles of series |
//! | `config.rs` | a config that a table made |
//! | `instance.rs` | an instance of a picker type |
//! | `backends.rs` | `steer_backends`, and the data of each backend |
//! | `wants.rs` | `steer_wants` |
//! | `call.rs` | `steer_call`, as `pick` receives it |
//! | `picks.rs` | the author's picker and its hooks |
//! | `child_picks.rs` | picks that are left to a child |
//! | `picker.rs` | the engine's picker around it |
//! | `picker_factory.rs` | runs a `steer_picker_type` |
//! | `policy.rs` | runs a `steer_policy_type` |
//! | `endpoint_api.rs`, `child_api.rs`, `publish.rs` | the functions of `steer_api` for policies |
//! | `factory.rs` | the policy factory of a table |
//! | `engine_type.rs` | `steer_engine`: an engine for the other copies of Steer in the process |
//! | `leader.rs` | the engine that this one follows |
//! | `register.rs` | `steer_register_picker`, `steer_register_policy` |
//! | `metrics_api.rs` | the functions of `steer_api` for custom metrics |
//! | `delegate.rs` | the functions of `steer_api`, which are the leader's if there is one |
//! | `api.rs` | `steer_api` |
//! | `plugin.rs` | `steer_register_plugin` |
//! | `load.rs` | `steer_load_plugin`, `steer_load_plugins` |
//! | `take_over.rs` | `steer_take_over`, `steer_take_over_environment`, `steer_taken_name` |
//! | `engine.rs` | this engine's `steer_engine`; `steer_engine_lead`, `steer_engine_follow` |
//!
//! Must not depend on: hosts.

mod api;
mod backends;
mod call;
mod channel;
mod child_api;
mod child_picks;
mod children;
mod choice;
mod code_file;
mod config;
mod custom_metrics;
mod delegate;
mod endpoint_api;
mod endpoints;
mod engine;
mod engine_type;
mod factory;
mod followed_calls;
mod hook;
mod instance;
mod json;
mod leader;
mod load;
mod metrics_api;
mod picker;
mod picker_factory;
mod picks;
mod plugin;
mod policy;
mod publish;
mod register;
mod requests;
mod table;
mod take_over;
mod wants;

pub use api::*;
pub use engine::{steer_engine_follow, steer_engine_lead};
pub use engine_type::steer_engine;
pub(super) use leader::{leader_tracks_calls, leaders_stats};
pub use load::*;
pub(super) use picker::{CustomPicker, Direct};
pub use plugin::*;
pub use register::*;
pub use take_over::{steer_take_over, steer_take_over_environment, steer_taken_name};
