//! The memory of tracked calls. It is reused, so that tracking a call soon allocates nothing.
//!
//! Each thread keeps a list of free boxes. If one thread picks and another sees the calls end,
//! boxes gather on the second. They go back in batches, through a queue that all threads share.
//!
//! Cost: a pop and a push on the thread's list; at most every 128th also uses the shared queue.
//!
//! Must not depend on: why a call is tracked.

use std::cell::RefCell;

use crossbeam_queue::ArrayQueue;

use super::tracked::TrackedCall;
use crate::sync::{Lazy, without_fork};

/// Reused memory with a tracked call in it.
///
/// Made by a pick, and owned by the host until the call ends, on any thread. Dropping it abandons
/// the call if it has not ended, and frees the memory for another call.
pub struct TrackedSlot(Option<Slot>);

type Slot = Box<Option<TrackedCall>>;

/// Boxes that move between a thread and the queue at once, so that the queue is used rarely. A
/// thread keeps up to twice as many.
const BATCH: usize = 128;

/// Batches in the queue: 8192 boxes. Further ones are given back to the allocator.
const MOST_BATCHES: usize = 64;

// Used in `without_fork` only: a fork during a push or a pop would leave the child a queue that
// waits for another thread.
static SPARE: Lazy<ArrayQueue<Vec<Slot>>> = Lazy::new(|| ArrayQueue::new(MOST_BATCHES));

struct Free(Vec<Slot>);

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free(Vec::new())) };
}

impl Free {
    fn pop(&mut self) -> Option<Slot> {
        if self.0.is_empty() {
            self.0 = without_fork(|| SPARE.pop())?;
        }
        self.0.pop()
    }

    /// Adds a box. May return others: drop them after the borrow of the thread's list ends.
    fn push(&mut self, boxed: Slot) -> Option<Vec<Slot>> {
        self.0.push(boxed);
        if self.0.len() <= 2 * BATCH {
            return None;
        }
        let batch = self.0.split_off(BATCH);
        without_fork(|| SPARE.push(batch)).err()
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        // The thread ends. Other threads can use its boxes.
        if !self.0.is_empty() {
            let boxes = std::mem::take(&mut self.0);
            let too_many = without_fork(|| SPARE.push(boxes));
            drop(too_many);
        }
    }
}

impl TrackedSlot {
    /// Puts a call into reused memory.
    pub fn new(call: TrackedCall) -> TrackedSlot {
        // There is no list while the thread ends.
        let free = FREE.try_with(|free| free.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut boxed = free.unwrap_or_default();
        *boxed = Some(call);
        TrackedSlot(Some(boxed))
    }

    /// The call.
    pub fn call(&self) -> &TrackedCall {
        self.0.as_ref().and_then(|boxed| boxed.as_ref().as_ref()).expect("full until it is dropped")
    }

    /// The call.
    pub fn call_mut(&mut self) -> &mut TrackedCall {
        self.0.as_mut().and_then(|boxed| boxed.as_mut().as_mut()).expect("full until it is dropped")
    }

    /// Gives up the box, which [`TrackedSlot::from_place`] takes back.
    pub fn into_place(mut self) -> Box<Option<TrackedCall>> {
        self.0.take().expect("full until it is dropped")
    }

    /// Takes back a box from [`TrackedSlot::into_place`].
    pub fn from_place(boxed: Box<Option<TrackedCall>>) -> TrackedSlot {
        TrackedSlot(Some(boxed))
    }
}

impl Drop for TrackedSlot {
    fn drop(&mut self) {
        let Some(mut boxed) = self.0.take() else { return };
        // End the call first, before the list is borrowed: its listener may track other calls.
        drop(boxed.take());
        let too_many = FREE.try_with(|free| free.try_borrow_mut().ok()?.push(boxed)).ok().flatten();
        drop(too_many);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed() -> Slot {
        Box::default()
    }

    #[test]
    fn another_thread_reuses_freed_memory() {
        let free_there = || {
            let mut free = Free(Vec::new());
            (0..2 * BATCH).for_each(|_| assert!(free.push(boxed()).is_none()));
            // One more than a thread keeps.
            free.push(boxed());
        };
        std::thread::spawn(free_there).join().unwrap();
        let mut here = Free(Vec::new());
        assert!(here.pop().is_some());
    }

    #[test]
    fn a_thread_keeps_no_more_than_two_batches() {
        let mut free = Free(Vec::new());
        let boxes = if cfg!(miri) { 3 * BATCH } else { 10 * BATCH * MOST_BATCHES };
        for _ in 0..boxes {
            free.push(boxed());
            assert!(free.0.len() <= 2 * BATCH);
        }
        assert!(SPARE.len() <= MOST_BATCHES);
    }
}
