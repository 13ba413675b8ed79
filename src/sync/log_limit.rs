//! A log line that may be wanted very often, and is written once a second at most.
//!
//! Must not know: what is logged.

use std::time::Duration;

use super::atomic::{AtomicU64, Ordering};

const EVERY: Duration = Duration::from_secs(1);

/// When a line was written last.
#[derive(Debug)]
pub struct LogLimit(
    /// In nanoseconds of the caller's clock, plus one; 0: never.
    AtomicU64,
);

impl LogLimit {
    /// For a line that was never written.
    pub fn new() -> LogLimit {
        LogLimit(AtomicU64::new(0))
    }

    /// Whether the line is to be written now. Any thread; of several at one time, one is told so.
    pub fn is_due(&self, now: Duration) -> bool {
        let stamp = now.as_nanos() as u64 + 1;
        // Relaxed: a clock for people, which orders nothing.
        let last = self.0.load(Ordering::Relaxed);
        let soon = last != 0 && stamp.saturating_sub(last) < EVERY.as_nanos() as u64;
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

    /// Of two threads that want to write at the same time, one does.
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
