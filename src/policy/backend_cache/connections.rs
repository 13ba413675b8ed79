//! What may be a READY backend, and which backends changed.
//!
//! Must not depend on: what is derived from a backend.

use crate::endpoints::{Connection, PersistentVec};

/// A state of an endpoint, which has a connection if it is READY.
pub trait HasConnection: Clone {
    /// The connection. `None`: the endpoint is not READY.
    fn connection(&self) -> Option<&Connection>;
}

impl HasConnection for Connection {
    fn connection(&self) -> Option<&Connection> {
        Some(self)
    }
}

/// Visits the places that have another connection than before.
pub(super) fn changed_connections<'a, S: HasConnection>(
    now: &'a PersistentVec<S>,
    before: &'a PersistentVec<S>,
    mut visit: impl FnMut(usize, Option<&'a Connection>),
) {
    now.differences(before, |place, now, before| {
        let now = now.and_then(S::connection);
        if now != before.and_then(S::connection) {
            visit(place, now);
        }
    });
}
