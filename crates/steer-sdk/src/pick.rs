//! A picker's choice.
//!
//! Must not depend on: the ABI.

use std::fmt;

use crate::glue::TrackedCall;
use crate::{Backend, CallEnd, Status};

/// A picker's choice for one call: a backend, or to wait, fail or drop the call.
///
/// ```
/// use steer_sdk::{Pick, Status};
///
/// fn no_key() -> Pick {
///     Pick::fail(Status::unavailable("the call has no key"))
/// }
/// # no_key();
/// ```
#[must_use = "a choice takes effect only when `pick` returns it"]
#[derive(Debug)]
pub struct Pick(pub(crate) Choice);

/// The content of a [`Pick`]: two words, a tag and its value.
#[derive(Debug)]
pub(crate) enum Choice {
    Complete(u64),
    /// Leave the call to a child.
    Child(u64),
    Queue,
    Fail(Box<Status>),
    Drop(Box<Status>),
    Tracked(TrackedCall),
    /// Complete, and follow the call by the methods of [`crate::Picker`].
    TrackedByPicker(u64),
}

/// Marks the number of a tracked call that is left to a child.
pub(crate) const CHILD: u64 = 1 << 63;

impl Pick {
    /// Sends the call to this backend, which is one of those that the picker was built for.
    #[inline(always)]
    pub fn complete<S>(backend: &Backend<S>) -> Pick {
        Pick(Choice::Complete(backend.index() as u64))
    }

    /// Leaves the call to the picker of a child: that with this index in
    /// [`PolicyHelper::publish_children`](crate::PolicyHelper::publish_children). If the choice is
    /// followed and the child sends the call to no backend, the call counts as abandoned at once.
    #[inline(always)]
    pub fn child(index: usize) -> Pick {
        Pick(Choice::Child(index as u64))
    }

    /// Lets the call wait for the next picker.
    #[inline]
    pub fn queue() -> Pick {
        Pick(Choice::Queue)
    }

    /// Fails the call. A call that waits for ready waits for the next picker instead.
    ///
    /// Codes that are reserved for applications and control planes become INTERNAL; see
    /// [`Code::is_for_data_plane`](crate::Code::is_for_data_plane).
    #[cold]
    pub fn fail(status: Status) -> Pick {
        Pick(Choice::Fail(Box::new(status)))
    }

    /// Fails the call even if it waits for ready, and without a retry.
    #[cold]
    pub fn drop(status: Status) -> Pick {
        Pick(Choice::Drop(Box::new(status)))
    }

    /// Follows the call with [`Picker::call_started`](crate::Picker::call_started) and
    /// [`Picker::call_finished`](crate::Picker::call_finished). Allocates nothing. Has an effect
    /// only on a choice of [`Pick::complete`].
    #[inline]
    pub fn tracked(self) -> Pick {
        match self.0 {
            Choice::Complete(backend) => Pick(Choice::TrackedByPicker(backend)),
            _ => self,
        }
    }

    /// Calls `hook` when the call has ended or was abandoned, exactly once if this choice is
    /// returned. A choice that does not send the call to a backend drops the hook.
    ///
    /// Allocates one box per call.
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

    /// Follows the call with a tracker, which can hold state of the call. If the choice is tracked
    /// already, both trackers are called, this one last. A choice that does not send the call to a
    /// backend drops the tracker.
    ///
    /// Allocates one box per call.
    pub fn track(self, tracker: impl CallTracker) -> Pick {
        match self.0 {
            Choice::Complete(backend) => {
                Pick(Choice::Tracked(TrackedCall::new(backend, false, tracker)))
            }
            Choice::Child(child) => {
                Pick(Choice::Tracked(TrackedCall::new(CHILD | child, false, tracker)))
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

/// Follows one call and holds its state. Its methods may be called on any thread, but never
/// overlap.
pub trait CallTracker: Send + 'static {
    /// The call starts. Not called for a call that was abandoned before it started.
    fn started(&mut self) {}

    /// The call has ended or was abandoned. Called exactly once for a choice that was returned.
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
            Choice::Tracked(call) if call.backend() & CHILD != 0 => {
                write!(f, "child {}", call.backend() & !CHILD)
            }
            Choice::Tracked(call) => write!(f, "complete {}", call.backend()),
            Choice::Child(child) => write!(f, "child {child}"),
            Choice::Queue => write!(f, "queue"),
            Choice::Fail(status) => write!(f, "fail {status}"),
            Choice::Drop(status) => write!(f, "drop {status}"),
        }
    }
}
