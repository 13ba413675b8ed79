//! How a virtual host behaves.
//!
//! Must not depend on: what the engine has asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::endpoints::Words;

/// How a virtual host behaves. Change it with [`VirtualHost::set`](super::VirtualHost::set).
#[derive(Clone, Debug)]
pub struct Settings {
    /// The first addresses of endpoints that the host refuses to make.
    pub refused: BTreeSet<String>,
    /// The args that all endpoints are made with. Stands for everything besides descriptors.
    pub args: u64,
    /// Further args, by first address.
    pub args_by_address: BTreeMap<String, u64>,
    /// Whether the host tells the engine the number of `args`.
    pub args_numbered: bool,
    /// Whether the host makes several connections to a backend.
    pub makes_several_connections: bool,
    /// Whether load reports out of band have calls per second.
    pub load_reports_have_qps: bool,
    /// How the host's own policies word failures.
    pub words: Words,
    /// Whether the host can call [`Runner::run`](crate::policy::Runner::run) later.
    pub runs_later: bool,
}

impl Default for Settings {
    /// Makes all endpoints, and with the same args.
    fn default() -> Settings {
        Settings {
            refused: BTreeSet::new(),
            args: 0,
            args_by_address: BTreeMap::new(),
            args_numbered: false,
            makes_several_connections: true,
            load_reports_have_qps: true,
            words: Words::default(),
            runs_later: true,
        }
    }
}

impl Settings {
    /// The args that the host would make an endpoint of this address with.
    pub fn args_of(&self, address: &str) -> (u64, u64) {
        (self.args, self.args_by_address.get(address).copied().unwrap_or(0))
    }
}
