//! What threads share. The only `unsafe` outside `ffi`, and the only way to atomics.
//!
//! | file | idea |
//! |---|---|
//! | `lock.rs` | the engine's locks and lazy statics, safe across a `fork` |
//! | `fork.rs` | how a `fork` waits for threads that hold locks |
//! | `rotation/` | whose turn it is, for many threads |
//! | `slot.rs` | a small number for each thread |
//! | `sharded.rs` | a value for each of a few groups of threads |
//! | `returned.rs` | a value that its owner gives back |
//! | `random.rs` | random numbers of this process alone |
//! | `clock.rs` | the time, read at every call |
//! | `nanos.rs` | a time in nanoseconds |
//! | `bits.rs` | a set of numbers: many threads insert, one takes all out |
//! | `wake.rs` | a request to do work elsewhere, made once however many threads want it |
//! | `log_limit.rs` | a log line at most once a second |
//! | `handle.rs` | an opaque pointer of the host |
//! | `shared.rs` | `Arc`, as loom sees it |
//!
//! Must not depend on: policies, endpoints, the C ABI.

#![allow(unsafe_code)]

mod bits;
mod clock;
mod fork;
mod handle;
mod lock;
mod log_limit;
mod nanos;
mod random;
mod returned;
mod rotation;
mod sharded;
mod shared;
mod slot;
mod wake;

pub use bits::Bits;
pub use clock::Clock;
pub use fork::{get_or_init, without_fork};
pub use handle::Handle;
pub use lock::{Lazy, Mutex, MutexGuard};
pub use log_limit::LogLimit;
pub use nanos::Nanos;
pub use random::random;
pub use returned::{GiveBack, Returned};
pub use rotation::{Rotation, Step, WeightedRotation};
pub use sharded::Sharded;
pub use shared::Arc;
pub use slot::{assign_thread_slot, thread_slot, with_first_slot};
pub use wake::Wake;

/// The atomics of the engine. A loom model replaces them (`RUSTFLAGS="--cfg loom"`).
pub mod atomic {
    #[cfg(not(loom))]
    pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

    #[cfg(loom)]
    pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
}
