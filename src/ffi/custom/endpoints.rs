//! The endpoints of a custom policy: the latest list, and the endpoints that the policy has made.
//!
//! Must not depend on: channels, the functions of `steer_api`.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

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
    /// In READY.
    connection: Option<Connection>,
}

impl Endpoints {
    /// Keeps the list of an update.
    pub(super) fn set_latest(&self, list: &[Arc<EndpointDescriptor>]) {
        self.0.lock().latest = list.to_vec();
    }

    /// The endpoint at this place of the latest list.
    pub(super) fn descriptor(&self, index: usize) -> Option<Arc<EndpointDescriptor>> {
        self.0.lock().latest.get(index).cloned()
    }

    pub(super) fn add(&self, id: u64, endpoint: Box<dyn Endpoint>) {
        let endpoint = Arc::from(endpoint);
        self.0.lock().live.insert(id, Live { endpoint, connection: None });
    }

    pub(super) fn get(&self, id: u64) -> Option<Arc<dyn Endpoint>> {
        self.0.lock().live.get(&id).map(|live| Arc::clone(&live.endpoint))
    }

    pub(super) fn ids(&self) -> Vec<u64> {
        self.0.lock().live.keys().copied().collect()
    }

    /// Sets the connection of an endpoint, and returns the former one. None: there is no such
    /// endpoint.
    pub(super) fn set_connection(
        &self,
        id: u64,
        connection: Option<Connection>,
    ) -> Option<Option<Connection>> {
        let mut state = self.0.lock();
        Some(mem::replace(&mut state.live.get_mut(&id)?.connection, connection))
    }

    /// The connections of these endpoints. An error is the first endpoint that is not READY.
    pub(super) fn connections(&self, ids: &[u64]) -> Result<Vec<Connection>, u64> {
        let state = self.0.lock();
        let connection = |id: &u64| state.live.get(id)?.connection.clone();
        ids.iter().map(|id| connection(id).ok_or(*id)).collect()
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
