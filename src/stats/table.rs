//! The table that the sources of one channel's statistics fill: a row for each backend.
//!
//! Must not depend on: who asks, the formats of a snapshot.

use std::collections::HashMap;
use std::time::Duration;

use super::snapshot::{BackendStats, ChannelStats};
use crate::endpoints::Connectivity;

/// The backends of one channel.
///
/// Made for a snapshot from the endpoints of the channel's record. Filled by the policy's
/// [`StatsSource`](super::StatsSource), on the thread that asked.
pub struct Table {
    now: Duration,
    calls_tracked: bool,
    rows: Vec<BackendStats>,
    /// The index of each row, by the addresses of its backend.
    by_addresses: HashMap<Vec<String>, usize>,
}

impl Table {
    /// A table of these endpoints, in the order in which they were made. Endpoints with the same
    /// addresses are one backend, which is READY if one of them is.
    pub(super) fn new<'a>(
        now: Duration,
        endpoints: impl Iterator<Item = (&'a [String], Connectivity)>,
    ) -> Table {
        let mut table =
            Table { now, calls_tracked: false, rows: Vec::new(), by_addresses: HashMap::new() };
        for (addresses, state) in endpoints {
            let row = table.entry(addresses, state);
            if state == Connectivity::Ready {
                row.state = state;
            }
        }
        table
    }

    /// The time of the snapshot, by the host's clock.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The row of the backend with these addresses. `None` if the policy has no such backend.
    pub fn row(&mut self, addresses: &[String]) -> Option<&mut BackendStats> {
        let index = self.by_addresses.get(addresses)?;
        Some(&mut self.rows[*index])
    }

    /// The row of the backend with these addresses. Makes one with this state if there is none: the
    /// policy may not have made its endpoint yet.
    pub fn entry(&mut self, addresses: &[String], state: Connectivity) -> &mut BackendStats {
        let index = match self.by_addresses.get(addresses) {
            Some(index) => *index,
            None => {
                self.by_addresses.insert(addresses.to_vec(), self.rows.len());
                self.rows.push(BackendStats::new(addresses, state));
                self.rows.len() - 1
            }
        };
        &mut self.rows[index]
    }

    /// Says that the policy tracks calls, even if there were none.
    pub fn calls_tracked(&mut self) {
        self.calls_tracked = true;
    }

    /// Says that the policy tracks calls, unless it has backends and counted calls for none.
    pub fn calls_tracked_if_known(&mut self) {
        let known = self.rows.iter().any(|row| row.picks.is_some());
        self.calls_tracked |= known || self.rows.is_empty();
    }

    /// Clears the counts and latencies of calls.
    pub fn forget_calls(&mut self) {
        for row in &mut self.rows {
            (row.picks, row.in_flight, row.abandoned) = (None, None, None);
            (row.finished, row.latency_seconds) = (None, None);
        }
    }

    /// Adds what a child of the policy knows. Of two children with the same backend, the first one
    /// counts.
    pub(super) fn add_child(&mut self, child: &ChannelStats) {
        self.calls_tracked |= child.calls_tracked;
        for backend in &child.backends {
            if let Some(row) = self.row(&backend.addresses) {
                row.complete_with(backend);
            }
        }
    }

    /// Whether calls are tracked, and the backends.
    pub(super) fn into_parts(self) -> (bool, Vec<BackendStats>) {
        (self.calls_tracked, self.rows)
    }
}
