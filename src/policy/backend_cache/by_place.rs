//! Values by the places of the list in use.
//!
//! Must not depend on: what is derived from a backend.

use super::connections::{HasConnection, changed_connections};
use crate::endpoints::{Connection, PersistentVec};

/// Values of the READY backends, by their places in the list in use.
pub(crate) struct BackendCache<S, T> {
    /// The backends that the values are derived from.
    backends: PersistentVec<S>,
    values: PersistentVec<T>,
}

impl<S: HasConnection, T: Clone> BackendCache<S, T> {
    /// A cache for an empty list.
    pub(crate) fn new() -> Self {
        BackendCache { backends: PersistentVec::new(0), values: PersistentVec::new(0) }
    }

    /// Makes the values that these backends do not have yet, and drops those of other backends.
    /// Calls `changed` with each value that is made (`true`) or dropped (`false`).
    pub(crate) fn update(
        &mut self,
        backends: &PersistentVec<S>,
        mut make: impl FnMut(usize, &Connection) -> T,
        mut changed: impl FnMut(&T, bool),
    ) -> &PersistentVec<T> {
        if self.backends.slots() != backends.slots() {
            self.values.iter().for_each(|(_, value)| changed(value, false));
            self.update_list(backends.slots(), |_, _| false);
        }
        let BackendCache { backends: before, values } = self;
        changed_connections(backends, before, |place, connection| {
            if let Some(former) = values.get(place) {
                changed(former, false);
            }
            let value = connection.map(|connection| make(place, connection));
            if let Some(value) = &value {
                changed(value, true);
            }
            values.set(place, value);
        });
        self.backends = backends.clone();
        &self.values
    }

    /// Prepares for another list with this number of places. Keeps the values that are
    /// `still_valid` at their place, and drops the others. Calls nothing for them.
    pub(crate) fn update_list(&mut self, places: usize, still_valid: impl Fn(usize, &T) -> bool) {
        let former = std::mem::replace(
            self,
            BackendCache {
                backends: PersistentVec::new(places),
                values: PersistentVec::new(places),
            },
        );
        for (place, value) in former.values.iter() {
            if place < places && still_valid(place, value) {
                self.backends.set(place, former.backends.get(place).cloned());
                self.values.set(place, Some(value.clone()));
            }
        }
    }
}
