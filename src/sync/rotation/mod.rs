//! Rotations: whose turn it is, for many threads that share no written cache line.
//!
//! | file | idea |
//! |---|---|
//! | `plain.rs` | [`Rotation`]: one index after the other |
//! | `weighted.rs` | [`WeightedRotation`]: passes over the indices, which may skip some of them |
//!
//! Each thread rotates alone ([`thread_slot`](super::thread_slot)), in a cell on a cache line of
//! its own. If there are more threads than cells, some threads share a cell. They may then take the
//! same turn now and then, but never an index out of range.
//!
//! Must not depend on: the objects in rotation.

mod plain;
mod weighted;

use std::sync::Arc;

use crossbeam_utils::CachePadded;

pub use self::plain::Rotation;
pub use self::weighted::{Step, WeightedRotation};

/// One cell for each thread slot. Clones share the cells.
#[derive(Debug)]
struct Cells<A>(
    /// A power of two in number, so that a mask finds the cell.
    Arc<[CachePadded<A>]>,
);

impl<A> Cells<A> {
    /// At least `count` cells, each with the value that `make` returns for its number.
    fn new(count: usize, make: impl FnMut(usize) -> A) -> Cells<A> {
        Cells((0..count.next_power_of_two()).map(make).map(CachePadded::new).collect())
    }

    /// The cell of a thread slot. Always `Some`. An `Option`, because a panic here would make the
    /// usual path of a pick a little slower.
    #[inline(always)]
    fn get(&self, thread: u32) -> Option<&A> {
        self.0.get(thread as usize & (self.0.len() - 1)).map(|cell| &**cell)
    }
}

impl<A> Clone for Cells<A> {
    fn clone(&self) -> Cells<A> {
        Cells(Arc::clone(&self.0))
    }
}
