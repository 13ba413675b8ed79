//! A picker's choice.
//!
//! Must not know: how it crosses to the engine.

use std::fmt;

use crate::glue::TrackedCall;
use crate::{Backend, CallEnd, Status};

/// A picker's choice for one call.
///
/// ```
/// use steer_sdk::{Pick, Status};
///
/// fn no_key() -> Pick {
///     Pick::fail(Status::unavailable("the call has no key"))
/// }
/// # no_key();
/// ```
#[must_use = "a choice counts when it is returned"]
#[derive(Debug)]
pub struct Pick(pub(crate) Choice);

/// What is in it: two words, of which the first says what the second is.
#[derive(Debug)]
pub(crate) enum Choice {
    Complete(u64),
    Queue,
    Fail(Box<Status>),
    Drop(Box<Status>),
    Tracked(TrackedCall),
    /// Complete, and the picker itself hears of the call.
    TrackedByPicker(u64),
}

impl Pick {
    /// Send the call to this backend, one of those that the picker was built for.
    #[inline(always)]
    pub fn complete<S>(backend: &Backend<S>) -> Pick {
        Pick(Choice::Complete(backend.index() as u64))
    }

    /// Let the call wait for the next picker.
    #[inline]
    pub fn queue() -> Pick {
        Pick(Choice::Queue)
    }

    /// Fail the call, unless it waits for ready: then it waits for the next picker.
    ///
    /// Codes that only applications and control planes may produce become INTERNAL; see
    /// [`Code::is_for_data_plane`](crate::Code::is_for_data_plane).
    #[cold]
    pub fn fail(status: Status) -> Pick {
        Pick(Choice::Fail(Box::new(status)))
    }

    /// Fail the call even if it waits for ready, and do not retry it.
    #[cold]
    pub fn drop(status: Status) -> Pick {
        Pick(Choice::Drop(Box::new(status)))
    }

    /// Tells the picker how the call goes, by [`Picker::call_started`](crate::Picker::call_started)
    /// and [`Picker::call_finished`](crate::Picker::call_finished). Allocates nothing. Changes only
    /// choices that were made by [`Pick::complete`].
    #[inline]
    pub fn tracked(self) -> Pick {
        match self.0 {
            Choice::Complete(backend) => Pick(Choice::TrackedByPicker(backend)),
            _ => self,
        }
    }

    /// Calls `hook` when the call has ended, or was given up: exactly once for a choice that was
    /// returned. A choice that sends the call nowhere drops the hook.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use steer_sdk::{Backends, Pick};
    ///
    /// fn counted(backends: &Backends, failures: &Arc<AtomicU64>) -> Pick {
    ///     let failures = Arc::clone(failures);
    ///     Pick::complete(&backends[0]).on_finish(move |end| {
    ///         if !end.is_ok() {
    ///             failures.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     })
    /// }
    /// # let _ = counted;
    /// ```
    pub fn on_finish<F>(self, hook: F) -> Pick
    where
        F: FnOnce(&CallEnd<'_>) + Send + 'static,
    {
        self.track(OnFinish(hook))
    }

    /// Follows the call with state of its own. When the choice is tracked already, both hear of the
    /// call, this one last. A choice that sends the call nowhere drops the tracker.
    pub fn track(self, tracker: impl CallTracker) -> Pick {
        match self.0 {
            Choice::Complete(backend) => {
                Pick(Choice::Tracked(TrackedCall::new(backend, false, tracker)))
            }
            Choice::TrackedByPicker(backend) => {
                Pick(Choice::Tracked(TrackedCall::new(backend, true, tracker)))
            }
            Choice::Tracked(first) => {
                let (backend, by_picker) = (first.backend(), first.by_picker());
                Pick(Choice::Tracked(TrackedCall::new(backend, by_picker, Both(first, tracker))))
            }
            _ => self,
        }
    }
}

/// The state of one call, as long as it lasts. What happens to it comes from any thread, and never
/// two things at once.
pub trait CallTracker: Send + 'static {
    /// The call starts. Calls that are given up first never do.
    fn started(&mut self) {}

    /// The call has ended, or was given up: exactly once for a choice that was returned.
    fn finished(self, end: &CallEnd<'_>);
}

struct OnFinish<F>(F);

impl<F: FnOnce(&CallEnd<'_>) + Send + 'static> CallTracker for OnFinish<F> {
    fn finished(self, end: &CallEnd<'_>) {
        (self.0)(end);
    }
}

/// Two trackers of one call.
struct Both<T>(TrackedCall, T);

impl<T: CallTracker> CallTracker for Both<T> {
    fn started(&mut self) {
        self.0.started();
        self.1.started();
    }

    fn finished(self, end: &CallEnd<'_>) {
        self.0.finished(end);
        self.1.finished(end);
    }
}

impl fmt::Display for Pick {
    /// For people: `complete 3`, `queue`, `fail UNAVAILABLE: why`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Choice::Complete(backend) | Choice::TrackedByPicker(backend) => {
                write!(f, "complete {backend}")
            }
            Choice::Tracked(call) => write!(f, "complete {}", call.backend()),
            Choice::Queue => write!(f, "queue"),
            Choice::Fail(status) => write!(f, "fail {status}"),
            Choice::Drop(status) => write!(f, "drop {status}"),
        }
    }
}
