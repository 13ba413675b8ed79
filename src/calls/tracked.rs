//! Tracked calls: a picker hears when they are picked, when they start, and how they end.
//!
//! Must not depend on: which policy listens, where load reports come from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::context::CallContext;
use super::{CallEnd, CallListener, Metrics};
use crate::Status;
use crate::endpoints::Connection;
use crate::fault::discard;
use crate::sync::{Handle, get_or_init};

/// A backend whose calls are tracked, of one picker, or of several that a policy publishes one after another.
/// What a call holds of its picker, so that calls to different backends share no written cache line.
pub struct TrackedBackend {
    connection: Connection,
    hooks: Arc<dyn CallListener>,
    place: usize,
    timed: bool,
    /// Known from the first pick on.
    published: OnceLock<Published>,
}

/// Of the picker, as it was published.
struct Published {
    /// The policy that the picker is of.
    context: Arc<dyn CallContext>,
    /// Whose faults they are.
    generation: u64,
    wants_metrics: bool,
}

impl TrackedBackend {
    /// A backend with this place in its picker; `hooks` hear of its calls. For pickers of one policy alone, all of
    /// which want to know the same of a call's end.
    pub fn new(
        connection: Connection,
        hooks: Arc<dyn CallListener>,
        place: usize,
    ) -> Arc<TrackedBackend> {
        let timed = hooks.wants_latency();
        Arc::new(TrackedBackend { connection, hooks, place, timed, published: OnceLock::new() })
    }

    /// What to send its calls over.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Tells the backend which policy its picker belongs to. `known` gives that policy, its
    /// generation, and whether the picker wants load reports; it is asked the first time only.
    #[inline]
    pub(crate) fn publish(&self, known: impl FnOnce() -> (Arc<dyn CallContext>, u64, bool)) {
        get_or_init(&self.published, || {
            let (context, generation, wants_metrics) = known();
            Published { context, generation, wants_metrics }
        });
    }

    fn now(&self) -> Duration {
        self.published.get().map_or(Duration::ZERO, |of| of.context.now())
    }

    fn guarded(&self, place: &str, hook: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
            match self.published.get() {
                Some(of) => {
                    of.context.data_plane_fault(place, panic, of.generation);
                }
                None => discard(panic),
            }
        }
    }
}

/// One call, from its pick to its end. Dropping it abandons the call.
pub struct TrackedCall {
    backend: Arc<TrackedBackend>,
    /// For the hooks.
    state: Handle,
    /// By the host's clock.
    started: Option<Duration>,
    ended: bool,
}

impl TrackedCall {
    /// A call to `backend`, picked now.
    pub fn new(backend: &Arc<TrackedBackend>, state: Handle) -> TrackedCall {
        backend.hooks.picked(backend.place, state);
        TrackedCall { backend: Arc::clone(backend), state, started: None, ended: false }
    }

    /// The backend that it goes to.
    pub(crate) fn backend(&self) -> &TrackedBackend {
        &self.backend
    }

    /// Whether the picker wants to know what the backend reports with the call's end.
    pub fn wants_metrics(&self) -> bool {
        self.backend.published.get().is_some_and(|of| of.wants_metrics)
    }

    /// What to send the call over.
    pub fn connection(&self) -> &Connection {
        &self.backend.connection
    }

    /// The call starts. Only the first time counts.
    pub fn start(&mut self) {
        if self.started.is_none() && !self.ended {
            let now = if self.backend.timed { self.backend.now() } else { Duration::ZERO };
            self.started = Some(now);
            let TrackedBackend { hooks, place, .. } = &*self.backend;
            self.backend.guarded("call_started", || hooks.started(*place, self.state));
        }
    }

    /// The call has ended. Only the first time counts.
    pub fn finish(&mut self, status: &Status, metrics: Option<&Metrics>) {
        // Hosts may not know of a start that is nothing but the pick.
        self.start();
        let ended = self.backend.now();
        let started = self.started.filter(|_| self.backend.timed).unwrap_or(ended);
        let latency = ended.saturating_sub(started);
        self.end(&CallEnd::Finished { status, latency, ended, metrics });
    }

    fn end(&mut self, end: &CallEnd<'_>) {
        if !std::mem::replace(&mut self.ended, true) {
            let TrackedBackend { hooks, place, .. } = &*self.backend;
            self.backend.guarded("call_finished", || hooks.finished(*place, self.state, end));
        }
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        self.end(&CallEnd::Abandoned);
    }
}
