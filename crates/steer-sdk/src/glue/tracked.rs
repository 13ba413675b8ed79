//! The state of one tracked call, behind one pointer, which the ABI passes as `state`. The pointer
//! leads to a box. Its first field holds the methods for the type of the rest.

use std::ffi::c_void;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::{CallEnd, CallTracker};

/// A tracker of any type, and the backend that its call goes to.
pub(crate) struct TrackedCall(NonNull<Head>);

// SAFETY: trackers are Send.
unsafe impl Send for TrackedCall {}

/// The part that all trackers have.
struct Head {
    methods: &'static Methods,
    backend: u64,
    /// The methods of the picker follow the call too.
    by_picker: bool,
}

/// The methods for one type of tracker. All take the head of a `Body` of that type.
struct Methods {
    started: unsafe fn(NonNull<Head>),
    /// Also frees the body.
    finished: unsafe fn(NonNull<Head>, &CallEnd<'_>),
    free: unsafe fn(NonNull<Head>),
}

/// `repr(C)`: the head comes first, so a pointer to the body is a pointer to the head.
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
            // SAFETY: a body of this type, from `TrackedCall::new`; the caller does not use it
            // again.
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
        // SAFETY: the head's own method; `&mut self` is the only borrow.
        unsafe { started(self.0) }
    }

    /// The call has ended.
    pub(crate) fn finished(self, end: &CallEnd<'_>) {
        let this = ManuallyDrop::new(self);
        let finished = this.head().methods.finished;
        // SAFETY: the head's own method; `self` is consumed.
        unsafe { finished(this.0, end) }
    }

    /// Returns the call as the ABI's `state`.
    pub(super) fn into_state(self) -> *mut c_void {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    /// # Safety
    /// `state` came from `into_state`. The result is the only owner; a hook that only borrows the
    /// call gives it back by `into_state`.
    pub(super) unsafe fn from_state(state: NonNull<c_void>) -> TrackedCall {
        TrackedCall(state.cast())
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        let free = self.head().methods.free;
        // SAFETY: the head's own method; `self` is not used again.
        unsafe { free(self.0) }
    }
}

impl fmt::Debug for TrackedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedCall").field("backend", &self.backend()).finish_non_exhaustive()
    }
}
