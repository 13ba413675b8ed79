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
    /// Whether its places are those of the list. Those that are not READY have weights for the
    /// time when they are, but do not count for the scale of the others. Otherwise it has only the
    /// READY backends, in the order of the list.
    pub(super) by_list: bool,
    /// The weights, by place in the schedule; 0: not known.
    pub(super) weights: Arc<[f32]>,
    /// `None` if all backends are used equally often.
    pub(super) scheduler: Option<StaticStride>,
}

impl Schedule {
    /// A schedule of these backends. `weights` gives the weights of places in the list, each with
    /// whether it is READY.
    pub(super) fn new(
        backends: &PersistentVec<Connection>,
        weights: impl FnOnce(&mut dyn Iterator<Item = (usize, bool)>) -> Arc<[f32]>,
    ) -> Schedule {
        let by_list = is_by_list(backends);
        let is_ready = |place: usize| backends.get(place).is_some();
        if by_list {
            let weights = weights(&mut (0..backends.slots()).map(|place| (place, is_ready(place))));
            let scheduler = StaticStride::of_some(&weights, is_ready);
            Schedule { by_list, weights, scheduler }
        } else {
            let weights = weights(&mut backends.iter().map(|(place, _)| (place, true)));
            Schedule { by_list, scheduler: StaticStride::new(&weights), weights }
        }
    }
}

/// Many backends have a schedule by list, which stays valid when one of them comes or goes.
pub(super) fn is_by_list(backends: &PersistentVec<Connection>) -> bool {
    backends.count() > MAX_ARRAY_BACKENDS
}
