//! Numbers of endpoints, and what is found by them.
//!
//! Must not know: what an endpoint is.

// Loom's atomics cannot be static, and this needs no model.
use std::sync::atomic::{AtomicU64, Ordering};

/// The engine's number for an endpoint. Never used twice in a process, so that a late report of an
/// endpoint that was dropped finds nothing, and a host may mix up policies without harm. Greater than those of all
/// endpoints that were made before.
///
/// The lower bits are the endpoint's *slot*: a small number that no other endpoint of its policy has as long as it
/// lives, so that what is known of endpoints is found by an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u64);

const SLOT_BITS: u32 = 24;

static NEXT: AtomicU64 = AtomicU64::new(1);

impl EndpointId {
    /// A number with this slot. None: there are too many endpoints, more than 16 million.
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

/// A number for each of some endpoints of one policy, by slots.
#[derive(Debug, Default)]
pub struct ById(Vec<(EndpointId, u32)>);

/// In place of a number.
const NOTHING: u32 = u32::MAX;

impl ById {
    /// This endpoint's number.
    pub fn get(&self, id: EndpointId) -> Option<u32> {
        let (of, number) = *self.0.get(id.slot())?;
        (of == id && number != NOTHING).then_some(number)
    }

    /// Gives an endpoint a number, below `u32::MAX`. One that has its slot is gone.
    pub fn insert(&mut self, id: EndpointId, number: u32) {
        let slot = id.slot();
        if slot >= self.0.len() {
            self.0.resize(slot + 1, (EndpointId(0), NOTHING));
        }
        self.0[slot] = (id, number);
    }

    /// Takes this endpoint's number away.
    pub fn remove(&mut self, id: EndpointId) {
        if let Some(known) = self.0.get_mut(id.slot()).filter(|known| known.0 == id) {
            known.1 = NOTHING;
        }
    }

    /// Takes all numbers away.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_grow_whatever_their_slots_are() {
        let slots = [5, 0, 5, (1 << SLOT_BITS) - 1];
        let ids = slots.map(|slot| EndpointId::next(slot).unwrap());
        assert_eq!(ids.map(EndpointId::slot), slots);
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(EndpointId::next(1 << SLOT_BITS), None);
    }

    #[test]
    fn nothing_is_found_by_the_number_of_one_that_is_gone() {
        let mut known = ById::default();
        let (old, other) = (EndpointId::next(1).unwrap(), EndpointId::next(0).unwrap());
        known.insert(old, 7);
        known.insert(other, 8);
        let new = EndpointId::next(1).unwrap();
        known.remove(new);
        assert_eq!([old, other, new].map(|id| known.get(id)), [Some(7), Some(8), None]);
        known.insert(new, 9);
        known.remove(old);
        assert_eq!([old, other, new].map(|id| known.get(id)), [None, Some(8), Some(9)]);
        // Whatever a host may say.
        for id in [0, 1, u64::MAX] {
            assert_eq!(known.get(EndpointId(id)), None);
        }
        known.clear();
        assert_eq!(known.get(other), None);
    }
}
