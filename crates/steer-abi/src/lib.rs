//! The C types and tables that Steer's engine shares with custom pickers and custom policies. Data
//! and tables of functions, no code. The engine and `steer-sdk` use the same definitions, so they
//! cannot differ. The headers `base.h` and `plugin.h` are generated from them.
//!
//! `docs/ABI.md` has the rules that hold for all of them: threads, ownership, growth.
//!
//! | file | C names |
//! |---|---|
//! | `text.rs` | `steer_str` |
//! | `backend.rs` | `steer_backend`, `steer_backends`, `steer_attribute` |
//! | `call.rs` | `steer_call`, `steer_call_end`, `steer_metrics` |
//! | `choice.rs` | `steer_choice` |
//! | `code.rs` | `steer_code` |
//! | `custom_metric.rs` | `steer_custom_metric`, and the handles of its series |
//! | `picker_type.rs` | `steer_picker_type`, `steer_wants`, `steer_on_fault` |
//! | `policy_type.rs` | `steer_policy_type`, `steer_resolved`, `steer_publication` |
//! | `api.rs` | `steer_api` |
//! | `plugin.rs` | `steer_plugin` |
//!
//! The engine and `steer-sdk` share two files more: `status.rs` has gRPC's status codes as a Rust
//! type, and `config_message.rs` has the texts of config errors.
//!
//! Must not depend on: the engine, Rust's traits for policies.

#![allow(non_camel_case_types, reason = "the C names are the type names here, and only here")]

mod api;
mod backend;
mod call;
mod choice;
mod code;
mod config_message;
mod custom_metric;
mod picker_type;
mod plugin;
mod policy_type;
mod status;
mod text;

pub use api::*;
pub use backend::*;
pub use call::*;
pub use choice::*;
pub use code::*;
pub use config_message::config_message;
pub use custom_metric::*;
pub use picker_type::*;
pub use plugin::*;
pub use policy_type::*;
pub use status::{Code, Status};
pub use text::*;
