//! Rotations: whose turn it is, for many threads that share no written cache line.
//!
//! | file | idea |
//! |---|---|
//! | `cells.rs` | a cell for each thread, on a cache line of its own |
//! | `plain.rs` | [`Rotation`]: one index after the other |
//! | `weighted.rs` | [`WeightedRotation`]: passes over the indices, which may skip some of them |
//!
//! Each thread rotates alone ([`thread_slot`](super::thread_slot)), in a cell on a cache line of
//! its own. If there are more threads than cells, some threads share a cell. They may then take the
//! same turn now and then, but never an index out of range.
//!
//! Must not depend on: the objects in rotation.

mod cells;
mod plain;
mod weighted;

pub use self::plain::Rotation;
pub use self::weighted::{Step, WeightedRotation};
