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
        if backends.count() == 0 {
            return None;
        }
        let mut found = None;
        self.rotation.next_by(backends.slots(), |place, pass| {
            self.step_by_list(backends, place, pass, &mut found)
        });
        found
    }

    /// Looks at the first backend at this place or after it. Endpoints that have none cost no step.
    #[inline(always)]
    fn step_by_list<'a, T: Clone>(
        &self,
        backends: &'a PersistentVec<T>,
        place: usize,
        pass: u32,
        found: &mut Option<&'a T>,
    ) -> Step {
        match backends.next(place) {
            Some((place, backend)) if self.takes(place, pass) => {
                *found = Some(backend);
                Step::Take(place)
            }
            Some((place, _)) => Step::PassTo(place + 1),
            None => Step::PassTo(backends.slots()),
        }
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
        // Not `map_or`, which makes a `Pick::Queue` first, and drops it.
        match self.rotation.next(&self.backends) {
            Some(target) => target.pick(),
            None => Pick::Queue,
        }
    }

    fn wants(&self) -> Wants {
        Wants { metrics: T::WANTS_REPORTS, ..Wants::default() }
    }
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use std::sync::Arc;

    use super::super::schedule::Schedule;
    use super::*;
    use crate::sync::Handle;

    fn connection(number: usize) -> Connection {
        Connection::new(Handle::from_number(number), Arc::new(|_| {}))
    }

    /// The mean number of steps of a pick, if these places are READY and have these weights.
    fn steps(weights: &[f32], is_ready: impl Fn(usize) -> bool) -> f64 {
        let mut backends = PersistentVec::new(weights.len());
        for place in (0..weights.len()).filter(|place| is_ready(*place)) {
            backends.set(place, Some(connection(place)));
        }
        let schedule =
            Schedule::new(&backends, |places| places.map(|(place, _)| weights[place]).collect());
        assert!(schedule.by_list);
        let (scheduler, places) = (schedule.scheduler.clone(), None);
        let rotation = WeightedRotation::for_threads(1, 0);
        let rotation = BackendRotation { scheduler, rotation, places };
        let (picks, mut steps) = (20_000, 0);
        for _ in 0..picks {
            rotation.rotation.next_by(backends.slots(), |place, pass| {
                steps += 1;
                rotation.step_by_list(&backends, place, pass, &mut None)
            });
        }
        f64::from(steps) / f64::from(picks)
    }

    #[test]
    fn endpoints_that_are_not_ready_cost_a_pick_nothing() {
        let is_ready = |place| place % 50 == 0;
        // The others are lighter, as heavy, heavier.
        for other in [0.001, 1.0, 1000.0] {
            let weight = |place| if is_ready(place) { 1.0 } else { other };
            let weights: Vec<f32> = (0..60_000).map(weight).collect();
            let steps = steps(&weights, is_ready);
            // One more at the end of each pass.
            assert!(steps < 1.01, "{steps} steps beside endpoints of weight {other}");
        }
    }

    #[test]
    fn a_pick_has_at_most_ten_steps() {
        // A tenth of the READY backends has a weight far above the others.
        let weight = |place: usize| if place % 20 == 0 { 1000.0 } else { 1.0 };
        let weights: Vec<f32> = (0..4_000).map(weight).collect();
        let steps = steps(&weights, |place| place % 2 == 0);
        assert!((8.0..10.1).contains(&steps), "{steps}");
    }
}
