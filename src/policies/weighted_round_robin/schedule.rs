//! The weights at one moment, and the scheduler of them.
//!
//! Cost to make: O(backends), or O(places) for a schedule by list.
//!
//! Must not depend on: where weights come from, pickers.

use std::sync::Arc;

use crate::endpoints::{Connection, PersistentVec};
use crate::load::StaticStride;
use crate::policies::round_robin::MAX_ARRAY_BACKENDS;

/// How often each backend is used.
#[derive(Clone)]
pub(super) struct Schedule {
    /// Whether its places are those of the list, where endpoints need not be READY. Otherwise it
    /// has only the READY backends, in the order of the list.
    pub(super) by_list: bool,
    /// The weights, by place in the schedule; 0: not known.
    pub(super) weights: Arc<[f32]>,
    /// `None` if all backends are used equally often.
    pub(super) scheduler: Option<StaticStride>,
}

impl Schedule {
    /// A schedule of these backends. `weight` gives the weight of a place in the list.
    /// `all_have_weights` says whether endpoints that are not READY have a weight, too.
    pub(super) fn new(
        backends: &PersistentVec<Connection>,
        all_have_weights: bool,
        weight: impl Fn(usize) -> f32,
    ) -> Schedule {
        let by_list = is_by_list(backends);
        let weights: Arc<[f32]> = if by_list {
            // The reports of a backend before it failed say nothing about it when it is READY
            // again.
            let has_weight = |place: usize| all_have_weights || backends.get(place).is_some();
            let places = 0..backends.slots();
            places.map(|place| if has_weight(place) { weight(place) } else { 0.0 }).collect()
        } else {
            backends.iter().map(|(place, _)| weight(place)).collect()
        };
        Schedule { by_list, scheduler: StaticStride::new(&weights), weights }
    }

    /// Whether other backends of the same list can be used by this schedule.
    pub(super) fn fits(&self, backends: &PersistentVec<Connection>) -> bool {
        self.by_list && is_by_list(backends)
    }
}

/// Many backends have a schedule by list, which stays valid when one of them comes or goes.
fn is_by_list(backends: &PersistentVec<Connection>) -> bool {
    backends.count() > MAX_ARRAY_BACKENDS
}
