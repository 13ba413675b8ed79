//! What crosses between Steer's engine and a policy that somebody else wrote, in C's terms: data
//! and tables of functions, no code. The engine and `steer-sdk` both use these definitions, so that
//! they cannot differ; `steer.h` is generated from them too.
//!
//! The rules that hold for all of it (threads, ownership, growth) stand in `docs/ABI.md`.
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
//! and in Rust's terms `status.rs`: gRPC's status codes, which both have alike.
//!
//! Must not know: the engine, Rust's traits for policies.

#![allow(non_camel_case_types, reason = "the C names are the type names here, and only here")]

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
