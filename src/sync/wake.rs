//! A wish that any thread may have, at any time, for something to be done where it can be: asked for once, however
//! many have it.
//!
//! Must not know: what is to be done.

use super::atomic::{AtomicBool, Ordering};

/// Whether somebody waits for it.
#[derive(Debug)]
pub struct Wake(AtomicBool);

impl Wake {
    /// Nobody does.
    pub fn new() -> Wake {
        Wake(AtomicBool::new(false))
    }

    /// Wants it done; `ask` asks for it, unless somebody has asked before, and says whether that was possible. What
    /// the caller did before is there for whoever [takes](Wake::take) it. Any thread.
    pub fn wake(&self, ask: impl FnOnce() -> bool) -> bool {
        // AcqRel, with the swap in `take`: whether this or an earlier wake led to it, what was done before this one
        // is seen.
        if self.0.swap(true, Ordering::AcqRel) {
            return true;
        }
        let can = ask();
        if !can {
            self.0.store(false, Ordering::Release);
        }
        can
    }

    /// Whether somebody waits for it, who need not wait any more.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Default for Wake {
    fn default() -> Self {
        Wake::new()
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU32;
    use loom::sync::atomic::Ordering::Relaxed;

    use super::*;

    /// However wakes and takes fall, each waker's work is seen by a take that somebody asked for.
    #[test]
    fn no_wake_is_lost() {
        // Without a bound, 50 s.
        crate::model::check(2, || {
            let wake = Arc::new(Wake::new());
            let work = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
            let asked = Arc::new(AtomicU32::new(0));
            let wakers = [0, 1].map(|number| {
                let (wake, work, asked) = (wake.clone(), work.clone(), asked.clone());
                loom::thread::spawn(move || {
                    work[number].store(1, Relaxed);
                    assert!(wake.wake(|| {
                        // Release: the host hands the wish on.
                        asked.fetch_add(1, Ordering::Release);
                        true
                    }));
                })
            });
            // What the host does for each wish, where it serialises.
            let (mut done, mut seen) = (0, [0, 0]);
            let mut serve = || {
                while done < asked.load(Ordering::Acquire) {
                    done += 1;
                    if wake.take() {
                        seen = [0, 1].map(|number| work[number].load(Relaxed));
                    }
                }
            };
            serve();
            for waker in wakers {
                waker.join().unwrap();
            }
            serve();
            assert_eq!(seen, [1, 1]);
            assert!(!wake.take());
        });
    }
}
