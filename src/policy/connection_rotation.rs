//! Connections that are used one after another. The usual path is so short that a host can inline
//! it instead of calling a picker.
//!
//! Cost per pick: one thread-local load, two loads, one store, and a load of the handle. Cost to
//! make: O(connections), 12 bytes each.
//!
//! Must not depend on: where the connections come from.

use std::sync::Arc;

use crate::endpoints::{Connection, PersistentVec};
use crate::sync::{Handle, Rotation};

/// Connections that are used one after another.
// The fields that the usual path reads come first, next to each other.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct ConnectionRotation {
    /// The handles of the connections, in one array, so that many of them fit into the cache.
    handles: Arc<[Handle]>,
    rotation: Rotation,
    /// The place of each of them in `connections`, which owns them.
    places: Arc<[u32]>,
    connections: PersistentVec<Connection>,
}

impl ConnectionRotation {
    /// A rotation of these connections that begins with number `first`. There must be at least one
    /// connection.
    pub fn new(
        connections: PersistentVec<Connection>,
        first: usize,
        rotation: Rotation,
    ) -> ConnectionRotation {
        let (mut places, mut handles): (Vec<u32>, Vec<Handle>) = connections
            .iter()
            .map(|(place, connection)| (place as u32, connection.handle()))
            .unzip();
        places.rotate_left(first);
        handles.rotate_left(first);
        ConnectionRotation { handles: handles.into(), rotation, places: places.into(), connections }
    }

    /// The handle of the next connection. `None` in the rare cases that need
    /// [`ConnectionRotation::next`].
    #[inline(always)]
    pub fn next_handle(&self) -> Option<Handle> {
        let place = self.rotation.next(self.handles.len())?;
        Some(self.handles[place])
    }

    /// The next connection.
    pub fn next(&self) -> &Connection {
        let number = self.rotation.next_slowly(self.handles.len());
        let place = self.places[number] as usize;
        self.connections.get(place).expect("each place has a connection")
    }
}
