//! The C ABI between Steer's engine and custom pickers and policies: data types and tables of
//! functions, almost no code. The engine and `steer-sdk` both use these definitions, and `steer.h`
//! is generated from them, so the three cannot differ.
//!
//! Authors of pickers use the crate `steer-sdk`, which wraps these types in safe traits. The rules
//! for all of them (threads, ownership, how structs grow) are in `docs/ABI.md`.
//!
//! | file | C names |
//! |---|---|
//! | `text.rs` | `steer_str` |
//! | `backend.rs` | `steer_backend`, `steer_backends`, `steer_attribute` |
//! | `call.rs` | `steer_call`, `steer_call_end`, `steer_metrics` |
//! | `choice.rs` | `steer_choice` |
//! | `code.rs` | `steer_code` |
//! | `picker_type.rs` | `steer_picker_type`, `steer_wants`, `steer_on_fault` |
//! | `policy_type.rs` | `steer_policy_type`, `steer_resolved`, `steer_publication` |
//! | `api.rs` | `steer_api` |
//! | `plugin.rs` | `steer_plugin` |
//!
//! `status.rs` is Rust only: gRPC's status codes and statuses, which the engine and `steer-sdk`
//! share.
//!
//! Must not depend on: the engine, `steer-sdk`.

#![allow(non_camel_case_types, reason = "this crate's types have their C names")]

mod api;
mod backend;
mod call;
mod choice;
mod code;
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
pub use picker_type::*;
pub use plugin::*;
pub use policy_type::*;
pub use status::{Code, Status};
pub use text::*;
