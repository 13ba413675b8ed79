//! What is wrong with a scenario's file.
//!
//! Must not depend on: how a file is read.

use std::fmt;

/// What is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1. `None` if the fault is that of the whole file.
    pub line: Option<usize>,
    /// The path of the field, as `servers[1].queue.length`. Empty for the file itself.
    pub path: String,
    /// What is wrong.
    pub error: String,
}

/// Why a file is refused: all of its faults, in the order of their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file, as the user named it.
    pub file: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl Faults {
    /// The faults of a file that cannot be read at all.
    pub(super) fn of_file(file: &str, line: Option<usize>, error: impl Into<String>) -> Faults {
        let fault = Fault { line, path: String::new(), error: error.into() };
        Faults { file: file.to_owned(), faults: vec![fault] }
    }
}

impl fmt::Display for Faults {
    /// Writes a line for each fault: `FILE:LINE: PATH: what is wrong`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file)?;
            if let Some(line) = fault.line {
                write!(f, ":{line}")?;
            }
            if !fault.path.is_empty() {
                write!(f, ": {}", fault.path)?;
            }
            write!(f, ": {}", fault.error)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
