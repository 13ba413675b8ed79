//! Chooses a zone for each call, and lets the zone's picker choose the backend.
//!
//! Must not depend on: what the shares mean.

use std::sync::Arc;

use crate::calls::{Call, Wants};
use crate::policy::{GuardedPicker, Helper, Pick, Picker};

/// Chooses each zone with the probability of its share.
pub(super) struct ZonePicker {
    /// For each zone, the end of its part of all 64-bit numbers. The last one is the greatest.
    ends: Box<[u64]>,
    pickers: Box<[Arc<GuardedPicker>]>,
    wants: Wants,
    helper: Arc<dyn Helper>,
}

impl ZonePicker {
    /// A picker for these zones. Each share is above 0. There is at least one zone.
    pub(super) fn new(
        zones: Vec<(f64, Arc<GuardedPicker>)>,
        helper: &Arc<dyn Helper>,
    ) -> ZonePicker {
        let sum: f64 = zones.iter().map(|(share, _)| share).sum();
        let mut below = 0.0;
        let ends = zones.iter().map(|(share, _)| {
            below += share / sum;
            // Above the greatest number it becomes that.
            (below * u64::MAX as f64) as u64
        });
        let mut ends: Box<[u64]> = ends.collect();
        // Whatever the rounding: no number is above.
        ends[zones.len() - 1] = u64::MAX;
        let wants = zones.iter().map(|(_, picker)| picker.wants());
        let wants = wants.fold(Wants::default(), |all, wants| all.and(wants));
        let pickers = zones.into_iter().map(|(_, picker)| picker).collect();
        ZonePicker { ends, pickers, wants, helper: Arc::clone(helper) }
    }
}

impl Picker for ZonePicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let random = self.helper.random();
        let zone = self.ends.partition_point(|end| *end < random);
        self.pickers[zone].pick(call)
    }

    fn wants(&self) -> Wants {
        self.wants.clone()
    }
}
