//! Calls of which a picker wants to hear again: when they start, and how they end.
//!
//! The object that follows a call comes from a list of free ones that each thread keeps, so that
//! tracking allocates nothing once it has warmed up.
//!
//! Must not know: which policy listens, where metrics come from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::runner::Shared;
use crate::Status;
use crate::endpoints::Connection;
use crate::sync::Handle;

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
        /// What the backend reported with it.
        metrics: Option<&'a Metrics>,
    },
    /// It never started, or the channel gave up on it.
    Abandoned,
}

/// Who wants to hear of calls. Any thread, many at once.
pub trait CallHooks: Send + Sync {
    /// A call to the backend with this place in the picker starts.
    fn started(&self, backend: usize, state: Handle);

    /// It has ended: comes exactly once for each call that was picked, and last.
    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>);
}

/// One call, from its pick to its end. Dropping it abandons the call.
pub struct TrackedCall {
    connection: Connection,
    hooks: Arc<dyn CallHooks>,
    backend: usize,
    state: Handle,
    /// By the host's clock.
    started: Option<Duration>,
    ended: bool,
    wants_metrics: bool,
    /// Whose clock, and who counts faults of the hooks, as those of this generation. None before the
    /// pick is published.
    shared: Option<(Arc<Shared>, u64)>,
}

impl TrackedCall {
    /// A call over `connection`, which has this place in the picker. `state` is for the hooks.
    pub fn new(
        connection: Connection,
        hooks: Arc<dyn CallHooks>,
        backend: usize,
        state: Handle,
    ) -> TrackedCall {
        TrackedCall {
            connection,
            hooks,
            backend,
            state,
            started: None,
            ended: false,
            wants_metrics: false,
            shared: None,
        }
    }

    pub(super) fn publish(&mut self, shared: &Arc<Shared>, generation: u64, wants_metrics: bool) {
        self.shared = Some((Arc::clone(shared), generation));
        self.wants_metrics = wants_metrics;
    }

    /// Whether the picker wants to know what the backend reports with the call's end.
    pub fn wants_metrics(&self) -> bool {
        self.wants_metrics
    }

    /// What to send the call over.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The call starts. Only the first time counts.
    pub fn start(&mut self) {
        if self.started.is_none() && !self.ended {
            self.started = Some(self.now());
            self.guarded("call_started", || self.hooks.started(self.backend, self.state));
        }
    }

    /// The call has ended. Only the first time counts.
    pub fn finish(&mut self, status: &Status, metrics: Option<&Metrics>) {
        // Hosts may not know of a start that is nothing but the pick.
        self.start();
        let latency = self.now().saturating_sub(self.started.unwrap_or_default());
        self.end(&CallEnd::Finished { status, latency, metrics });
    }

    fn end(&mut self, end: &CallEnd<'_>) {
        if !std::mem::replace(&mut self.ended, true) {
            self.guarded("call_finished", || self.hooks.finished(self.backend, self.state, end));
        }
    }

    fn now(&self) -> Duration {
        self.shared.as_ref().map_or(Duration::ZERO, |(shared, _)| shared.now())
    }

    fn guarded(&self, place: &str, hook: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
            match &self.shared {
                Some((shared, generation)) => {
                    shared.data_plane_fault(place, panic, *generation);
                }
                None => super::discard(panic),
            }
        }
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        self.end(&CallEnd::Abandoned);
    }
}

/// A place for a tracked call, taken from the calling thread's free ones.
pub struct TrackedSlot(Option<Box<Option<TrackedCall>>>);

/// Free places that a thread keeps at most.
const MOST_FREE: usize = 256;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    static FREE: RefCell<Vec<Box<Option<TrackedCall>>>> = const { RefCell::new(Vec::new()) };
}

impl TrackedSlot {
    /// Takes a place.
    pub fn new(call: TrackedCall) -> TrackedSlot {
        let free = FREE.try_with(|free| free.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut place = free.unwrap_or_default();
        *place = Some(call);
        TrackedSlot(Some(place))
    }

    /// The call in it.
    pub fn call(&self) -> &TrackedCall {
        self.0.as_ref().and_then(|place| place.as_ref().as_ref()).expect("full until it is dropped")
    }

    /// The call in it.
    pub fn call_mut(&mut self) -> &mut TrackedCall {
        self.0.as_mut().and_then(|place| place.as_mut().as_mut()).expect("full until it is dropped")
    }

    /// Gives the place out as a pointer that [`TrackedSlot::from_place`] takes back.
    pub fn into_place(mut self) -> Box<Option<TrackedCall>> {
        self.0.take().expect("full until it is dropped")
    }

    /// Takes back what [`TrackedSlot::into_place`] gave.
    pub fn from_place(place: Box<Option<TrackedCall>>) -> TrackedSlot {
        TrackedSlot(Some(place))
    }
}

impl Drop for TrackedSlot {
    fn drop(&mut self) {
        let Some(mut place) = self.0.take() else { return };
        // The call's end comes first: its hooks may track calls themselves.
        drop(place.take());
        // At a thread's end there is no list, and the place goes.
        let _ = FREE.try_with(|free| {
            if let Ok(mut free) = free.try_borrow_mut() {
                if free.len() < MOST_FREE {
                    free.push(place);
                }
            }
        });
    }
}
