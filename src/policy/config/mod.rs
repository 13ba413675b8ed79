//! From a config's JSON to a policy's own type, with the field path of every error.
//!
//! Unknown fields are ignored, as gRPC does, and named in the log. serde reads the values,
//! serde_path_to_error finds the path of an error, and prost-types reads durations.
//!
//! | file | idea |
//! |---|---|
//! | `error.rs` | why a config is rejected: every fault of it |
//! | `fields.rs` | reads the fields of a config, and collects their faults |
//! | `by_address.rs` | a field that maps addresses of backends to values |
//! | `attributes.rs` | attributes of backends |
//! | `common.rs` | the fields that every policy takes |
//! | `unknown.rs` | the fields that a policy does not know |
//!
//! Must not depend on: any policy.

mod attributes;
mod by_address;
mod common;
mod error;
mod fields;
mod unknown;

pub use by_address::{ByAddress, UnusedAddressesLog};
pub use common::CommonFields;
pub use error::{ConfigError, Fault};
pub use fields::{Fields, NoFields, fields_of};
pub use unknown::UnknownField;
