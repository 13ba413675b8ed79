//! `steer_random`: any of the READY backends, each as likely as the others.
//!
//! Source: xDS's `random` policy (Envoy), which gRPC does not have; config: none.
//! Cost per pick: 64 random bits and one multiplication; nothing is written that threads share. Cost per
//! update or report: O(backends).
//!
//! Must not know: anything of the backends.

use std::sync::Arc;

use super::leaf::{BuiltIn, PickerFactory, Ready};
use super::round_robin::NoFields;
use super::sample::below;
use super::{Call, Fields, Helper, Pick, Picker};
use crate::endpoints::Connection;

/// The picker factory of `steer_random`.
pub struct Random;

impl BuiltIn for Random {
    const NAME: &'static str = "steer_random";

    fn parse(_fields: &mut Fields<'_>) -> NoFields {
        NoFields {}
    }

    fn new(_helper: &dyn Helper) -> Self {
        Random
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
        let connections = ready.connections().iter().map(|(_, connection)| connection.clone());
        let connections = connections.collect();
        Box::new(RandomPicker { connections, helper: Arc::clone(helper) })
    }
}

struct RandomPicker {
    connections: Box<[Connection]>,
    helper: Arc<dyn Helper>,
}

impl Picker for RandomPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Complete(&self.connections[below(self.helper.random(), self.connections.len())])
    }
}
