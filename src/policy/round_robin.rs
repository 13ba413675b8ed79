//! `steer_round_robin`: the READY backends one after another, from a random first one.
//!
//! Source: gRPC's `round_robin`; config: none.
//! Cost per pick: one thread-local load, one load and one store on a cache line of the thread's
//! own, and the backend's handle. Cost per update or report: O(backends).

use std::sync::Arc;

use super::leaf::{Backend, BuiltIn, PickerFactory};
use super::{Call, Fields, Helper, Pick, Picker, Turns};
use crate::endpoints::Connection;
use crate::sync::Rotation;

/// The picker factory of `steer_round_robin`.
pub struct RoundRobin {
    /// Outlives pickers: making a cache line for each thread anew at every report would cost more
    /// than the rest of it.
    rotation: Rotation,
}

/// It has no fields.
#[derive(Debug)]
pub struct NoFields {}

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
        backends: Vec<Backend>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let mut connections: Vec<Connection> =
            backends.into_iter().map(|backend| backend.connection).collect();
        // A random first backend for each picker: or else every client that is started at the
        // same time begins with the same one (grpc-go#2580).
        let first = helper.random() % connections.len() as u64;
        connections.rotate_left(first as usize);
        Box::new(RoundRobinPicker(Turns::new(connections, self.rotation.clone())))
    }
}

struct RoundRobinPicker(Turns);

impl Picker for RoundRobinPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Complete(self.0.next())
    }

    fn turns(&self) -> Option<Turns> {
        Some(self.0.clone())
    }
}
