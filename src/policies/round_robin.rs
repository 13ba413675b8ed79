//! `steer_round_robin`: uses the READY backends one after another, from a random first one.
//!
//! Source: gRPC's `round_robin`.
//! Config: none.
//! Cost per pick: one thread-local load, two loads and a store on a cache line that all threads
//! share, as long as they do not compete for it, and a load of the backend's handle. With more than
//! 1,024 backends, also a load for each level of a tree of them.
//! Cost per report: O(log backends), and 12 bytes for each of up to 1,024 backends.
//! Cost per update: O(backends).
//!
//! Must not depend on: anything about a backend except its connection.

use std::sync::Arc;

use crate::calls::Call;
use crate::endpoints::{Connection, PersistentVec};
use crate::policy::sample::below;
use crate::policy::{
    BuiltIn, ConnectionRotation, Fields, Helper, NoFields, Pick, Picker, PickerFactory, Ready,
};
use crate::sync::Rotation;

/// Up to this many backends, a picker copies their handles into an array. Copying the array,
/// 12 kB at most for each report, costs less than the loads of the tree for each pick.
pub(super) const MAX_ARRAY_BACKENDS: usize = 1024;

/// The picker factory of `steer_round_robin`.
pub struct RoundRobin {
    /// Used by all pickers. A new rotation for each report would allocate a cache line for each
    /// thread, which costs more than the rest of a report.
    rotation: Rotation,
}

impl BuiltIn for RoundRobin {
    const NAME: &'static str = "steer_round_robin";

    fn parse(_fields: &mut Fields<'_>) -> NoFields {
        NoFields {}
    }

    fn new(_helper: &dyn Helper) -> Self {
        RoundRobin { rotation: Rotation::new() }
    }
}

impl PickerFactory for RoundRobin {
    type Config = NoFields;

    fn build(
        &mut self,
        _config: &Arc<NoFields>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let (connections, rotation) = (ready.connections().clone(), self.rotation.clone());
        // Each picker begins with a random backend. Otherwise all clients that start at the same
        // time would begin with the same one (grpc-go#2580).
        if connections.count() <= MAX_ARRAY_BACKENDS {
            let first = below(helper.random(), connections.count());
            Box::new(ArrayPicker(ConnectionRotation::new(connections, first, rotation)))
        } else {
            let first = below(helper.random(), connections.slots());
            Box::new(TreePicker { connections, first, rotation })
        }
    }
}

/// A picker for up to [`MAX_ARRAY_BACKENDS`] backends.
struct ArrayPicker(ConnectionRotation);

impl Picker for ArrayPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Complete(self.0.next())
    }

    fn rotation(&self) -> Option<ConnectionRotation> {
        Some(self.0.clone())
    }
}

/// A picker for more backends.
struct TreePicker {
    connections: PersistentVec<Connection>,
    /// The place in the list at which the rotation begins.
    first: usize,
    rotation: Rotation,
}

impl Picker for TreePicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let places = self.connections.slots();
        let mut chosen = None;
        // The rotation counts places from `first`.
        self.rotation.next_found(places, |number| {
            let from = if number < places - self.first {
                number + self.first
            } else {
                number + self.first - places
            };
            let found = self.connections.next(from).or_else(|| self.connections.next(0));
            let (place, connection) = found.expect("a picker has a backend");
            chosen = Some(connection);
            if place >= self.first { place - self.first } else { place + places - self.first }
        });
        chosen.map_or(Pick::Queue, Pick::Complete)
    }
}
