//! Virtual time. It stands still until its owner moves it.
//!
//! Must not depend on: what happens at a time.

use std::sync::Arc;
// Not `crate::sync`: loom's atomics work inside models only, and tests outside of them use this.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that its owner moves. Clones show the same time. Any thread.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// A clock that shows this time. Its resolution is a nanosecond.
    pub fn at(time: Duration) -> VirtualClock {
        VirtualClock(Arc::new(AtomicU64::new(in_ns(time))))
    }

    /// The time.
    pub fn now(&self) -> Duration {
        // Relaxed, here and below: tests order what they do by other means.
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Moves the clock to this time. Going back is a mistake of the owner: time stays then. Only
    /// one thread may move a clock at a time; any thread may read it.
    pub fn set(&self, time: Duration) {
        let time = in_ns(time);
        // Not `fetch_max`: a simulation moves its clock at each event.
        if time > self.0.load(Ordering::Relaxed) {
            self.0.store(time, Ordering::Relaxed);
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

/// As nanoseconds. Times above 584 years become the greatest that there is.
fn in_ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
