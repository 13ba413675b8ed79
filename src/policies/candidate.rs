//! A READY backend with its calls, for pickers that choose by them.
//!
//! Must not depend on: what is learnt from calls, how a backend is chosen.

use std::sync::Arc;

use crate::calls::{CallCounters, CallListener, CallObserver, TrackedBackend, TrackedSlot};
use crate::endpoints::Connection;
use crate::policy::Pick;
use crate::sync::Handle;

/// A READY backend.
pub(super) struct Candidate<L> {
    pub(super) calls: Arc<CallCounters<L>>,
    /// Tracks the calls. Its listener is `calls`.
    pub(super) backend: Arc<TrackedBackend>,
}

// Not derived, because that would require `L: Clone`.
impl<L> Clone for Candidate<L> {
    fn clone(&self) -> Self {
        Candidate { calls: Arc::clone(&self.calls), backend: Arc::clone(&self.backend) }
    }
}

impl<L: CallObserver> Candidate<L> {
    /// The backend with this connection, at this place of the list.
    pub(super) fn new(connection: &Connection, calls: &Arc<CallCounters<L>>, place: usize) -> Self {
        let listener = Arc::clone(calls) as Arc<dyn CallListener>;
        let backend = TrackedBackend::new(connection.clone(), listener, place);
        Candidate { calls: Arc::clone(calls), backend }
    }

    /// Chooses it for a call.
    #[inline]
    pub(super) fn pick(&self) -> Pick<'static> {
        // The listener of `backend`, whose type is known here: saves 12 instructions.
        self.calls.add_pick();
        Pick::Tracked(TrackedSlot::of_known_call(&self.backend, Handle::from_number(0)))
    }

    /// Whether these are the counters of its calls.
    pub(super) fn has_calls(&self, calls: &Arc<CallCounters<L>>) -> bool {
        Arc::ptr_eq(&self.calls, calls)
    }
}
