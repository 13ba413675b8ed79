//! The state of one call, behind one pointer, so that it crosses as `state` of a tracked choice: a
//! box whose first field knows what the rest is.

use std::ffi::c_void;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::{CallEnd, CallTracker};

/// A tracker of whatever type, and the backend that its call goes to.
pub(crate) struct TrackedCall(NonNull<Head>);

// SAFETY: trackers are Send.
unsafe impl Send for TrackedCall {}

/// What is the same for all trackers.
struct Head {
    methods: &'static Methods,
    backend: u64,
    /// The picker itself wants to hear of the call too.
    by_picker: bool,
}

/// What depends on the tracker's type. All take a `Body` of that type.
struct Methods {
    started: unsafe fn(NonNull<Head>),
    /// Frees it.
    finished: unsafe fn(NonNull<Head>, &CallEnd<'_>),
    free: unsafe fn(NonNull<Head>),
}

/// `repr(C)`: the head comes first, so that a pointer to either is one to both.
#[repr(C)]
struct Body<T> {
    head: Head,
    tracker: T,
}

impl<T: CallTracker> Body<T> {
    const METHODS: Methods = Methods {
        started: |head| {
            // SAFETY: a body of this type, alive, and used by one thread at a time.
            let body = unsafe { head.cast::<Body<T>>().as_mut() };
            body.tracker.started();
        },
        finished: |head, end| {
            // SAFETY: a body of this type, from `TrackedCall::new`, given up by the caller.
            let body = unsafe { Box::from_raw(head.cast::<Body<T>>().as_ptr()) };
            body.tracker.finished(end);
        },
        free: |head| {
            // SAFETY: as for `finished`.
            drop(unsafe { Box::from_raw(head.cast::<Body<T>>().as_ptr()) });
        },
    };
}

impl TrackedCall {
    pub(crate) fn new<T: CallTracker>(backend: u64, by_picker: bool, tracker: T) -> TrackedCall {
        let head = Head { methods: &Body::<T>::METHODS, backend, by_picker };
        let body = Box::into_raw(Box::new(Body { head, tracker }));
        TrackedCall(NonNull::new(body).expect("a box is never NULL").cast())
    }

    fn head(&self) -> &Head {
        // SAFETY: alive until this is consumed.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn backend(&self) -> u64 {
        self.head().backend
    }

    pub(crate) fn by_picker(&self) -> bool {
        self.head().by_picker
    }

    /// The call starts.
    pub(crate) fn started(&mut self) {
        let started = self.head().methods.started;
        // SAFETY: the head's own method; alive, and borrowed by nobody else.
        unsafe { started(self.0) }
    }

    /// The call has ended.
    pub(crate) fn finished(self, end: &CallEnd<'_>) {
        let this = ManuallyDrop::new(self);
        let finished = this.head().methods.finished;
        // SAFETY: the head's own method; `self` is given up.
        unsafe { finished(this.0, end) }
    }

    /// For the engine to hand on.
    pub(super) fn into_state(self) -> *mut c_void {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    /// # Safety
    /// From `into_state`, and not taken back before; or only for the time of a hook, and then given
    /// back by `into_state`.
    pub(super) unsafe fn from_state(state: NonNull<c_void>) -> TrackedCall {
        TrackedCall(state.cast())
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        let free = self.head().methods.free;
        // SAFETY: the head's own method; this is the end of it.
        unsafe { free(self.0) }
    }
}

impl fmt::Debug for TrackedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedCall").field("backend", &self.backend()).finish_non_exhaustive()
    }
}
