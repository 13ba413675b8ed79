//! Limits a frequent log line to one a second.
//!
//! Must not depend on: the text that is logged.

use std::time::Duration;

use super::atomic::{AtomicU64, Ordering};

/// Short enough to follow a fault in the log, long enough that it does not fill a disk.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time when the line was last written.
#[derive(Debug)]
pub struct LogLimit(
    /// In nanoseconds of the caller's clock, plus one. 0 means never.
    AtomicU64,
);

impl LogLimit {
    /// A limit for a line that was never written.
    pub fn new() -> LogLimit {
        LogLimit(AtomicU64::new(0))
    }

    /// Whether to write the line now. Any thread. Of several threads that ask at the same time, one
    /// is told to write.
    pub fn is_due(&self, now: Duration) -> bool {
        let stamp = now.as_nanos() as u64 + 1;
        // Relaxed: the time orders no other memory.
        let last = self.0.load(Ordering::Relaxed);
        let soon = last != 0 && stamp.saturating_sub(last) < INTERVAL.as_nanos() as u64;
        !soon && self.0.compare_exchange(last, stamp, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Default for LogLimit {
    fn default() -> Self {
        LogLimit::new()
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;

    /// Of two threads that ask at the same time, one writes.
    #[test]
    fn one_of_several_is_told_to_write() {
        loom::model(|| {
            let limit = Arc::new(LogLimit::new());
            let other = {
                let limit = limit.clone();
                loom::thread::spawn(move || limit.is_due(Duration::from_millis(1)))
            };
            let here = limit.is_due(Duration::from_millis(2));
            assert!(here != other.join().unwrap());
            assert!(!limit.is_due(Duration::from_millis(900)));
            assert!(limit.is_due(Duration::from_millis(1100)));
        });
    }
}
