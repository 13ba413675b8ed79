//! A request to do work elsewhere. Any thread may make it at any time. However many threads do, the
//! work is asked for once.
//!
//! Must not depend on: the work.

use super::atomic::{AtomicBool, Ordering};

/// Whether the work is requested and not begun.
///
/// Made by its owner, woken on any thread, and taken where the work is done: in the host's work
/// serializer.
#[derive(Debug)]
pub struct Wake(AtomicBool);

impl Wake {
    /// No request yet.
    pub fn new() -> Wake {
        Wake(AtomicBool::new(false))
    }

    /// Requests the work. Calls `ask` to ask for it, unless a request is pending already. `ask`
    /// returns whether it could. Everything that the caller wrote before is visible to the thread
    /// that [takes](Wake::take) the request. Returns whether the work is asked for. Any thread.
    pub fn wake(&self, ask: impl FnOnce() -> bool) -> bool {
        // AcqRel: pairs with the swap in `take`. It sees all writes before this call, even if
        // an earlier `wake` asked for the work.
        if self.0.swap(true, Ordering::AcqRel) {
            return true;
        }
        let can = ask();
        if !can {
            self.0.store(false, Ordering::Release);
        }
        can
    }

    /// Takes the request. Returns whether there was one.
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

    /// In any order of wakes and takes, a take that was asked for sees each waker's work.
    #[test]
    fn no_wake_is_lost() {
        // Without a bound, this takes 50 s.
        crate::model::check(2, || {
            let wake = Arc::new(Wake::new());
            let work = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
            let asked = Arc::new(AtomicU32::new(0));
            let wakers = [0, 1].map(|number| {
                let (wake, work, asked) = (wake.clone(), work.clone(), asked.clone());
                loom::thread::spawn(move || {
                    work[number].store(1, Relaxed);
                    assert!(wake.wake(|| {
                        // Release: the host passes the request on.
                        asked.fetch_add(1, Ordering::Release);
                        true
                    }));
                })
            });
            // What the host does for each request, in its work serializer.
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
