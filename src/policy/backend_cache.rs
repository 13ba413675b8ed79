//! What picker factories make of each READY backend, such as a tracker of its calls: kept from one picker to the
//! next, so that a connectivity report costs what one backend costs and not what all do.
//!
//! Two arrangements: [`BackendCache`] by the places of the list in use, and [`DenseBackendCache`] side by side, for pickers that take
//! backends at random.
//!
//! Cost: O(log places) for each backend that has come or gone since the last picker; O(places) for another list.
//!
//! Must not know: what is made of a backend, how one is chosen.

use crate::endpoints::{Connection, PersistentVec};

/// Something that may be a READY backend's connection.
pub trait HasConnection: Clone {
    /// The connection; none: it is not READY.
    fn connection(&self) -> Option<&Connection>;
}

impl HasConnection for Connection {
    fn connection(&self) -> Option<&Connection> {
        Some(self)
    }
}

/// Visits the places whose connection is another one than before.
fn changes<'a, S: HasConnection>(
    now: &'a PersistentVec<S>,
    before: &'a PersistentVec<S>,
    mut visit: impl FnMut(usize, Option<&'a Connection>),
) {
    now.differences(before, |place, now, before| {
        let now = now.and_then(S::connection);
        if now != before.and_then(S::connection) {
            visit(place, now);
        }
    });
}

/// Values made of the READY backends, by their places in the list in use.
pub(crate) struct BackendCache<S, T> {
    /// What they are made of.
    backends: PersistentVec<S>,
    values: PersistentVec<T>,
}

impl<S: HasConnection, T: Clone> BackendCache<S, T> {
    /// Of no list.
    pub(crate) fn new() -> Self {
        BackendCache { backends: PersistentVec::new(0), values: PersistentVec::new(0) }
    }

    /// Makes what there is not yet of these backends, and forgets what is of others. `changed` hears of each value that
    /// is made or forgotten.
    pub(crate) fn follow(
        &mut self,
        backends: &PersistentVec<S>,
        mut make: impl FnMut(usize, &Connection) -> T,
        mut changed: impl FnMut(&T, bool),
    ) -> &PersistentVec<T> {
        if self.backends.slots() != backends.slots() {
            self.values.iter().for_each(|(_, value)| changed(value, false));
            self.relist(backends.slots(), |_, _| false);
        }
        let BackendCache { backends: before, values } = self;
        changes(backends, before, |place, connection| {
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

    /// The list in use is another one, with so many places: keeps the values that are `still` right at their place,
    /// and forgets the others without a word.
    pub(crate) fn relist(&mut self, places: usize, still: impl Fn(usize, &T) -> bool) {
        let former = std::mem::replace(
            self,
            BackendCache {
                backends: PersistentVec::new(places),
                values: PersistentVec::new(places),
            },
        );
        for (place, value) in former.values.iter() {
            if place < places && still(place, value) {
                self.backends.set(place, former.backends.get(place).cloned());
                self.values.set(place, Some(value.clone()));
            }
        }
    }
}

/// Values made of the READY backends, at the first places there are, in an order that means nothing.
pub(crate) struct DenseBackendCache<T> {
    /// What they are made of, by place in the list in use.
    backends: PersistentVec<Connection>,
    values: PersistentVec<T>,
    /// Where a backend's value is, by the backend's place in the list in use; and the other way round.
    position: Vec<u32>,
    place: Vec<u32>,
}

impl<T: Clone> DenseBackendCache<T> {
    /// Of no list.
    pub(crate) fn new() -> Self {
        let (backends, values) = (PersistentVec::new(0), PersistentVec::new(0));
        DenseBackendCache { backends, values, position: Vec::new(), place: Vec::new() }
    }

    /// As [`BackendCache::follow`].
    pub(crate) fn follow(
        &mut self,
        backends: &PersistentVec<Connection>,
        mut make: impl FnMut(usize, &Connection) -> T,
    ) -> &PersistentVec<T> {
        if self.backends.slots() != backends.slots() {
            self.relist(backends.slots(), |_, _| false);
        }
        let before = std::mem::replace(&mut self.backends, backends.clone());
        changes(backends, &before, |place, connection| {
            let was_there = before.get(place).is_some();
            match connection.map(|connection| make(place, connection)) {
                Some(value) if was_there => {
                    self.values.set(self.position[place] as usize, Some(value));
                }
                Some(value) => self.push(place, value),
                None => self.remove(place),
            }
        });
        &self.values
    }

    /// As [`BackendCache::relist`].
    pub(crate) fn relist(&mut self, places: usize, still: impl Fn(usize, &T) -> bool) {
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
            if let Some(value) = value.filter(|value| still(place, value)) {
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

    /// The last one takes its position.
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

// Nothing for Miri: no unsafe code but what other tests show it.
#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sync::Handle;

    fn connection(number: usize) -> Connection {
        Connection::new(Handle::from_number(number), std::sync::Arc::new(|_| {}))
    }

    /// By place: whether it is READY, after each of some reports.
    fn reports(places: usize) -> impl Strategy<Value = Vec<(usize, bool)>> {
        prop::collection::vec((0..places, any::<bool>()), 0..60)
    }

    fn made(place: usize, connection: &Connection) -> (usize, Handle) {
        (place, connection.handle())
    }

    proptest! {
        /// Whatever happens, there is a value for each READY backend and for no other, made of its connection; and what
        /// stays is not made again.
        #[test]
        fn things_follow_the_backends(
            (places, reports) in (1_usize..80).prop_flat_map(|places| (Just(places), reports(places))),
            picker_each in 1_usize..4,
        ) {
            let (mut kept, mut packed) = (BackendCache::new(), DenseBackendCache::new());
            let mut backends = PersistentVec::new(places);
            let (mut makes, mut balance) = (0, 0);
            for (number, (place, ready)) in reports.into_iter().enumerate() {
                backends.set(place, ready.then(|| connection(number)));
                if number % picker_each != 0 {
                    continue;
                }
                let expected: Vec<_> =
                    backends.iter().map(|(place, connection)| made(place, connection)).collect();
                let values = kept.follow(
                    &backends,
                    |place, connection| { makes += 1; made(place, connection) },
                    |_, is_made| balance += if is_made { 1 } else { -1_isize },
                );
                let values: Vec<_> = values.iter().map(|(_, value)| *value).collect();
                prop_assert_eq!(&values, &expected);
                prop_assert_eq!(balance, expected.len() as isize);
                let values = packed.follow(&backends, made);
                let count = values.count();
                let mut values: Vec<_> =
                    (0..count).filter_map(|position| values.get(position)).copied().collect();
                values.sort_unstable_by_key(|(place, _)| *place);
                prop_assert_eq!(&values, &expected);
                prop_assert!(makes <= number + 1);
            }
        }

        /// Another list: what is still right stays, and the rest is made anew.
        #[test]
        fn another_list_keeps_what_is_still_right(
            before in prop::collection::vec(any::<bool>(), 1..80),
            after in prop::collection::vec(any::<bool>(), 1..80),
            still in any::<u8>(),
        ) {
            let backends = |ready: &[bool]| {
                let mut backends = PersistentVec::new(ready.len());
                for (place, ready) in ready.iter().enumerate() {
                    backends.set(place, ready.then(|| connection(place)));
                }
                backends
            };
            let (before, mut now) = (backends(&before), backends(&after));
            // Where it is READY in both, it is the same connection.
            for (place, connection) in before.iter() {
                if now.get(place).is_some() {
                    now.set(place, Some(connection.clone()));
                }
            }
            let is_still = |place: usize| place % 8 != usize::from(still % 8);
            let (mut kept, mut packed) = (BackendCache::new(), DenseBackendCache::new());
            kept.follow(&before, made, |_, _| {});
            packed.follow(&before, made);
            kept.relist(now.slots(), |place, _| is_still(place));
            packed.relist(now.slots(), |place, _| is_still(place));
            let expected: Vec<_> = now
                .iter()
                .filter(|(place, _)| !is_still(*place) || before.get(*place).is_none())
                .map(|(place, _)| place)
                .collect();
            let (mut by_kept, mut by_packed) = (Vec::new(), Vec::new());
            let values = kept.follow(&now, |place, of| { by_kept.push(place); made(place, of) }, |_, _| {});
            prop_assert_eq!(values.count(), now.count());
            let values = packed.follow(&now, |place, of| { by_packed.push(place); made(place, of) });
            prop_assert_eq!(values.count(), now.count());
            prop_assert_eq!(&by_kept, &expected);
            prop_assert_eq!(&by_packed, &expected);
        }
    }
}
