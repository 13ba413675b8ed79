//! A READY backend as pickers see it that go by its calls: what is known of them, and what tracks
//! the next one.
//!
//! Must not know: what is learnt of calls, how a backend is chosen.

use std::sync::Arc;

use crate::calls::{CallCounters, CallListener, CallObserver, TrackedBackend};
use crate::endpoints::Connection;

/// A READY backend.
pub(super) struct Candidate<L> {
    pub(super) calls: Arc<CallCounters<L>>,
    pub(super) backend: Arc<TrackedBackend>,
}

// Derived, it would ask for a clone of what is learnt.
impl<L> Clone for Candidate<L> {
    fn clone(&self) -> Self {
        Candidate { calls: Arc::clone(&self.calls), backend: Arc::clone(&self.backend) }
    }
}

impl<L: CallObserver> Candidate<L> {
    /// The backend with this connection, whose calls these are.
    pub(super) fn new(connection: &Connection, calls: &Arc<CallCounters<L>>, place: usize) -> Self {
        let hooks = Arc::clone(calls) as Arc<dyn CallListener>;
        let backend = TrackedBackend::new(connection.clone(), hooks, place);
        Candidate { calls: Arc::clone(calls), backend }
    }

    /// Whether its calls are these.
    pub(super) fn is_of(&self, calls: &Arc<CallCounters<L>>) -> bool {
        Arc::ptr_eq(&self.calls, calls)
    }
}
