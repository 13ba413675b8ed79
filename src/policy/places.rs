//! A value for each place of a list, which a policy changes one at a time, and of which each picker holds what it
//! was when that was made. They share what has not changed.
//!
//! Cost of a look: one load more than in an array. Of a change: a copy of one chunk. Of a picker's own: a reference
//! to each chunk.
//!
//! Must not know: what the values are.

use std::sync::Arc;

/// Values in one allocation: a power of two.
const CHUNK: usize = 64;

/// The values.
#[derive(Clone, Debug)]
pub(super) struct Places<T> {
    chunks: Vec<Arc<[T]>>,
}

impl<T: Clone> Places<T> {
    pub(super) fn new(values: &[T]) -> Places<T> {
        Places { chunks: values.chunks(CHUNK).map(Arc::from).collect() }
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> &T {
        &self.chunks[place / CHUNK][place % CHUNK]
    }

    pub(super) fn set(&mut self, place: usize, value: T) {
        Arc::make_mut(&mut self.chunks[place / CHUNK])[place % CHUNK] = value;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut places = Places::new(&Vec::from_iter(0..200));
        let before = places.clone();
        places.set(0, 1000);
        places.set(199, 1199);
        assert_eq!([places.get(0), places.get(1), places.get(199)], [&1000, &1, &1199]);
        assert_eq!(before.iter().copied().collect::<Vec<_>>(), Vec::from_iter(0..200));
        let shared = |chunk: usize| Arc::ptr_eq(&places.chunks[chunk], &before.chunks[chunk]);
        assert_eq!([0, 1, 2, 3].map(shared), [false, true, true, false]);
    }

    #[test]
    fn none() {
        assert_eq!(Places::<u8>::new(&[]).iter().count(), 0);
    }
}
