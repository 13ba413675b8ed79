//! Room for calls: how many a backend may have in flight, next to the others.
//!
//! Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (arXiv 1608.01350): with a factor of
//! c, a backend takes a call only if it then has at most ⌈c · m / n⌉ of the m calls in flight on n backends. As c is at least 1,
//! there is always one that has room.
//!
//! A call takes its place by one compare-and-swap, so that threads which pick at the same time cannot fill a backend
//! beyond its bound together.
//!
//! Cost: two atomic operations on a line that all picks share, and one on the backend's, for a call; nothing without a
//! factor, as then nothing here is used.
//!
//! Must not know: how a backend is chosen, connections.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::calls::{CallEnd, CallObserver};
use crate::sync::atomic::{AtomicU64, Ordering};

/// The calls in flight of all backends together.
#[derive(Debug, Default)]
pub struct TotalInFlight(CachePadded<AtomicU64>);

/// One backend's calls in flight: what it has given away of its room.
#[derive(Debug)]
pub struct BackendCapacity {
    taken: AtomicU64,
    total: Arc<TotalInFlight>,
}

/// A call that looks for a backend. It counts already, and no more if it does not find one.
pub struct Arrival<'a> {
    total: &'a TotalInFlight,
    /// What a backend may have in flight with this call.
    limit: u64,
}

impl TotalInFlight {
    /// One more call, with this factor in percent, among so many backends.
    pub fn arrive(&self, percent: u32, backends: usize) -> Arrival<'_> {
        // Relaxed, here and below: nothing is published by a count, and a limit may be as old as the
        // call that it is for.
        let calls = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let limit = (u64::from(percent) * calls).div_ceil(100 * backends.max(1) as u64);
        Arrival { total: self, limit }
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn in_flight(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl BackendCapacity {
    /// Of a backend without calls.
    pub fn new(total: &Arc<TotalInFlight>) -> BackendCapacity {
        BackendCapacity { taken: AtomicU64::new(0), total: Arc::clone(total) }
    }

    /// How many calls are in flight.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Arrival<'_> {
    /// The call takes its place if this backend has room for it. What it has taken it gives back when it ends.
    pub fn take(self, room: &BackendCapacity) -> Result<(), Self> {
        let one_more = |taken| (taken < self.limit).then_some(taken + 1);
        if room.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
            return Err(self);
        }
        std::mem::forget(self);
        Ok(())
    }

    /// The call takes its place in any case.
    pub fn take_anyway(self, room: &BackendCapacity) {
        room.taken.fetch_add(1, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.total.leave();
    }
}

/// A call is picked after it has taken its place.
impl CallObserver for BackendCapacity {
    fn ended(&self, _end: &CallEnd<'_>) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
        self.total.leave();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_backend_has_room_for_its_share_rounded_up() {
        let total = Arc::new(TotalInFlight::default());
        let rooms = [
            BackendCapacity::new(&total),
            BackendCapacity::new(&total),
            BackendCapacity::new(&total),
        ];
        let taken = |percent, room: &BackendCapacity| total.arrive(percent, 3).take(room).is_ok();
        // The nth call, with a bound of 1.5 · n / 3 for each backend: 1, 1, 2, 2, 3, 3.
        assert!(taken(150, &rooms[0]));
        assert!(!taken(150, &rooms[0]) && taken(150, &rooms[1]));
        assert!(taken(150, &rooms[0]));
        assert!(!taken(150, &rooms[0]) && taken(150, &rooms[1]));
        assert!(taken(150, &rooms[0]));
        assert_eq!(rooms.each_ref().map(BackendCapacity::taken), [3, 2, 0]);
        assert_eq!(total.in_flight(), 5);
        for (room, calls) in rooms.iter().zip([3, 2, 0]) {
            (0..calls).for_each(|_| room.ended(&CallEnd::Abandoned));
        }
        assert_eq!(total.in_flight(), 0);
    }

    #[test]
    fn with_the_least_factor_there_is_always_room_somewhere() {
        let total = Arc::new(TotalInFlight::default());
        let rooms: Vec<BackendCapacity> = (0..7).map(|_| BackendCapacity::new(&total)).collect();
        for call in 1..100_u64 {
            let found = rooms.iter().any(|room| total.arrive(100, 7).take(room).is_ok());
            assert!(found && total.in_flight() == call);
            assert!(rooms.iter().all(|room| room.taken() <= call.div_ceil(7)));
        }
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// Two calls at once do not both take the one place that there is.
    #[test]
    fn a_place_is_taken_once() {
        loom::model(|| {
            let total = Arc::new(TotalInFlight::default());
            let rooms = Arc::new([BackendCapacity::new(&total), BackendCapacity::new(&total)]);
            let pick = move || {
                // One of the two is the second call to come, and may find a limit of 1.
                let arrival = total.arrive(100, 2);
                let limit = arrival.limit;
                let _ = arrival.take(&rooms[0]);
                assert!(rooms[0].taken() <= 1 && limit == 1);
            };
            let other = loom::thread::spawn(pick.clone());
            pick();
            other.join().unwrap();
        });
    }

    /// Whatever calls come and go at the same time, in the end nothing is taken.
    #[test]
    fn what_was_taken_is_given_back() {
        loom::model(|| {
            let total = Arc::new(TotalInFlight::default());
            let room = Arc::new(BackendCapacity::new(&total));
            let call = {
                let (total, room) = (Arc::clone(&total), Arc::clone(&room));
                move || match total.arrive(100, 1).take(&room) {
                    Ok(()) => room.ended(&CallEnd::Abandoned),
                    Err(arrival) => drop(arrival),
                }
            };
            let other = loom::thread::spawn(call.clone());
            call();
            other.join().unwrap();
            assert_eq!((room.taken(), total.in_flight()), (0, 0));
        });
    }
}
