//! Why a config is rejected.
//!
//! Must not depend on: how a config is read.

use std::fmt;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path of the field, as `policy.field[index].field`.
    pub field: String,
    /// What is wrong.
    pub error: String,
}

/// Why a config is rejected: every fault of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The policy's name.
    pub policy: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    /// Writes the form of gRPC's own config errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "errors validating {} LB policy config: [", self.policy)?;
        for (i, fault) in self.faults.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}field:{} error:{}", fault.field, fault.error)?;
        }
        write!(f, "]")
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// The error of a config with one fault.
    pub fn for_field(
        policy: &str,
        field: impl Into<String>,
        error: impl Into<String>,
    ) -> ConfigError {
        let fault = Fault { field: field.into(), error: error.into() };
        ConfigError { policy: policy.to_owned(), faults: vec![fault] }
    }
}
