//! The gate between forks and locks: its state, without what opens and closes it.
//!
//! Must not depend on: the handlers of a fork.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// How long a fork and a lock wait for each other. Locks are held for microseconds; the rest is for
/// a thread that a busy machine does not run.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// Counts a thread that is inside. The lower half of the gate: there are fewer threads than 2^32.
pub(super) const INSIDE: u64 = 1;
/// Counts a fork in progress. The upper half of the gate, without its highest bit.
pub(super) const FORK: u64 = 1 << 32;
/// Set until the handlers are registered. The highest bit of the gate.
pub(super) const NEW: u64 = 1 << 63;

/// The gate: how many threads are inside, and how many forks are in progress.
pub(super) static GATE: AtomicU64 = AtomicU64::new(NEW);

thread_local! {
    /// How many times this thread is inside.
    pub(super) static DEPTH: Cell<u64> = const { Cell::new(0) };
    /// This thread is forking. Until the fork is done, it passes the gate freely.
    pub(super) static FORKS: Cell<bool> = const { Cell::new(false) };
}

/// What the child of a fork does besides: see [`in_child`](super::in_child).
pub(super) static IN_CHILD: OnceLock<fn(u32)> = OnceLock::new();
