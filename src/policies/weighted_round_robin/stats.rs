//! The weights and shares of the backends, for the statistics.
//!
//! Must not depend on: connections, where weights come from.

use std::sync::Arc;

use super::schedule::Schedule;
use crate::endpoints::{EndpointDescriptor, PersistentVec};
use crate::stats::{StatsSource, Table};

/// The schedule of the last picker.
pub(super) struct ScheduleStats {
    /// The list in use.
    pub(super) endpoints: Arc<[Arc<EndpointDescriptor>]>,
    /// The places of the picker's backends in the list.
    pub(super) backends: PersistentVec<()>,
    pub(super) schedule: Schedule,
}

impl StatsSource for ScheduleStats {
    fn describe(&self, table: &mut Table) {
        let Schedule { by_list, weights, scheduler } = &self.schedule;
        let shares: Vec<f64> = match scheduler {
            Some(scheduler) => scheduler.shares().collect(),
            None => vec![1.0; weights.len()],
        };
        // Each backend's place in the list, and in the schedule.
        let backends = || {
            let backends = self.backends.iter().enumerate();
            backends.map(|(number, (place, _))| (place, if *by_list { place } else { number }))
        };
        let sum: f64 = backends().map(|(_, scheduled)| shares[scheduled]).sum();
        for (place, scheduled) in backends() {
            if let Some(row) = table.row(&self.endpoints[place].addresses) {
                let weight = f64::from(weights[scheduled]);
                row.weight = (weight > 0.0).then_some(weight);
                row.share = Some(shares[scheduled] / sum);
            }
        }
    }
}
