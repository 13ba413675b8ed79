//! An event with its place in the order of all.
//!
//! Must not depend on: where events are kept.

use std::cmp::Ordering;

use super::Time;

/// An event that is to come.
pub(super) struct Entry<E> {
    pub(super) time: Time,
    /// How many events were scheduled before it. No two events have the same.
    pub(super) order: u64,
    pub(super) event: E,
}

impl<E> Entry<E> {
    /// Sorts by time and then by order. One number, because comparing it takes no branch.
    pub(super) fn key(&self) -> u128 {
        (u128::from(self.time) << 64) | u128::from(self.order)
    }

    /// The greatest key that an event of this time can have.
    pub(super) fn last_key_at(time: Time) -> u128 {
        (u128::from(time) << 64) | u128::from(u64::MAX)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
