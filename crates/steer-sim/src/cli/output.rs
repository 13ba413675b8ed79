//! Writes to files and to standard output. Failures name the file.
//!
//! Must not depend on: what is written.

use std::fs;
use std::io::{ErrorKind, Write, stdout};
use std::path::Path;

use serde::Serialize;

use super::Failure;

/// Prints a text. A reader that has gone, such as `head`, is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Writes a file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Writes a file of JSON.
pub(super) fn write_json(path: &Path, values: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(values)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    write(path, &(text + "\n"))
}
