//! The backends that are starting.
//!
//! Must not depend on: how they are slowed down.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;

use crate::endpoints::{EndpointDescriptor, EndpointId, Report};
use crate::sync::Handle;

/// A backend that is starting.
#[derive(Clone, Debug)]
pub(super) struct StartingBackend {
    endpoint: EndpointId,
    pub(super) descriptor: Arc<EndpointDescriptor>,
    /// Its connection.
    pub(super) connection: Handle,
    /// When it connected, by the host's clock.
    pub(super) since: Duration,
}

/// The backends of one channel that are starting.
#[derive(Debug, Default)]
pub(super) struct Starting {
    backends: Vec<StartingBackend>,
    /// All that are READY.
    ready: HashSet<EndpointId>,
}

impl Starting {
    /// The backends that are starting.
    pub(super) fn backends(&self) -> &[StartingBackend] {
        &self.backends
    }

    /// When the first of them connected, if there is no other READY backend. Backends that start
    /// together share the calls as always.
    pub(super) fn first_of_all(&self) -> Option<Duration> {
        let all_start = self.backends.len() >= self.ready.len();
        self.backends.iter().map(|backend| backend.since).min().filter(|_| all_start)
    }

    /// Takes a report. Returns whether the backends that are starting have changed.
    pub(super) fn reported(
        &mut self,
        endpoint: EndpointId,
        descriptor: &Arc<EndpointDescriptor>,
        report: &Report,
        now: Duration,
    ) -> bool {
        let before = self.backends.len();
        self.backends.retain(|backend| backend.endpoint != endpoint);
        let Report::Ready(connection) = report else {
            self.ready.remove(&endpoint);
            return self.backends.len() < before;
        };
        self.ready.insert(endpoint);
        self.backends.push(StartingBackend {
            endpoint,
            descriptor: Arc::clone(descriptor),
            connection: connection.handle(),
            since: now,
        });
        true
    }

    /// Forgets the endpoints that do not live any more.
    pub(super) fn retain(&mut self, lives: impl Fn(EndpointId) -> bool) {
        self.backends.retain(|backend| lives(backend.endpoint));
        self.ready.retain(|endpoint| lives(*endpoint));
    }

    /// Forgets the backends that have been connected for this time. Returns whether there were any.
    pub(super) fn finish(&mut self, window: Duration, now: Duration) -> bool {
        let before = self.backends.len();
        self.backends.retain(|backend| now.saturating_sub(backend.since) < window);
        self.backends.len() < before
    }
}
