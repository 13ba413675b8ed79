//! Calls of which a picker wants to hear again: when they are picked and start, and how they end.
//!
//! Must not know: which policy listens, where metrics come from.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::runner::Shared;
use crate::Status;
use crate::endpoints::Connection;
use crate::sync::{Handle, get_or_init};

/// What a backend reported with a call.
///
/// Source: `xds.data.orca.v3.OrcaLoadReport`, gRFC A51; the numbers are its fields'.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metrics {
    /// Used share of the processors; may be above 1.
    #[prost(double, tag = "1")]
    pub cpu_utilization: f64,
    /// Used share of the memory.
    #[prost(double, tag = "2")]
    pub mem_utilization: f64,
    /// Calls per second, as older servers report them.
    #[prost(uint64, tag = "3")]
    pub rps: u64,
    /// What this call cost, by name.
    #[prost(btree_map = "string, double", tag = "4")]
    pub request_cost: BTreeMap<String, f64>,
    /// Used shares of resources, by name.
    #[prost(btree_map = "string, double", tag = "5")]
    pub utilization: BTreeMap<String, f64>,
    /// Calls per second that the backend serves.
    #[prost(double, tag = "6")]
    pub rps_fractional: f64,
    /// Errors per second that it answers with.
    #[prost(double, tag = "7")]
    pub eps: f64,
    /// The application's own, by name.
    #[prost(btree_map = "string, double", tag = "8")]
    pub named_metrics: BTreeMap<String, f64>,
    /// The application's own measure of its load; may be above 1.
    #[prost(double, tag = "9")]
    pub application_utilization: f64,
}

impl Metrics {
    /// Reads a serialised report; none when there is none, or what is there is not one.
    pub fn read(bytes: &[u8]) -> Option<Metrics> {
        if bytes.is_empty() {
            return None;
        }
        prost::Message::decode(bytes).ok()
    }

    /// Calls per second that the backend serves.
    pub fn qps(&self) -> f64 {
        if self.rps_fractional > 0.0 { self.rps_fractional } else { self.rps as f64 }
    }
}

/// How a tracked call ended.
#[derive(Clone, Debug)]
pub enum CallEnd<'a> {
    /// It ran.
    Finished {
        /// What it ended with.
        status: &'a Status,
        /// From its start to its end.
        latency: Duration,
        /// When it ended, by the host's clock.
        ended: Duration,
        /// What the backend reported with it.
        metrics: Option<&'a Metrics>,
    },
    /// It never started, or the channel gave up on it.
    Abandoned,
}

/// Who wants to hear of calls. Any thread, many at once.
pub trait CallHooks: Send + Sync {
    /// The backend with this place in the picker was picked for a call. Comes within the pick, and
    /// once for every call of which [`CallHooks::finished`] comes.
    fn picked(&self, _backend: usize, _state: Handle) {}

    /// That call starts.
    fn started(&self, _backend: usize, _state: Handle) {}

    /// It has ended: comes exactly once for each call that was picked, and last.
    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>);

    /// Whether it matters how long calls take. If not, their latency is said to be 0, and a look at the clock
    /// is saved. Asked once for each backend of a picker.
    fn wants_latency(&self) -> bool {
        true
    }
}

/// A backend whose calls are tracked, of one picker, or of several that a policy publishes one after another.
/// What a call holds of its picker, so that calls to different backends share no written cache line.
pub struct TrackedBackend {
    connection: Connection,
    hooks: Arc<dyn CallHooks>,
    place: usize,
    timed: bool,
    /// Known from the first pick on.
    published: OnceLock<Published>,
}

/// Of the picker, as it was published.
struct Published {
    /// Whose clock, and who counts faults of the hooks.
    shared: Arc<Shared>,
    /// Whose faults they are.
    generation: u64,
    wants_metrics: bool,
}

impl TrackedBackend {
    /// A backend with this place in its picker; `hooks` hear of its calls. For pickers of one policy alone, all of
    /// which want to know the same of a call's end.
    pub fn new(
        connection: Connection,
        hooks: Arc<dyn CallHooks>,
        place: usize,
    ) -> Arc<TrackedBackend> {
        let timed = hooks.wants_latency();
        Arc::new(TrackedBackend { connection, hooks, place, timed, published: OnceLock::new() })
    }

    /// What to send its calls over.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn publish(&self, shared: &Arc<Shared>, generation: u64, wants_metrics: bool) {
        get_or_init(&self.published, || Published {
            shared: Arc::clone(shared),
            generation,
            wants_metrics,
        });
    }

    fn now(&self) -> Duration {
        self.published.get().map_or(Duration::ZERO, |of| of.shared.now())
    }

    fn guarded(&self, place: &str, hook: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
            match self.published.get() {
                Some(of) => {
                    of.shared.data_plane_fault(place, panic, of.generation);
                }
                None => super::discard(panic),
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
    pub(super) fn backend(&self) -> &TrackedBackend {
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
