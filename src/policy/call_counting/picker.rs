//! The picker around a policy's own, which tracks the calls.
//!
//! Must not depend on: who counts, how the picker inside chooses.

use super::by_connection::BackendsByConnection;
use crate::calls::{Call, Wants};
use crate::policy::{Pick, Picker};

/// The backends with calls that are counted.
pub(crate) struct CountedBackends(BackendsByConnection);

impl CountedBackends {
    pub(super) fn new(backends: BackendsByConnection) -> CountedBackends {
        CountedBackends(backends)
    }

    /// Wraps a picker in one that has its calls counted.
    pub(crate) fn wrap(self, picker: Box<dyn Picker>) -> Box<dyn Picker> {
        Box::new(CountedPicker { backends: self.0, picker })
    }
}

struct CountedPicker {
    backends: BackendsByConnection,
    picker: Box<dyn Picker>,
}

impl Picker for CountedPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        match self.picker.pick(call) {
            Pick::Complete(connection) => match self.backends.find(connection) {
                Some(backend) => Pick::tracked(backend),
                None => Pick::Complete(connection),
            },
            pick => pick,
        }
    }

    fn wants(&self) -> Wants {
        self.picker.wants()
    }
}
