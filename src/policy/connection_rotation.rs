//! Connections that take turns, in a form whose usual path is short enough to be taken before a picker is
//! even asked.
//!
//! Cost: one thread-local load, one load and one store on a cache line of the thread's own, and the handle.
//! To make: O(connections), 12 bytes each.
//!
//! Must not know: where the connections come from.

use std::sync::Arc;

use crate::endpoints::{Connection, PersistentVec};
use crate::sync::{Handle, Rotation};

/// Connections that take turns.
// What the usual path reads comes first, side by side.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct ConnectionRotation {
    /// The connections' handles, side by side, so that more of them fit into the cache.
    handles: Arc<[Handle]>,
    rotation: Rotation,
    /// Where each of them is in `connections`, which keeps them alive.
    places: Arc<[u32]>,
    connections: PersistentVec<Connection>,
}

impl ConnectionRotation {
    /// Turns of all of these connections, of which there is at least one, from the `first` of them on.
    pub fn new(
        connections: PersistentVec<Connection>,
        first: usize,
        rotation: Rotation,
    ) -> ConnectionRotation {
        let (mut places, mut handles): (Vec<u32>, Vec<Handle>) =
            connections.iter().map(|(place, of)| (place as u32, of.handle())).unzip();
        places.rotate_left(first);
        handles.rotate_left(first);
        ConnectionRotation { handles: handles.into(), rotation, places: places.into(), connections }
    }

    /// The handle of the connection whose turn it is; none when that takes [`ConnectionRotation::next`].
    #[inline(always)]
    pub fn next_handle(&self) -> Option<Handle> {
        let place = self.rotation.next(self.handles.len())?;
        Some(self.handles[place])
    }

    /// The connection whose turn it is.
    pub fn next(&self) -> &Connection {
        let turn = self.rotation.next_slowly(self.handles.len());
        self.connections.get(self.places[turn] as usize).expect("it is in order")
    }
}
