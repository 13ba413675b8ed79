//! What the engine asks of its host, until the host's owner takes it.
//!
//! Must not depend on: what becomes of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId};
use crate::policy::TimerId;
use crate::{Severity, Status};

/// What the engine asks of its host.
#[derive(Clone, Debug)]
pub enum Request {
    /// The engine made an endpoint. It waits for the first report of its state.
    New(EndpointId, Arc<EndpointDescriptor>),
    /// The endpoint shall connect.
    Connect(EndpointId),
    /// The endpoint shall forget its backoff.
    ResetBackoff(EndpointId),
    /// The engine dropped the endpoint.
    Drop(EndpointId),
    /// The policy published this state, and a picker: `VirtualHost::picker`.
    State(Connectivity, Status),
    /// The resolver shall resolve again.
    Reresolve,
    /// Wants a call of [`Runner::run`](crate::policy::Runner::run) soon.
    RunLater,
    /// Endpoints from now on shall report their load about once in this time. `None`: not at all.
    LoadReports(Option<Duration>),
    /// A timer shall end after this time.
    StartTimer(TimerId, Duration),
    /// A timer shall not end.
    CancelTimer(TimerId),
    /// A line for the log.
    Log(Severity, String),
}

/// The requests that the owner has not taken.
#[derive(Default)]
pub(super) struct Requests {
    /// Whether there are any. Saves the lock after picks, which rarely make one.
    any: AtomicBool,
    list: parking_lot::Mutex<Vec<Request>>,
}

impl Requests {
    pub(super) fn push(&self, request: Request) {
        let mut list = self.list.lock();
        list.push(request);
        // Relaxed: `take` sees it under the lock; a reader without it comes back.
        self.any.store(true, Ordering::Relaxed);
    }

    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, into: &mut Vec<Request>) {
        let mut list = self.list.lock();
        self.any.store(false, Ordering::Relaxed);
        into.append(&mut list);
    }
}
