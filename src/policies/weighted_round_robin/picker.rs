//! The data plane of `steer_weighted_round_robin`.
//!
//! Must not depend on: where weights come from, how reports become weights.

use super::weights::ReportingBackend;
use crate::calls::{Call, Wants};
use crate::endpoints::{Connection, PersistentVec};
use crate::load::StaticStride;
use crate::policy::{Pick, Picker};
use crate::sync::{Step, WeightedRotation};

/// Chooses the next backend of the calling thread.
pub(super) struct BackendRotation {
    /// `None` if all backends are used equally often.
    pub(super) scheduler: Option<StaticStride>,
    pub(super) rotation: WeightedRotation,
    /// The place in the list of each of the scheduler's places. `None` if they are the same; some
    /// of them may then have no backend.
    pub(super) places: Option<Box<[u32]>>,
}

impl BackendRotation {
    #[inline(always)]
    fn takes(&self, place: usize, pass: u32) -> bool {
        self.scheduler.as_ref().is_none_or(|scheduler| scheduler.takes(place, pass))
    }

    #[inline(always)]
    fn next<'a, T: Clone>(&self, backends: &'a PersistentVec<T>) -> Option<&'a T> {
        match &self.places {
            Some(places) => {
                let next = self.rotation.next(places.len(), |place, pass| self.takes(place, pass));
                backends.get(places[next] as usize)
            }
            None => self.next_by_list(backends),
        }
    }

    fn next_by_list<'a, T: Clone>(&self, backends: &'a PersistentVec<T>) -> Option<&'a T> {
        let places = backends.slots();
        let mut next = None;
        self.rotation.next_by(places, |place, pass| {
            if !self.takes(place, pass) {
                return Step::Pass;
            }
            next = backends.get(place);
            match next {
                Some(_) => Step::Take,
                None => Step::PassTo(backends.next(place).map_or(places, |(next, _)| next)),
            }
        });
        next
    }
}

/// What a picker has for each backend.
pub(super) trait PickTarget: Send + Sync {
    /// Whether the picker wants the load reports of its calls.
    const WANTS_REPORTS: bool;

    fn pick(&self) -> Pick<'_>;
}

impl PickTarget for Connection {
    const WANTS_REPORTS: bool = false;

    #[inline(always)]
    fn pick(&self) -> Pick<'_> {
        Pick::Complete(self)
    }
}

impl PickTarget for ReportingBackend {
    const WANTS_REPORTS: bool = true;

    #[inline(always)]
    fn pick(&self) -> Pick<'_> {
        Pick::tracked(&self.backend)
    }
}

pub(super) struct WeightedPicker<T> {
    pub(super) rotation: BackendRotation,
    /// By place in the list.
    pub(super) backends: PersistentVec<T>,
}

impl<T: Clone + PickTarget> Picker for WeightedPicker<T> {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        self.rotation.next(&self.backends).map_or(Pick::Queue, PickTarget::pick)
    }

    fn wants(&self) -> Wants {
        Wants { metrics: T::WANTS_REPORTS, ..Wants::default() }
    }
}
