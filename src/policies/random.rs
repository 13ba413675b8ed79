//! `steer_random`: chooses a random READY backend. All are equally likely.
//!
//! Source: xDS's `random` policy (Envoy), which gRPC does not have.
//! Config: none.
//! Cost per pick: 64 random bits, one multiplication, and a load for each level of a tree of the
//! backends. A pick writes to no memory that threads share. Cost per report: O(log backends). Cost
//! per update: O(backends).
//!
//! Must not depend on: anything about a backend except its connection.

use std::sync::Arc;

use crate::calls::Call;
use crate::endpoints::{Connection, PersistentVec};
use crate::policy::sample::below;
use crate::policy::{
    BuiltIn, DenseBackendCache, Fields, Helper, NoFields, Pick, Picker, PickerFactory, Ready,
};

/// The picker factory of `steer_random`.
pub struct Random {
    connections: DenseBackendCache<Connection>,
}

impl BuiltIn for Random {
    const NAME: &'static str = "steer_random";

    fn parse(_fields: &mut Fields<'_>) -> NoFields {
        NoFields {}
    }

    fn new(_helper: &dyn Helper) -> Self {
        Random { connections: DenseBackendCache::new() }
    }
}

impl PickerFactory for Random {
    type Config = NoFields;

    fn build(
        &mut self,
        _config: &Arc<NoFields>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let connections =
            self.connections.update(ready.connections(), |_, connection| connection.clone());
        Box::new(RandomPicker { connections: connections.clone(), helper: Arc::clone(helper) })
    }

    fn none_ready(&mut self) {
        self.connections = DenseBackendCache::new();
    }
}

struct RandomPicker {
    /// Without gaps, in no particular order.
    connections: PersistentVec<Connection>,
    helper: Arc<dyn Helper>,
}

impl Picker for RandomPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let chosen = below(self.helper.random(), self.connections.count());
        self.connections.get(chosen).map_or(Pick::Queue, Pick::Complete)
    }
}
