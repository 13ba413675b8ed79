//! Keeps one READY endpoint of each backend that is listed several times: of the READY endpoints
//! with the same addresses, the first one. Several connections to a backend are a backend each.
//!
//! Cost: nothing for a list without such endpoints. Otherwise, for each backend that came or went,
//! the number of endpoints with its addresses, times O(log places).
//!
//! Must not depend on: what the backends are used for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::endpoints::{Connection, PersistentVec};

/// The READY backends of a list, each once.
pub(super) struct UniqueBackends {
    /// For each place of an endpoint that is listed several times: all places with its addresses,
    /// in the order of the list.
    duplicates: HashMap<usize, Arc<[usize]>>,
    /// All READY endpoints of the last update, by place.
    ready: PersistentVec<Connection>,
    /// One READY endpoint of each backend, by place.
    unique: PersistentVec<Connection>,
}

impl UniqueBackends {
    /// For an empty list.
    pub(super) fn new() -> Self {
        UniqueBackends {
            duplicates: HashMap::new(),
            ready: PersistentVec::new(0),
            unique: PersistentVec::new(0),
        }
    }

    /// Prepares for a list of `count` places. `first_places` has, for each place, the first place
    /// of the same backend and connection. `None`: all differ.
    pub(super) fn update_list(&mut self, count: usize, first_places: Option<Vec<usize>>) {
        let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
        for (place, first) in first_places.into_iter().flatten().enumerate() {
            groups.entry(first).or_default().push(place);
        }
        let several = groups.into_values().filter(|places| places.len() > 1).map(Arc::<[_]>::from);
        self.duplicates = several
            .flat_map(|group| {
                let places = group.to_vec();
                places.into_iter().map(move |place| (place, Arc::clone(&group)))
            })
            .collect();
        self.ready = PersistentVec::new(count);
        self.unique = PersistentVec::new(count);
    }

    /// Drops all connections: no backend is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.ready = PersistentVec::new(self.ready.slots());
        self.unique = PersistentVec::new(self.unique.slots());
    }

    /// Takes the READY endpoints, by place. Returns one of each backend.
    pub(super) fn update(
        &mut self,
        ready: &PersistentVec<Connection>,
    ) -> PersistentVec<Connection> {
        if self.duplicates.is_empty() {
            return ready.clone();
        }
        let UniqueBackends { duplicates, ready: before, unique } = self;
        ready.differences(before, |place, now, before| {
            if now == before {
                return;
            }
            let Some(group) = duplicates.get(&place) else {
                return unique.set(place, now.cloned());
            };
            let first = group.iter().copied().find(|place| ready.get(*place).is_some());
            for &place in &**group {
                unique.set(place, ready.get(place).filter(|_| Some(place) == first).cloned());
            }
        });
        self.ready = ready.clone();
        self.unique.clone()
    }
}
