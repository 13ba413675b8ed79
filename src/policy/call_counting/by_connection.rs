//! Finds a backend by its connection.
//!
//! Cost: a hash and O(log backends) for a look-up; O(log backends) for a change; O(1) for a clone.
//!
//! Must not depend on: what backends are found for.

use std::sync::Arc;

use crate::calls::TrackedBackend;
use crate::endpoints::{Connection, PersistentVec};
use crate::policy::sample::below;
use crate::sync::{Handle, random};

/// The backends with the same hash.
type Chain = Arc<[Arc<TrackedBackend>]>;

/// A hash table with chains, whose clones share what they have in common. The capacity is fixed.
#[derive(Clone)]
pub(super) struct BackendsByConnection {
    chains: PersistentVec<Chain>,
    /// An odd random number.
    factor: u64,
}

impl BackendsByConnection {
    /// A table for about this many backends.
    pub(super) fn new(capacity: usize) -> BackendsByConnection {
        BackendsByConnection { chains: PersistentVec::new(capacity), factor: random() | 1 }
    }

    pub(super) fn capacity(&self) -> usize {
        self.chains.slots()
    }

    pub(super) fn insert(&mut self, backend: &Arc<TrackedBackend>) {
        self.replace_chain(backend, |others| others.chain([Arc::clone(backend)]).collect());
    }

    pub(super) fn remove(&mut self, backend: &Arc<TrackedBackend>) {
        self.replace_chain(backend, |others| others.collect());
    }

    /// Replaces the chain of this backend with what `make` returns for the others in it.
    fn replace_chain(
        &mut self,
        backend: &Arc<TrackedBackend>,
        make: impl FnOnce(&mut dyn Iterator<Item = Arc<TrackedBackend>>) -> Chain,
    ) {
        let place = self.place(backend.connection().handle());
        let chain = self.chains.get(place).map_or(&[][..], |chain| chain);
        let mut others = chain.iter().filter(|other| !Arc::ptr_eq(other, backend)).cloned();
        let chain = make(&mut others);
        self.chains.set(place, (!chain.is_empty()).then_some(chain));
    }

    pub(super) fn find(&self, connection: &Connection) -> Option<&Arc<TrackedBackend>> {
        let chain = self.chains.get(self.place(connection.handle()))?;
        chain.iter().find(|backend| backend.connection() == connection)
    }

    /// Multiplicative hashing: Dietzfelbinger et al., "A Reliable Randomized Algorithm for the
    /// Closest-Pair Problem" (1997). Handles are pointers of the host, which no peer can choose.
    #[inline]
    fn place(&self, handle: Handle) -> usize {
        below((handle.number() as u64).wrapping_mul(self.factor), self.chains.slots())
    }
}
