//! A cell for each thread, on a cache line of its own.
//!
//! Must not depend on: what rotations store in the cells.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

/// One cell for each thread slot. Clones share the cells.
#[derive(Debug)]
pub(super) struct Cells<A>(
    /// A power of two in number, so that a mask finds the cell.
    Arc<[CachePadded<A>]>,
);

impl<A> Cells<A> {
    /// At least `count` cells, each with the value that `make` returns for its number.
    pub(super) fn new(count: usize, make: impl FnMut(usize) -> A) -> Cells<A> {
        Cells((0..count.next_power_of_two()).map(make).map(CachePadded::new).collect())
    }

    /// The cell of a thread slot. Always `Some`. An `Option`, because a panic here would make the
    /// usual path of a pick a little slower.
    #[inline(always)]
    pub(super) fn get(&self, thread: u32) -> Option<&A> {
        self.0.get(thread as usize & (self.0.len() - 1)).map(|cell| &**cell)
    }
}

impl<A> Clone for Cells<A> {
    fn clone(&self) -> Cells<A> {
        Cells(Arc::clone(&self.0))
    }
}
