//! The share of each backend, for the statistics.
//!
//! Must not depend on: connections, how calls are counted.

use std::sync::Arc;

use crate::endpoints::{Connectivity, EndpointDescriptor};
use crate::hashing::Ring;
use crate::stats::{StatsSource, Table};

/// The shares of all hashes that belong to each endpoint.
pub(super) struct RingShares {
    /// In the order of the ring's places.
    pub(super) endpoints: Arc<[Arc<EndpointDescriptor>]>,
    pub(super) ring: Arc<Ring>,
}

impl StatsSource for RingShares {
    fn describe(&self, table: &mut Table) {
        for (endpoint, share) in self.endpoints.iter().zip(self.ring.shares(self.endpoints.len())) {
            // An endpoint that the host has not made yet is IDLE.
            let row = table.entry(&endpoint.addresses, Connectivity::Idle);
            *row.share.get_or_insert(0.0) += share;
        }
    }
}
