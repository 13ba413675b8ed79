//! Rotations: whose turn it is, for many threads.
//!
//! | file | idea |
//! |---|---|
//! | `turns.rs` | one state for all threads, and one for each thread that would have to wait |
//! | `plain.rs` | [`Rotation`]: one index after the other |
//! | `weighted.rs` | [`WeightedRotation`]: passes over the indices, which may skip some of them |
//!
//! Threads are told apart by [`thread_slot`](super::thread_slot). If there are more threads than
//! cells, some threads share a cell. They may then take the same turn now and then, but never an
//! index out of range.
//!
//! Must not depend on: the objects in rotation.

mod plain;
mod turns;
mod weighted;

pub use self::plain::Rotation;
pub use self::weighted::{Step, WeightedRotation};
