//! Numbers of endpoints, and a table from these numbers to others.
//!
//! Must not depend on: how an endpoint is made or connected.

// Not `crate::sync`: loom's atomics cannot be static, and this one needs no model.
use std::sync::atomic::{AtomicU64, Ordering};

/// The engine's number for an endpoint. It is greater than the numbers of all endpoints that were
/// made before, and never used twice in a process. So a late report of a dropped endpoint finds
/// nothing, and a host that confuses two policies does no harm.
///
/// The lower bits are the endpoint's *slot*: a small number that no other living endpoint of its
/// policy has. Data about endpoints is stored at this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u64);

/// 2^24 endpoints in a policy, and 2^40 in the life of a process: each needs a TCP connection, so
/// neither is reached.
const SLOT_BITS: u32 = 24;

static NEXT: AtomicU64 = AtomicU64::new(1);

impl EndpointId {
    /// A new number with this slot. Returns `None` if the slot is above the limit of 16 million.
    pub fn next(slot: usize) -> Option<EndpointId> {
        let slot = u64::try_from(slot).ok().filter(|slot| *slot < 1 << SLOT_BITS)?;
        // Relaxed: only uniqueness matters.
        Some(EndpointId((NEXT.fetch_add(1, Ordering::Relaxed) << SLOT_BITS) | slot))
    }

    /// Its slot.
    pub fn slot(self) -> usize {
        (self.0 & ((1 << SLOT_BITS) - 1)) as usize
    }
}

/// Gives some endpoints of one policy a number each. Indexed by slot.
#[derive(Debug, Default)]
pub struct ById(Vec<(EndpointId, u32)>);

/// Marks an empty slot.
const EMPTY: u32 = u32::MAX;

impl ById {
    /// The number of this endpoint.
    pub fn get(&self, id: EndpointId) -> Option<u32> {
        let (owner, number) = *self.0.get(id.slot())?;
        (owner == id && number != EMPTY).then_some(number)
    }

    /// Gives an endpoint a number, which must be below `u32::MAX`. Forgets an older endpoint with
    /// the same slot: it no longer exists.
    pub fn insert(&mut self, id: EndpointId, number: u32) {
        let slot = id.slot();
        if slot >= self.0.len() {
            self.0.resize(slot + 1, (EndpointId(0), EMPTY));
        }
        self.0[slot] = (id, number);
    }

    /// Removes the number of this endpoint.
    pub fn remove(&mut self, id: EndpointId) {
        if let Some(found) = self.0.get_mut(id.slot()).filter(|found| found.0 == id) {
            found.1 = EMPTY;
        }
    }

    /// Removes all numbers.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_grow_whatever_their_slots() {
        let slots = [5, 0, 5, (1 << SLOT_BITS) - 1];
        let ids = slots.map(|slot| EndpointId::next(slot).unwrap());
        assert_eq!(ids.map(EndpointId::slot), slots);
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(EndpointId::next(1 << SLOT_BITS), None);
    }

    #[test]
    fn a_dropped_endpoint_has_no_number() {
        let mut numbers = ById::default();
        let (old, other) = (EndpointId::next(1).unwrap(), EndpointId::next(0).unwrap());
        numbers.insert(old, 7);
        numbers.insert(other, 8);
        let new = EndpointId::next(1).unwrap();
        numbers.remove(new);
        assert_eq!([old, other, new].map(|id| numbers.get(id)), [Some(7), Some(8), None]);
        numbers.insert(new, 9);
        numbers.remove(old);
        assert_eq!([old, other, new].map(|id| numbers.get(id)), [None, Some(8), Some(9)]);
        // A host may pass any number.
        for id in [0, 1, u64::MAX] {
            assert_eq!(numbers.get(EndpointId(id)), None);
        }
        numbers.clear();
        assert_eq!(numbers.get(other), None);
    }
}
