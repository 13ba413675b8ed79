//! Tracked calls: a call listener learns when they are picked, when they start, and how they end.
//!
//! Must not depend on: which policy listens, where load reports come from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use super::context::CallContext;
use super::{CallEnd, CallListener, LoadReport, Metrics};
use crate::Status;
use crate::endpoints::Connection;
use crate::fault::{Panic, discard};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Clock, Handle, Nanos, get_or_init};

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
    /// Whether the listener needs to know when calls start.
    hears_start: bool,
    /// Whether one of these is so.
    needs_start: bool,
    /// Whether the listener needs to know of calls that end without a load report.
    hears_all: bool,
    /// Whether the clock of the policy is the engine's. Set at the first pick.
    engine_clock: AtomicBool,
    /// Whether a start is nothing but a reading of that clock.
    only_times_start: AtomicBool,
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
        let hears_all = !listener.wants_only_reports();
        let timed = hears_all && listener.wants_latency();
        let hears_start = hears_all && listener.wants_start();
        let needs_start = timed || hears_start;
        let [engine_clock, only_times_start] = [false; 2].map(AtomicBool::new);
        let published = OnceLock::new();
        Arc::new(TrackedBackend {
            connection,
            listener,
            index,
            timed,
            hears_start,
            needs_start,
            hears_all,
            engine_clock,
            only_times_start,
            published,
        })
    }

    /// The connection of its calls.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether [`TrackedBackend::publish`] was called.
    #[inline]
    pub(crate) fn is_published(&self) -> bool {
        self.published.get().is_some()
    }

    /// Sets the policy of the backend's picker. `values` returns the policy, its generation, and
    /// whether the picker wants load reports. It is called the first time only.
    #[inline]
    pub(crate) fn publish(&self, values: impl FnOnce() -> (Arc<dyn CallContext>, u64, bool)) {
        get_or_init(&self.published, || {
            let (context, generation, wants_metrics) = values();
            // Relaxed: whoever sees the former values asks `published`.
            let engine_clock = context.has_engine_clock();
            self.engine_clock.store(engine_clock, Ordering::Relaxed);
            let only_times_start = engine_clock && self.timed && !self.hears_start;
            self.only_times_start.store(only_times_start, Ordering::Relaxed);
            Published { context, generation, wants_metrics }
        });
    }

    /// A call is picked: tells the listener.
    #[inline]
    pub(super) fn picked(&self, state: Handle) {
        if self.hears_all {
            self.listener.picked(self.index, state);
        }
    }

    #[inline]
    fn now(&self) -> Nanos {
        // Relaxed: as in `publish`.
        if self.engine_clock.load(Ordering::Relaxed) {
            Clock::global().nanos()
        } else {
            self.now_of_policy()
        }
    }

    #[inline(never)]
    fn now_of_policy(&self) -> Nanos {
        self.published.get().map_or(Nanos::ZERO, |published| published.context.now().into())
    }

    /// Calls a hook of the listener. A panic counts as a fault of the policy.
    #[inline]
    fn guarded(&self, place: &str, hook: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
            self.failed(place, panic);
        }
    }

    #[cold]
    fn failed(&self, place: &str, panic: Panic) {
        match self.published.get() {
            Some(published) => {
                published.context.data_plane_fault(place, panic, published.generation);
            }
            None => discard(panic),
        }
    }
}

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Picked,
    Started,
    Ended,
}

/// One call, from its pick to its end.
///
/// Made by a pick. The host owns it, moves it between threads, and reports the call's start and
/// end. Dropping it abandons a call that has not ended.
pub struct TrackedCall {
    backend: Arc<TrackedBackend>,
    /// The picker's own data, passed to the listener.
    state: Handle,
    /// The time of the start, by the host's clock. 0 before it, and if nobody needs it.
    started: Nanos,
    phase: Phase,
}

impl TrackedCall {
    /// A call to `backend`, picked now.
    #[inline]
    pub fn new(backend: &Arc<TrackedBackend>, state: Handle) -> TrackedCall {
        backend.picked(state);
        TrackedCall::of_known_call(backend, state)
    }

    /// [`TrackedCall::new`], if the listener has been told of the call.
    #[inline]
    pub(super) fn of_known_call(backend: &Arc<TrackedBackend>, state: Handle) -> TrackedCall {
        let (backend, started) = (Arc::clone(backend), Nanos::ZERO);
        TrackedCall { backend, state, started, phase: Phase::Picked }
    }

    /// The backend of the call.
    #[inline]
    pub(crate) fn backend(&self) -> &TrackedBackend {
        &self.backend
    }

    /// Whether the picker wants the load report at the call's end.
    pub fn wants_metrics(&self) -> bool {
        self.backend.published.get().is_some_and(|published| published.wants_metrics)
    }

    /// The connection to send the call over.
    #[inline]
    pub fn connection(&self) -> &Connection {
        &self.backend.connection
    }

    /// The call starts. Only the first time counts.
    #[inline]
    pub fn start(&mut self) {
        if self.phase == Phase::Picked {
            self.phase = Phase::Started;
            if !self.backend.needs_start {
                return;
            }
            // Relaxed: as in `publish`.
            if self.backend.only_times_start.load(Ordering::Relaxed) {
                // Saves 15 instructions of `report_start`.
                if let Some(now) = Clock::global().quick_nanos() {
                    self.started = now;
                    return;
                }
            }
            self.report_start();
        }
    }

    // Not inlined, so that nothing is saved for it where nobody listens.
    #[inline(never)]
    fn report_start(&mut self) {
        let backend = &*self.backend;
        if backend.timed {
            self.started = backend.now();
        }
        if backend.hears_start {
            self.tell_start();
        }
    }

    // Not inlined, so that nothing is saved for it where only the time is needed.
    #[inline(never)]
    fn tell_start(&self) {
        let backend = &*self.backend;
        let hook = || backend.listener.started(backend.index, self.state);
        backend.guarded("call_started", hook);
    }

    /// The call has ended. Only the first time counts.
    #[inline]
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

    #[inline]
    fn finish_with(&mut self, status: &Status, metrics: Option<LoadReport<'_>>) {
        if self.phase == Phase::Ended {
            return;
        }
        if self.backend.hears_all || metrics.is_some() {
            self.report_finish(status, metrics);
        } else {
            self.phase = Phase::Ended;
        }
    }

    #[inline(never)]
    fn report_finish(&mut self, status: &Status, metrics: Option<LoadReport<'_>>) {
        // Some hosts do not report a start that follows the pick at once.
        self.start();
        let (mut latency, mut ended) = (Nanos::ZERO, Nanos::ZERO);
        if self.backend.timed {
            ended = self.backend.now();
            latency = ended.since(self.started);
        } else if metrics.is_some() {
            ended = self.backend.now();
        }
        self.end(&CallEnd::Finished { status, latency, ended, metrics });
    }

    #[cold]
    fn abandon(&mut self) {
        if self.backend.hears_all {
            self.end(&CallEnd::Abandoned);
        }
    }

    #[inline]
    fn end(&mut self, end: &CallEnd<'_>) {
        self.phase = Phase::Ended;
        let backend = &*self.backend;
        let hook = || backend.listener.finished(backend.index, self.state, end);
        backend.guarded("call_finished", hook);
    }
}

impl Drop for TrackedCall {
    #[inline]
    fn drop(&mut self) {
        if self.phase != Phase::Ended {
            self.abandon();
        }
    }
}
