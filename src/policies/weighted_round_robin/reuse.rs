//! How long a schedule by list serves other backends of its list.
//!
//! A schedule of many backends stays as it is when one comes or goes. So a report does not cost
//! what all backends do. It ends when it has served many pickers, when a backend comes that is
//! heavier than those that it was made for, or when so much weight has gone that picks would pass
//! over many backends.
//!
//! Cost: O(1) for each backend that came or went.
//!
//! Must not depend on: where weights come from, pickers.

use super::schedule::Schedule;
use crate::endpoints::{Connection, PersistentVec};
use crate::load::StaticStride;

/// A schedule of n backends serves up to n / 4 further pickers. So a report costs O(1) of the O(n)
/// that making one takes, and at most a quarter of the backends has come without a weight in it.
const BACKENDS_PER_REUSE: usize = 4;

/// A schedule with backends of more than ten times the mean ends when that limit has fallen by this
/// factor. Without one, each of them that goes would end it.
const CAP_SLACK: f64 = 1.25;

/// How long one schedule by list serves.
pub(super) struct Reuse {
    /// The pickers that it served after the first one.
    pickers: usize,
    /// The known weights of the READY backends.
    now: Known,
    /// The same, when the schedule was made.
    at_first: Known,
    /// The greatest weight of a READY backend at that time.
    greatest: f32,
    /// A backend has come that the schedule has no fitting weight for.
    outgrown: bool,
}

/// Several known weights.
#[derive(Clone, Copy, Default)]
struct Known {
    count: usize,
    sum: f64,
}

impl Known {
    fn mean(self) -> f64 {
        self.sum / self.count as f64
    }

    fn add(&mut self, weight: f32) {
        self.count += usize::from(weight > 0.0);
        self.sum += f64::from(weight);
    }

    fn remove(&mut self, weight: f32) {
        self.count -= usize::from(weight > 0.0);
        self.sum -= f64::from(weight);
    }
}

impl Reuse {
    /// For a new schedule of these backends.
    pub(super) fn new(schedule: &Schedule, backends: &PersistentVec<Connection>) -> Reuse {
        let (mut known, mut greatest) = (Known::default(), 0.0_f32);
        if schedule.by_list {
            for (place, _) in backends.iter() {
                known.add(schedule.weights[place]);
                greatest = greatest.max(schedule.weights[place]);
            }
        }
        let outgrown = !schedule.by_list;
        Reuse { pickers: 0, now: known, at_first: known, greatest, outgrown }
    }

    /// Takes the backends of the next picker. Returns whether the schedule serves them, too.
    pub(super) fn serves(
        &mut self,
        schedule: &Schedule,
        backends: &PersistentVec<Connection>,
        former: &PersistentVec<Connection>,
    ) -> bool {
        if self.outgrown || backends.slots() != former.slots() {
            return false;
        }
        backends.differences(former, |place, now, before| match (now, before) {
            (Some(_), None) => self.came(schedule, schedule.weights[place]),
            (None, Some(_)) => self.now.remove(schedule.weights[place]),
            _ => {}
        });
        self.pickers += 1;
        !self.outgrown
            && self.pickers <= backends.count() / BACKENDS_PER_REUSE
            && (schedule.scheduler.is_none() || self.fits())
    }

    fn came(&mut self, schedule: &Schedule, weight: f32) {
        self.outgrown |= weight > 0.0 && (schedule.scheduler.is_none() || weight > self.greatest);
        self.now.add(weight);
    }

    /// Whether a new schedule would have about the same scale, or one by which picks pass over
    /// more backends.
    fn fits(&self) -> bool {
        let cap = StaticStride::cap(self.at_first.mean(), self.greatest);
        let slack = if cap < self.greatest { CAP_SLACK } else { 1.0 };
        let cap_now = StaticStride::cap(self.now.mean(), f32::MAX);
        // With half of the sum gone, the rest is also less exact.
        self.now.count >= 2
            && self.now.sum * 2.0 >= self.at_first.sum
            && f64::from(cap_now) * slack >= f64::from(cap)
    }
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::sync::Handle;

    fn ready(backends: &mut PersistentVec<Connection>, place: usize, is_ready: bool) {
        let connection = || Connection::new(Handle::from_number(place), Arc::new(|_| {}));
        backends.set(place, is_ready.then(connection));
    }

    fn made(weights: &[f32], backends: &PersistentVec<Connection>) -> (Schedule, Reuse) {
        let schedule =
            Schedule::new(backends, |places| places.map(|(place, _)| weights[place]).collect());
        let reuse = Reuse::new(&schedule, backends);
        (schedule, reuse)
    }

    /// The mean steps of a pick by this schedule: the greatest weight over the mean of those that
    /// are READY.
    fn steps(schedule: &Schedule, backends: &PersistentVec<Connection>) -> f64 {
        let Some(scheduler) = &schedule.scheduler else { return 1.0 };
        let shares: Vec<f64> = scheduler.shares().collect();
        let ready: f64 = backends.iter().map(|(place, _)| shares[place]).sum();
        shares.iter().copied().fold(0.0, f64::max) * backends.count() as f64 / ready
    }

    /// At most ten, or if a new schedule has more, not many more.
    fn check_steps(weights: &[f32], schedule: &Schedule, backends: &PersistentVec<Connection>) {
        let now = steps(schedule, backends);
        let fresh = steps(&made(weights, backends).0, backends);
        assert!(now <= 10.01_f64.max(fresh * 1.3), "{now} steps, and {fresh} if made again");
    }

    const PLACES: usize = 1500;

    #[test]
    fn a_schedule_ends_when_the_heavy_backends_have_gone() {
        let weights: Vec<f32> = (0..PLACES).map(|i| if i < 100 { 1000.0 } else { 1.0 }).collect();
        let mut backends = PersistentVec::new(PLACES);
        (0..PLACES).for_each(|place| ready(&mut backends, place, true));
        let (mut schedule, mut reuse) = made(&weights, &backends);
        let mut schedules = 1;
        for place in 0..100 {
            let former = backends.clone();
            ready(&mut backends, place, false);
            if !reuse.serves(&schedule, &backends, &former) {
                (schedule, reuse) = made(&weights, &backends);
                schedules += 1;
            }
            check_steps(&weights, &schedule, &backends);
        }
        assert!((2..30).contains(&schedules), "{schedules} schedules");
        assert!(steps(&schedule, &backends) < 1.5);
    }

    /// Few backends are very heavy.
    fn kind() -> impl Strategy<Value = usize> {
        prop_oneof![1 => Just(0_usize), 8 => Just(1), 1 => Just(2), 1 => Just(3)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// As long as a schedule serves, picks have few steps, and no READY backend is heavier than
        /// those that it was made for.
        #[test]
        fn a_schedule_serves_as_long_as_it_fits(
            kinds in prop::collection::vec(kind(), PLACES),
            flips in prop::collection::vec(0..PLACES, 1..100),
        ) {
            let weight = |kind: &usize| [0.0, 1.0, 20.0, 3000.0][*kind];
            let weights: Vec<f32> = kinds.iter().map(weight).collect();
            let mut backends = PersistentVec::new(PLACES);
            (0..PLACES).for_each(|place| ready(&mut backends, place, place % 6 != 0));
            let (mut schedule, mut reuse) = made(&weights, &backends);
            for place in flips {
                let former = backends.clone();
                let is_ready = backends.get(place).is_some();
                ready(&mut backends, place, !is_ready);
                if !reuse.serves(&schedule, &backends, &former) {
                    (schedule, reuse) = made(&weights, &backends);
                }
                let greatest = backends.iter().map(|(place, _)| weights[place]).fold(0.0, f32::max);
                prop_assert!(greatest <= reuse.greatest);
                check_steps(&weights, &schedule, &backends);
            }
        }
    }
}
