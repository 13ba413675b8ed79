//! The places of tracked calls, which are used again and again, so that tracking a call allocates nothing
//! once it has warmed up.
//!
//! Each thread keeps a list of free places. Where one thread picks and another one sees the calls end,
//! places gather with the latter: they go back in batches, by way of a queue that all threads share.
//!
//! Cost: a pop and a push on the thread's own list; every 128th may be one of the shared queue's.
//!
//! Must not know: what a call is tracked for.

use std::cell::RefCell;

use crossbeam_queue::ArrayQueue;

use super::tracked::TrackedCall;
use crate::sync::{Lazy, without_fork};

/// A place for a tracked call. Dropping it abandons the call, if it has not ended, and frees the place.
pub struct TrackedSlot(Option<Place>);

type Place = Box<Option<TrackedCall>>;

/// Places that change hands at once. A thread keeps up to twice as many.
const BATCH: usize = 128;

/// Batches that no thread has; what is more is given back to the allocator.
const MOST_BATCHES: usize = 64;

// A fork in the middle of a push or a pop would leave the child a place that it waits for.
static SPARE: Lazy<ArrayQueue<Vec<Place>>> = Lazy::new(|| ArrayQueue::new(MOST_BATCHES));

struct Free(Vec<Place>);

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free(Vec::new())) };
}

impl Free {
    fn pop(&mut self) -> Option<Place> {
        if self.0.is_empty() {
            self.0 = without_fork(|| SPARE.pop())?;
        }
        self.0.pop()
    }

    /// Takes a place in, and may give some out, which are to be dropped where nothing of the thread's
    /// is borrowed.
    fn push(&mut self, place: Place) -> Option<Vec<Place>> {
        self.0.push(place);
        if self.0.len() <= 2 * BATCH {
            return None;
        }
        let batch = self.0.split_off(BATCH);
        without_fork(|| SPARE.push(batch)).err()
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        // Their thread ends; those of others go on.
        if !self.0.is_empty() {
            let places = std::mem::take(&mut self.0);
            let too_many = without_fork(|| SPARE.push(places));
            drop(too_many);
        }
    }
}

impl TrackedSlot {
    /// Takes a place.
    pub fn new(call: TrackedCall) -> TrackedSlot {
        // At a thread's end there is no list.
        let free = FREE.try_with(|free| free.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut place = free.unwrap_or_default();
        *place = Some(call);
        TrackedSlot(Some(place))
    }

    /// The call in it.
    pub fn call(&self) -> &TrackedCall {
        self.0.as_ref().and_then(|place| place.as_ref().as_ref()).expect("full until it is dropped")
    }

    /// The call in it.
    pub fn call_mut(&mut self) -> &mut TrackedCall {
        self.0.as_mut().and_then(|place| place.as_mut().as_mut()).expect("full until it is dropped")
    }

    /// Gives the place out as a pointer that [`TrackedSlot::from_place`] takes back.
    pub fn into_place(mut self) -> Box<Option<TrackedCall>> {
        self.0.take().expect("full until it is dropped")
    }

    /// Takes back what [`TrackedSlot::into_place`] gave.
    pub fn from_place(place: Box<Option<TrackedCall>>) -> TrackedSlot {
        TrackedSlot(Some(place))
    }
}

impl Drop for TrackedSlot {
    fn drop(&mut self) {
        let Some(mut place) = self.0.take() else { return };
        // The call's end comes first: its hooks may track calls themselves.
        drop(place.take());
        let too_many = FREE.try_with(|free| free.try_borrow_mut().ok()?.push(place)).ok().flatten();
        drop(too_many);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Box::default()
    }

    #[test]
    fn what_one_thread_frees_another_one_takes() {
        let free_there = || {
            let mut free = Free(Vec::new());
            (0..2 * BATCH).for_each(|_| assert!(free.push(place()).is_none()));
            // One more than it may keep.
            free.push(place());
        };
        std::thread::spawn(free_there).join().unwrap();
        let mut here = Free(Vec::new());
        assert!(here.pop().is_some());
    }

    #[test]
    fn a_thread_keeps_no_more_than_two_batches() {
        let mut free = Free(Vec::new());
        let places = if cfg!(miri) { 3 * BATCH } else { 10 * BATCH * MOST_BATCHES };
        for _ in 0..places {
            free.push(place());
            assert!(free.0.len() <= 2 * BATCH);
        }
        assert!(SPARE.len() <= MOST_BATCHES);
    }
}
