//! `steer_round_robin`: the READY backends one after another, from a random first one.
//!
//! Source: gRPC's `round_robin`; config: none.
//! Cost per pick: one thread-local load, one load and one store on a cache line of the thread's
//! own, and the backend's handle; of more than 1,024 backends, a load more for each level of a tree
//! of them. Cost per report: O(log backends), and 12 bytes for each of up to 1,024 backends. Cost
//! per update: O(backends).
//!
//! Must not know: anything of the backends.

use std::sync::Arc;

use crate::calls::Call;
use crate::endpoints::{Connection, PersistentVec};
use crate::policy::sample::below;
use crate::policy::{
    BuiltIn, ConnectionRotation, Fields, Helper, NoFields, Pick, Picker, PickerFactory, Ready,
};
use crate::sync::Rotation;

/// Up to so many backends, a picker has their handles side by side: to copy them costs less than to
/// look for them.
pub(super) const MOST_SIDE_BY_SIDE: usize = 1024;

/// The picker factory of `steer_round_robin`.
pub struct RoundRobin {
    /// Outlives pickers: making a cache line for each thread anew at every report would cost more
    /// than the rest of it.
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
        // A random first backend for each picker: or else every client that is started at the
        // same time begins with the same one (grpc-go#2580).
        if connections.count() <= MOST_SIDE_BY_SIDE {
            let first = below(helper.random(), connections.count());
            Box::new(SideBySide(ConnectionRotation::new(connections, first, rotation)))
        } else {
            let first = below(helper.random(), connections.slots());
            Box::new(Wide { connections, first, rotation })
        }
    }
}

struct SideBySide(ConnectionRotation);

impl Picker for SideBySide {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Complete(self.0.next())
    }

    fn rotation(&self) -> Option<ConnectionRotation> {
        Some(self.0.clone())
    }
}

/// The same for many backends.
struct Wide {
    connections: PersistentVec<Connection>,
    /// The rotation's first place.
    first: usize,
    rotation: Rotation,
}

impl Picker for Wide {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let places = self.connections.slots();
        let mut chosen = None;
        self.rotation.next_found(places, |turn| {
            let from = if turn < places - self.first {
                turn + self.first
            } else {
                turn + self.first - places
            };
            let found = self.connections.next(from).or_else(|| self.connections.next(0));
            let (place, connection) = found.expect("a picker has a backend");
            chosen = Some(connection);
            if place >= self.first { place - self.first } else { place + places - self.first }
        });
        chosen.map_or(Pick::Queue, Pick::Complete)
    }
}
