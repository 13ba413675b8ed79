//! Tracked calls: a call listener learns when they are picked, when they start, and how they end.
//!
//! Must not depend on: which policy listens, where load reports come from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::context::CallContext;
use super::{CallEnd, CallListener, LoadReport, Metrics};
use crate::Status;
use crate::endpoints::Connection;
use crate::fault::discard;
use crate::sync::{Handle, get_or_init};

/// A backend whose calls are tracked.
///
/// Made by a policy, for one picker or several successive ones. Used on any thread. Each call holds
/// a reference to its backend and not to the picker: so calls to different backends share no
/// written cache line. Ends with the last of its pickers and calls.
pub struct TrackedBackend {
    connection: Connection,
    listener: Arc<dyn CallListener>,
    /// The backend's index in the picker.
    index: usize,
    /// Whether the listener needs latencies.
    timed: bool,
    /// Set at the first pick.
    published: OnceLock<Published>,
}

/// What a published picker tells its backends.
struct Published {
    /// The policy of the picker.
    context: Arc<dyn CallContext>,
    /// The generation of the policy that faults count against.
    generation: u64,
    wants_metrics: bool,
}

impl TrackedBackend {
    /// A backend with this index in its picker. `listener` gets the events of its calls. All
    /// pickers that share it must belong to one policy, and must agree on whether they want load
    /// reports.
    pub fn new(
        connection: Connection,
        listener: Arc<dyn CallListener>,
        index: usize,
    ) -> Arc<TrackedBackend> {
        let timed = listener.wants_latency();
        Arc::new(TrackedBackend { connection, listener, index, timed, published: OnceLock::new() })
    }

    /// The connection of its calls.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sets the policy of the backend's picker. `values` returns the policy, its generation, and
    /// whether the picker wants load reports. It is called the first time only.
    #[inline]
    pub(crate) fn publish(&self, values: impl FnOnce() -> (Arc<dyn CallContext>, u64, bool)) {
        get_or_init(&self.published, || {
            let (context, generation, wants_metrics) = values();
            Published { context, generation, wants_metrics }
        });
    }

    fn now(&self) -> Duration {
        self.published.get().map_or(Duration::ZERO, |published| published.context.now())
    }

    /// Calls a hook of the listener. A panic counts as a fault of the policy.
    fn guarded(&self, place: &str, hook: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
            match self.published.get() {
                Some(published) => {
                    published.context.data_plane_fault(place, panic, published.generation);
                }
                None => discard(panic),
            }
        }
    }
}

/// One call, from its pick to its end.
///
/// Made by a pick. The host owns it, moves it between threads, and reports the call's start and
/// end. Dropping it abandons a call that has not ended.
pub struct TrackedCall {
    backend: Arc<TrackedBackend>,
    /// The picker's own data, passed to the listener.
    state: Handle,
    /// The time of the start, by the host's clock. `None` until then.
    started: Option<Duration>,
    ended: bool,
}

impl TrackedCall {
    /// A call to `backend`, picked now.
    pub fn new(backend: &Arc<TrackedBackend>, state: Handle) -> TrackedCall {
        backend.listener.picked(backend.index, state);
        TrackedCall { backend: Arc::clone(backend), state, started: None, ended: false }
    }

    /// The backend of the call.
    pub(crate) fn backend(&self) -> &TrackedBackend {
        &self.backend
    }

    /// Whether the picker wants the load report at the call's end.
    pub fn wants_metrics(&self) -> bool {
        self.backend.published.get().is_some_and(|published| published.wants_metrics)
    }

    /// The connection to send the call over.
    pub fn connection(&self) -> &Connection {
        &self.backend.connection
    }

    /// The call starts. Only the first time counts.
    pub fn start(&mut self) {
        if self.started.is_none() && !self.ended {
            let now = if self.backend.timed { self.backend.now() } else { Duration::ZERO };
            self.started = Some(now);
            let TrackedBackend { listener, index, .. } = &*self.backend;
            self.backend.guarded("call_started", || listener.started(*index, self.state));
        }
    }

    /// The call has ended. Only the first time counts.
    pub fn finish(&mut self, status: &Status, metrics: Option<&Metrics>) {
        self.finish_with(status, metrics.map(LoadReport::Decoded));
    }

    /// As [`TrackedCall::finish`], with a serialised load report. It is ignored if it is empty, or
    /// if the picker does not want it.
    pub fn finish_encoded(&mut self, status: &Status, report: &[u8]) {
        let wanted = !report.is_empty() && self.wants_metrics();
        self.finish_with(status, wanted.then_some(LoadReport::Encoded(report)));
    }

    /// The call has ended so, as another listener of the same call was told. A load report counts
    /// only if the picker wants it.
    pub(crate) fn finish_as(&mut self, end: &CallEnd<'_>) {
        if let CallEnd::Finished { status, metrics, .. } = end {
            let wanted = self.wants_metrics();
            self.finish_with(status, metrics.filter(|_| wanted));
        }
    }

    fn finish_with(&mut self, status: &Status, metrics: Option<LoadReport<'_>>) {
        // Some hosts do not report a start that follows the pick at once.
        self.start();
        let ended = self.backend.now();
        let started = self.started.filter(|_| self.backend.timed).unwrap_or(ended);
        let latency = ended.saturating_sub(started);
        self.end(&CallEnd::Finished { status, latency, ended, metrics });
    }

    fn end(&mut self, end: &CallEnd<'_>) {
        if !std::mem::replace(&mut self.ended, true) {
            let TrackedBackend { listener, index, .. } = &*self.backend;
            self.backend.guarded("call_finished", || listener.finished(*index, self.state, end));
        }
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        self.end(&CallEnd::Abandoned);
    }
}
