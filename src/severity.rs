//! How important a log line is.

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Severity {
    /// Details, for debugging.
    Debug = 0,
    /// Something that an operator may want to see.
    Info = 1,
    /// Something is broken.
    Error = 2,
}
