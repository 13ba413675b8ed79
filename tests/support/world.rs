//! The state of the virtual host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use steer::Status;
use steer::endpoints::{Connectivity, EndpointDescriptor, EndpointId, Report};
use steer::policy::{GuardedPicker, TimerId};

use super::Asked;

#[derive(Default)]
pub(super) struct World {
    pub(super) asked: Vec<Asked>,
    /// The resolver's latest list.
    pub(super) listed: Arc<[Arc<EndpointDescriptor>]>,
    /// The names of the engine's live endpoints, in the order in which they were made.
    pub(super) endpoints: BTreeMap<EndpointId, String>,
    /// The name of each connection, by the number of its handle, and whether the engine holds it.
    pub(super) connections: Vec<(String, bool)>,
    pub(super) state: Option<(Connectivity, Status)>,
    pub(super) picker: Option<Arc<GuardedPicker>>,
    pub(super) now: Duration,
    pub(super) random: Chance,
    pub(super) timers: BTreeMap<TimerId, Duration>,
    pub(super) refused: Vec<String>,
    /// The args that all endpoints are made with.
    pub(super) args: u32,
    /// Further args that endpoints of these names are made with.
    pub(super) args_by_name: BTreeMap<String, u32>,
    /// Whether the host does not number the args.
    pub(super) unnumbered: bool,
    /// Names that get new descriptors in the next list.
    pub(super) redescribed: BTreeSet<String>,
    /// The args that each endpoint was made with, dropped ones too.
    pub(super) made_with: BTreeMap<EndpointId, (u32, u32)>,
    pub(super) cannot_run_later: bool,
    /// The report that an endpoint makes during a request to connect.
    pub(super) on_connect: Option<fn() -> Report>,
    /// Endpoints that have not reported yet.
    pub(super) silent: BTreeSet<EndpointId>,
}

/// The host's randomness: always the same number, or a sequence of a seed.
pub(super) enum Chance {
    Always(u64),
    Seeded(fastrand::Rng),
}

impl Default for Chance {
    fn default() -> Chance {
        Chance::Always(0)
    }
}

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        match self {
            Chance::Always(random) => *random,
            Chance::Seeded(rng) => rng.u64(..),
        }
    }
}

impl World {
    /// Finds a descriptor by its index in the latest list, as a host in another language does.
    pub(super) fn look_up(&self, descriptor: &EndpointDescriptor) -> Arc<EndpointDescriptor> {
        let index = descriptor.index.get().expect("it is in the latest list");
        let listed = &self.listed[index as usize];
        assert_eq!(**listed, *descriptor, "the index is that of another endpoint");
        Arc::clone(listed)
    }

    /// The args that the host would make an endpoint of this name with.
    pub(super) fn args_of(&self, name: &str) -> (u32, u32) {
        (self.args, self.args_by_name.get(name).copied().unwrap_or(0))
    }
}
