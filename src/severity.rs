//! How important a log line is.
//!
//! Must not depend on: the text of the line.

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Severity {
    /// A detail for debugging.
    Debug = 0,
    /// An event that an operator may want to see.
    Info = 1,
    /// Something is broken.
    Error = 2,
}
