//! What threads share: the only `unsafe` outside `ffi` and the only door to atomics.
//!
//! Must not know: policies, endpoints, the C ABI.

mod bits;
mod clock;
mod fork;
mod handle;
mod lock;
mod log_limit;
mod rotation;
mod sequence;
mod shared;
mod slot;
mod wake;

pub use bits::Bits;
pub use clock::Clock;
pub use fork::{get_or_init, without_fork};
pub use handle::Handle;
pub use lock::{Lazy, Mutex, MutexGuard};
pub use log_limit::LogLimit;
pub use rotation::Rotation;
pub use sequence::{Step, WeightedRotation};
pub use shared::Arc;
pub use slot::{assign_thread_slot, thread_slot};
pub use wake::Wake;

/// Atomics, by way of which a loom model can take their place (`RUSTFLAGS="--cfg loom"`).
pub mod atomic {
    #[cfg(not(loom))]
    pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

    #[cfg(loom)]
    pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
}
