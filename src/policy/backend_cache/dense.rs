//! Values without gaps, in an order that means nothing.
//!
//! Must not depend on: what is derived from a backend.

use super::connections::changed_connections;
use crate::endpoints::{Connection, PersistentVec};

/// Values of the READY backends, at the first places, so that a random number finds one of them.
pub(crate) struct DenseBackendCache<T> {
    /// The backends that the values are derived from, by place in the list in use.
    backends: PersistentVec<Connection>,
    values: PersistentVec<T>,
    /// The position of a backend's value, by the backend's place in the list in use.
    position: Vec<u32>,
    /// The backend's place in the list in use, by the position of its value.
    place: Vec<u32>,
}

impl<T: Clone> DenseBackendCache<T> {
    /// A cache for an empty list.
    pub(crate) fn new() -> Self {
        let (backends, values) = (PersistentVec::new(0), PersistentVec::new(0));
        DenseBackendCache { backends, values, position: Vec::new(), place: Vec::new() }
    }

    /// As [`BackendCache::update`](super::BackendCache::update).
    pub(crate) fn update(
        &mut self,
        backends: &PersistentVec<Connection>,
        mut make: impl FnMut(usize, &Connection) -> T,
    ) -> &PersistentVec<T> {
        if self.backends.slots() != backends.slots() {
            self.update_list(backends.slots(), |_, _| false);
        }
        let before = std::mem::replace(&mut self.backends, backends.clone());
        changed_connections(backends, &before, |place, connection| {
            let was_ready = before.get(place).is_some();
            match connection.map(|connection| make(place, connection)) {
                Some(value) if was_ready => {
                    self.values.set(self.position[place] as usize, Some(value));
                }
                Some(value) => self.push(place, value),
                None => self.remove(place),
            }
        });
        &self.values
    }

    /// As [`BackendCache::update_list`](super::BackendCache::update_list).
    pub(crate) fn update_list(&mut self, places: usize, still_valid: impl Fn(usize, &T) -> bool) {
        let former = std::mem::replace(
            self,
            DenseBackendCache {
                backends: PersistentVec::new(places),
                values: PersistentVec::new(places),
                position: vec![0; places],
                place: Vec::new(),
            },
        );
        for (place, connection) in former.backends.iter().take_while(|(place, _)| *place < places) {
            let value = former.values.get(former.position[place] as usize);
            if let Some(value) = value.filter(|value| still_valid(place, value)) {
                self.backends.set(place, Some(connection.clone()));
                self.push(place, value.clone());
            }
        }
    }

    fn push(&mut self, place: usize, value: T) {
        let position = self.place.len();
        self.values.set(position, Some(value));
        self.position[place] = position as u32;
        self.place.push(place as u32);
    }

    /// Removes the value of a backend. The last value moves to its position.
    fn remove(&mut self, place: usize) {
        let position = self.position[place] as usize;
        self.place.swap_remove(position);
        let last = self.place.len();
        if position < last {
            self.values.set(position, self.values.get(last).cloned());
            self.position[self.place[position] as usize] = position as u32;
        }
        self.values.set(last, None);
    }
}
