//! From a config's JSON to a policy's own type, with the field path of every error.
//!
//! Unknown fields are ignored, as gRPC does. serde reads the values, serde_path_to_error finds the
//! path of an error, and prost-types reads durations.
//!
//! | file | idea |
//! |---|---|
//! | `error.rs` | why a config is rejected: every fault of it |
//! | `fields.rs` | reads the fields of a config, and collects their faults |
//!
//! Must not depend on: any policy.

mod error;
mod fields;

pub use error::{ConfigError, Fault};
pub use fields::{Fields, NoFields, fields_of};
