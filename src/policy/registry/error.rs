//! Why a policy is not registered.
//!
//! Must not depend on: how policies are found.

use std::fmt;

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The engine. Its names begin with `steer_`, and no others do.
    BuiltIn,
    /// The program. It registers a policy once.
    Program,
    /// The plugin of this name. When the plugin is loaded again, its policies are replaced.
    Plugin(String),
}

/// Why a policy is not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterError {
    /// The name has characters other than lower-case letters, digits and `_`.
    BadName(String),
    /// The name begins with `steer_`.
    Reserved(String),
    /// Some version of gRPC has a policy of this name, and aborts the process if there are two.
    OfGrpc(String),
    /// There is a policy of this name, which comes from there.
    Taken(String, Origin),
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterError::BadName(name) => write!(
                f,
                "{name:?} cannot name a policy: use lower-case letters, digits and '_', \
                 beginning with a letter"
            ),
            RegisterError::Reserved(name) => write!(
                f,
                "{name:?} cannot be registered: names that begin with \"steer_\" are Steer's own; \
                 choose another name"
            ),
            RegisterError::OfGrpc(name) => write!(
                f,
                "{name:?} cannot be registered: gRPC has a policy of its own of this name; choose \
                 another name"
            ),
            RegisterError::Taken(name, origin) => {
                let whose = match origin {
                    Origin::BuiltIn => "Steer's own".to_owned(),
                    Origin::Program => "registered by the program".to_owned(),
                    Origin::Plugin(plugin) => format!("of the plugin {plugin:?}"),
                };
                write!(f, "there is a policy named {name:?} already, {whose}: choose another name")
            }
        }
    }
}

impl std::error::Error for RegisterError {}
