//! Bounded loads: how many calls a backend may have in flight, relative to the others.
//!
//! With a factor of c, a backend of weight w takes a call only if it then has at most
//! ⌈c · m · w / W⌉ of the m calls in flight on all backends, whose weights have the sum W. c is at
//! least 1, so there is always a backend that takes the call.
//!
//! A call is counted by one compare-and-swap. So threads that pick at the same time cannot exceed a
//! backend's limit together.
//!
//! Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (arXiv
//! 1608.01350). There all backends have the same weight, and the limit is ⌈c · m / n⌉.
//!
//! Cost of a call: two atomic operations on a cache line that all picks share, and one on a line of
//! the backend, with a division for each backend that it tries. A policy without a factor uses
//! nothing of this.
//!
//! Must not depend on: how a backend is chosen, connections.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::calls::{CallEnd, CallObserver};
use crate::sync::atomic::{AtomicU64, Ordering};

/// The number of calls in flight over all backends of a policy. Any thread.
#[derive(Debug, Default)]
pub struct TotalInFlight(CachePadded<AtomicU64>);

/// The number of calls in flight on one backend.
///
/// Made by a policy for each address, and shared with its pickers. Any thread, many at the same
/// time.
#[derive(Debug)]
pub struct BackendCapacity {
    in_flight: AtomicU64,
    /// Set by the policy, in the work serializer.
    weight: AtomicU64,
    total: Arc<TotalInFlight>,
}

/// A call that looks for a backend. It counts in the total. Dropping it takes it out again: then it
/// has found no backend.
pub struct Arrival<'a> {
    total: &'a TotalInFlight,
    /// All calls in flight, this one included, times the factor in percent.
    percent_of_calls: u64,
    /// The sum of the weights of all backends.
    weights: u64,
}

impl TotalInFlight {
    /// Counts one more call in the total. `percent` is the factor, `weights` the sum of the weights
    /// of all backends.
    pub fn arrive(&self, percent: u32, weights: u64) -> Arrival<'_> {
        // Relaxed, here and below: a count publishes no other memory, and the limit is allowed to
        // be as old as the call.
        let calls = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Arrival {
            total: self,
            percent_of_calls: u64::from(percent) * calls,
            weights: weights.max(1),
        }
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number of calls.
    pub fn in_flight(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl BackendCapacity {
    /// A backend of weight 1 without calls, which counts in `total`.
    pub fn new(total: &Arc<TotalInFlight>) -> BackendCapacity {
        let (in_flight, weight) = (AtomicU64::new(0), AtomicU64::new(1));
        BackendCapacity { in_flight, weight, total: Arc::clone(total) }
    }

    /// Changes the weight.
    pub fn set_weight(&self, weight: u64) {
        self.weight.store(weight, Ordering::Relaxed);
    }

    /// The number of calls.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }
}

impl Arrival<'_> {
    /// The most calls that this backend may have in flight, this one included.
    fn limit_of(&self, backend: &BackendCapacity) -> u64 {
        let weight = backend.weight.load(Ordering::Relaxed);
        let all = 100 * self.weights;
        match self.percent_of_calls.checked_mul(weight) {
            Some(share) => share.div_ceil(all),
            // A division of 128 bits takes several times as long. Great weights need it.
            None => {
                let share = u128::from(self.percent_of_calls) * u128::from(weight);
                u64::try_from(share.div_ceil(u128::from(all))).unwrap_or(u64::MAX)
            }
        }
    }

    /// Gives the call to this backend if it is below its limit. The end of the call is counted by
    /// [`BackendCapacity::ended`](CallObserver::ended).
    pub fn take(self, backend: &BackendCapacity) -> Result<(), Self> {
        let limit = self.limit_of(backend);
        let one_more = |calls| (calls < limit).then_some(calls + 1);
        if backend.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
            return Err(self);
        }
        std::mem::forget(self);
        Ok(())
    }

    /// Gives the call to this backend, whatever its limit.
    pub fn take_anyway(self, backend: &BackendCapacity) {
        backend.in_flight.fetch_add(1, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.total.leave();
    }
}

/// Does not count picks: [`Arrival::take`] has counted them.
impl CallObserver for BackendCapacity {
    fn ended(&self, _end: &CallEnd<'_>) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.total.leave();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_share_rounded_up() {
        let total = Arc::new(TotalInFlight::default());
        let backends = [
            BackendCapacity::new(&total),
            BackendCapacity::new(&total),
            BackendCapacity::new(&total),
        ];
        let taken =
            |percent, backend: &BackendCapacity| total.arrive(percent, 3).take(backend).is_ok();
        // The nth call has a limit of 1.5 · n / 3 for each backend: 1, 1, 2, 2, 3, 3.
        assert!(taken(150, &backends[0]));
        assert!(!taken(150, &backends[0]) && taken(150, &backends[1]));
        assert!(taken(150, &backends[0]));
        assert!(!taken(150, &backends[0]) && taken(150, &backends[1]));
        assert!(taken(150, &backends[0]));
        assert_eq!(backends.each_ref().map(BackendCapacity::in_flight), [3, 2, 0]);
        assert_eq!(total.in_flight(), 5);
        for (backend, calls) in backends.iter().zip([3, 2, 0]) {
            (0..calls).for_each(|_| backend.ended(&CallEnd::Abandoned));
        }
        assert_eq!(total.in_flight(), 0);
    }

    #[test]
    fn with_the_least_factor_some_backend_always_takes_the_call() {
        let total = Arc::new(TotalInFlight::default());
        let backends: Vec<BackendCapacity> = (0..7).map(|_| BackendCapacity::new(&total)).collect();
        for call in 1..100_u64 {
            let found = backends.iter().any(|backend| total.arrive(100, 7).take(backend).is_ok());
            assert!(found && total.in_flight() == call);
            assert!(backends.iter().all(|backend| backend.in_flight() <= call.div_ceil(7)));
        }
    }

    #[test]
    fn the_limit_follows_the_weight() {
        for scale in [1, 1_000_000, u64::from(u32::MAX)] {
            let total = Arc::new(TotalInFlight::default());
            let backends = [1, 2, 5].map(|weight| {
                let backend = BackendCapacity::new(&total);
                backend.set_weight(weight * scale);
                backend
            });
            // As many calls as the sum of the weights, each to the first backend with room.
            for _ in 0..800 {
                let arrive = || total.arrive(100, 8 * scale);
                assert!(backends.iter().any(|backend| arrive().take(backend).is_ok()));
            }
            let calls = backends.each_ref().map(BackendCapacity::in_flight);
            assert_eq!(calls, [100, 200, 500], "times {scale}");
        }
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Of two calls at the same time, a backend with a limit of 1 takes one.
    #[test]
    fn the_limit_holds_for_calls_at_the_same_time() {
        loom::model(|| {
            let total = Arc::new(TotalInFlight::default());
            let backends = Arc::new([BackendCapacity::new(&total), BackendCapacity::new(&total)]);
            let pick = move || {
                // The second call to arrive has a limit of 1, too.
                let arrival = total.arrive(100, 2);
                let limit = arrival.limit_of(&backends[0]);
                let _ = arrival.take(&backends[0]);
                assert!(backends[0].in_flight() <= 1 && limit == 1);
            };
            let other = loom::thread::spawn(pick.clone());
            pick();
            other.join().unwrap();
        });
    }

    /// When all calls have ended, none is in flight.
    #[test]
    fn ended_calls_are_no_longer_in_flight() {
        loom::model(|| {
            let total = Arc::new(TotalInFlight::default());
            let backend = Arc::new(BackendCapacity::new(&total));
            let call = {
                let (total, backend) = (Arc::clone(&total), Arc::clone(&backend));
                move || match total.arrive(100, 1).take(&backend) {
                    Ok(()) => backend.ended(&CallEnd::Abandoned),
                    Err(arrival) => drop(arrival),
                }
            };
            let other = loom::thread::spawn(call.clone());
            call();
            other.join().unwrap();
            assert_eq!((backend.in_flight(), total.in_flight()), (0, 0));
        });
    }
}
