//! The host of the engine: holds what the test has set (time, random numbers, states of endpoints)
//! and what the engine has done (picker, timers, log).
//!
//! Must not depend on: what a test checks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use steer::endpoints::{Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId};
use steer::policy::{GuardedPicker, Host, TimerId};
use steer::stats::EndpointLease;
use steer::sync::Handle;

use crate::Severity;

/// The state that the engine's host and the test share.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Inner>>);

pub(super) struct Inner {
    pub(super) now: Duration,
    pub(super) random: fastrand::Rng,
    pub(super) log: Vec<(Severity, String)>,
    /// The engine's endpoints that exist now, and their states.
    pub(super) endpoints: BTreeMap<EndpointId, LiveEndpoint>,
    /// Indexed by the numbers of their handles.
    pub(super) connections: Vec<LiveConnection>,
    pub(super) published: Option<(Connectivity, steer::Status, Arc<GuardedPicker>)>,
    pub(super) timers: BTreeMap<(Duration, u64), TimerId>,
    pub(super) run_wanted: bool,
    pub(super) reresolutions: u64,
}

pub(super) struct LiveEndpoint {
    pub(super) address: String,
    /// `None` until its first report.
    pub(super) state: Option<Connectivity>,
    /// The policy has asked for a connection, and there is none yet.
    pub(super) asked: bool,
}

pub(super) struct LiveConnection {
    pub(super) address: String,
    /// Whether the engine holds it.
    pub(super) held: bool,
}

impl World {
    pub(super) fn new() -> World {
        World(Arc::new(Mutex::new(Inner {
            now: Duration::from_secs(1),
            random: fastrand::Rng::with_seed(1),
            log: Vec::new(),
            endpoints: BTreeMap::new(),
            connections: Vec::new(),
            published: None,
            timers: BTreeMap::new(),
            run_wanted: false,
            reresolutions: 0,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a connection to this address.
    pub(super) fn connection(&self, address: &str) -> Connection {
        let number = {
            let mut world = self.lock();
            let address = address.to_owned();
            world.connections.push(LiveConnection { address, held: true });
            world.connections.len() - 1
        };
        let world = self.clone();
        let release = move |handle: Handle| {
            world.lock().connections[handle.number()].held = false;
        };
        Connection::new(Handle::from_number(number), Arc::new(release))
    }
}

struct WorldEndpoint {
    world: World,
    lease: EndpointLease,
    descriptor: Arc<EndpointDescriptor>,
}

impl Endpoint for WorldEndpoint {
    fn id(&self) -> EndpointId {
        self.lease.id()
    }

    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        *self.descriptor == *descriptor
    }

    fn connect(&self) {
        if let Some(endpoint) = self.world.lock().endpoints.get_mut(&self.id()) {
            endpoint.asked = true;
        }
    }

    fn reset_backoff(&self) {}
}

impl Drop for WorldEndpoint {
    fn drop(&mut self) {
        self.world.lock().endpoints.remove(&self.id());
    }
}

impl Host for World {
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, steer::Status> {
        let address = descriptor.addresses.first().cloned().unwrap_or_default();
        let endpoint = LiveEndpoint { address, state: None, asked: false };
        self.lock().endpoints.insert(lease.id(), endpoint);
        let descriptor = Arc::clone(descriptor);
        Ok(Box::new(WorldEndpoint { world: self.clone(), lease, descriptor }))
    }

    fn update_state(&self, state: Connectivity, status: &steer::Status, picker: GuardedPicker) {
        let new = (state, status.clone(), Arc::new(picker));
        let former = self.lock().published.replace(new);
        // Outside the lock, because releasing its connections locks this world.
        drop(former);
    }

    fn request_reresolution(&self) {
        self.lock().reresolutions += 1;
    }

    fn request_load_reports(&self, _period: Option<Duration>) {}

    fn run_later(&self) -> bool {
        self.lock().run_wanted = true;
        true
    }

    fn start_timer(&self, timer: TimerId, after: Duration) {
        let mut world = self.lock();
        let due = world.now.saturating_add(after);
        world.timers.insert((due, timer.0), timer);
    }

    fn cancel_timer(&self, timer: TimerId) {
        self.lock().timers.retain(|_, started| *started != timer);
    }

    fn now(&self) -> Duration {
        self.lock().now
    }

    fn random(&self) -> u64 {
        self.lock().random.u64(..)
    }

    fn log(&self, severity: steer::Severity, message: &str) {
        let severity = match severity {
            steer::Severity::Debug => Severity::Debug,
            steer::Severity::Info => Severity::Info,
            steer::Severity::Error => Severity::Error,
        };
        self.lock().log.push((severity, message.to_owned()));
    }
}
