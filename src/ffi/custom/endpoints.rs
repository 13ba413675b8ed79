//! The endpoints of a custom policy: the latest list, and the endpoints that the policy has made.
//!
//! Must not depend on: channels, the functions of `steer_api`.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use super::followed_calls::BackendCalls;
use crate::endpoints::{Connection, Endpoint, EndpointDescriptor};
use crate::sync::Mutex;

/// The endpoints of one policy. Empty for picker types. Used in serialised calls only, so no thread
/// waits for the lock. The lock is not held while the host is called, because the host may report
/// at once.
#[derive(Default)]
pub(super) struct Endpoints(Mutex<State>);

#[derive(Default)]
struct State {
    latest: Vec<Arc<EndpointDescriptor>>,
    live: HashMap<u64, Live>,
}

struct Live {
    endpoint: Arc<dyn Endpoint>,
    /// The counters of its backend's calls.
    calls: Arc<BackendCalls>,
    /// In READY.
    connection: Option<Connection>,
    /// Whether it has left IDLE by its last report, or was asked to since then.
    active: bool,
}

impl Endpoints {
    /// Keeps the list of an update. Returns the endpoints of the former list whose addresses have
    /// left.
    pub(super) fn set_latest(
        &self,
        list: &[Arc<EndpointDescriptor>],
    ) -> Vec<Arc<EndpointDescriptor>> {
        let former = mem::replace(&mut self.0.lock().latest, list.to_vec());
        let stay: HashSet<_> = list.iter().map(|descriptor| &descriptor.addresses).collect();
        let gone = former.iter().filter(|former| !stay.contains(&former.addresses));
        gone.cloned().collect()
    }

    /// The endpoint at this place of the latest list.
    pub(super) fn descriptor(&self, index: usize) -> Option<Arc<EndpointDescriptor>> {
        self.0.lock().latest.get(index).cloned()
    }

    pub(super) fn add(&self, id: u64, endpoint: Box<dyn Endpoint>, calls: Arc<BackendCalls>) {
        let endpoint = Arc::from(endpoint);
        let live = Live { endpoint, calls, connection: None, active: false };
        self.0.lock().live.insert(id, live);
    }

    pub(super) fn get(&self, id: u64) -> Option<Arc<dyn Endpoint>> {
        self.0.lock().live.get(&id).map(|live| Arc::clone(&live.endpoint))
    }

    pub(super) fn ids(&self) -> Vec<u64> {
        self.0.lock().live.keys().copied().collect()
    }

    /// Asks an endpoint for a connection, if there is such an endpoint.
    pub(super) fn connect(&self, id: u64) {
        let endpoint = self.0.lock().live.get_mut(&id).map(|live| {
            live.active = true;
            Arc::clone(&live.endpoint)
        });
        if let Some(endpoint) = endpoint {
            endpoint.connect();
        }
    }

    /// The endpoint that was made first, if all are IDLE and none was asked to connect.
    pub(super) fn first_if_all_idle(&self) -> Option<u64> {
        let state = self.0.lock();
        let all_idle = state.live.values().all(|live| !live.active);
        if all_idle { state.live.keys().min().copied() } else { None }
    }

    /// Notes an endpoint's report: whether it has left IDLE, and its connection. Returns the former
    /// connection. None: there is no such endpoint.
    pub(super) fn note_report(
        &self,
        id: u64,
        active: bool,
        connection: Option<Connection>,
    ) -> Option<Option<Connection>> {
        let mut state = self.0.lock();
        let live = state.live.get_mut(&id)?;
        live.active = active;
        Some(mem::replace(&mut live.connection, connection))
    }

    /// The connections of these endpoints, with the counters of their backends. An error is the
    /// first endpoint that is not READY.
    pub(super) fn connections(
        &self,
        ids: &[u64],
    ) -> Result<Vec<(Connection, Arc<BackendCalls>)>, u64> {
        let state = self.0.lock();
        let ready = |id: &u64| {
            let live = state.live.get(id)?;
            Some((live.connection.clone()?, Arc::clone(&live.calls)))
        };
        ids.iter().map(|id| ready(id).ok_or(*id)).collect()
    }

    /// Drops an endpoint, if there is such an endpoint.
    pub(super) fn remove(&self, id: u64) {
        let removed = self.0.lock().live.remove(&id);
        drop(removed);
    }

    /// Drops all endpoints.
    pub(super) fn clear(&self) {
        let live = mem::take(&mut self.0.lock().live);
        drop(live);
    }
}
