//! Each backend once, however often it is listed: of endpoints with the same addresses, the first
//! one that is READY stands for all.
//!
//! Cost: nothing for a list without such endpoints. Else, for each backend that has come or gone,
//! the number of endpoints with its addresses, times O(log places).
//!
//! Must not know: what they are chosen for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::endpoints::{Connection, PersistentVec};

/// The READY backends of a list, each once.
pub(super) struct UniqueBackends {
    /// The places of endpoints with the same addresses, by each of these places. Only where there
    /// are several.
    alike: HashMap<usize, Arc<[usize]>>,
    ready: PersistentVec<Connection>,
    standing: PersistentVec<Connection>,
}

impl UniqueBackends {
    /// Of no list.
    pub(super) fn new() -> Self {
        UniqueBackends {
            alike: HashMap::new(),
            ready: PersistentVec::new(0),
            standing: PersistentVec::new(0),
        }
    }

    /// The list in use has so many places; `first` has for each of them the first one with the same
    /// addresses, unless all differ.
    pub(super) fn update_list(&mut self, count: usize, first: Option<Vec<usize>>) {
        let mut places: HashMap<usize, Vec<usize>> = HashMap::new();
        for (place, first) in first.into_iter().flatten().enumerate() {
            places.entry(first).or_default().push(place);
        }
        let several = places.into_values().filter(|places| places.len() > 1).map(Arc::<[_]>::from);
        self.alike = several
            .flat_map(|alike| {
                let places = alike.to_vec();
                places.into_iter().map(move |place| (place, Arc::clone(&alike)))
            })
            .collect();
        self.ready = PersistentVec::new(count);
        self.standing = PersistentVec::new(count);
    }

    /// None is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.ready = PersistentVec::new(self.ready.slots());
        self.standing = PersistentVec::new(self.standing.slots());
    }

    /// These are READY. Those that stand for themselves and others, by place.
    pub(super) fn update(
        &mut self,
        ready: &PersistentVec<Connection>,
    ) -> PersistentVec<Connection> {
        if self.alike.is_empty() {
            return ready.clone();
        }
        let UniqueBackends { alike, ready: before, standing } = self;
        ready.differences(before, |place, now, before| {
            if now == before {
                return;
            }
            let Some(alike) = alike.get(&place) else {
                return standing.set(place, now.cloned());
            };
            let first = alike.iter().copied().find(|place| ready.get(*place).is_some());
            for &place in &**alike {
                standing.set(place, ready.get(place).filter(|_| Some(place) == first).cloned());
            }
        });
        self.ready = ready.clone();
        self.standing.clone()
    }
}
