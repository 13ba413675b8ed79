//! The memory of tracked calls. It is reused, so that tracking a call soon allocates nothing.
//!
//! Each thread keeps a list of free boxes. If one thread picks and another sees the calls end,
//! boxes gather on the second. They go back in batches, through a queue that all threads share.
//!
//! Cost: a pop and a push on the thread's list; at most every 128th also uses the shared queue.
//!
//! Must not depend on: why a call is tracked.

use std::cell::RefCell;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::tracked::{TrackedBackend, TrackedCall};
use crate::sync::{GiveBack, Handle, Lazy, Returned, without_fork};

/// Reused memory with a tracked call in it.
///
/// Made by a pick, and owned by the host until the call ends, on any thread. Dropping it abandons
/// the call if it has not ended, and frees the memory for another call.
pub struct TrackedSlot(Returned<Slot>);

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
    /// A box of this thread. `None`: [`Free::refill`] first.
    #[inline]
    fn pop(&mut self) -> Option<Slot> {
        self.0.pop()
    }

    /// Takes boxes that other threads have given up. The list is empty.
    #[cold]
    fn refill(&mut self) {
        if let Some(boxes) = without_fork(|| SPARE.pop()) {
            self.0 = boxes;
        }
    }

    /// Adds a box.
    #[inline]
    fn push(&mut self, boxed: Slot) {
        self.0.push(boxed);
    }

    /// Whether the next thing to do is [`Free::give_up`].
    #[inline]
    fn is_full(&self) -> bool {
        self.0.len() > 2 * BATCH
    }

    /// Gives boxes up to other threads. May return them: drop them after the borrow of the thread's
    /// list ends.
    #[cold]
    fn give_up(&mut self) -> Option<Vec<Slot>> {
        let batch = self.0.split_off(BATCH);
        without_fork(|| SPARE.push(batch)).err()
    }
}

/// Memory for a call.
#[inline]
fn take() -> Slot {
    // There is no list while the thread ends.
    let free = FREE.try_with(|free| free.try_borrow_mut().ok()?.pop());
    free.ok().flatten().unwrap_or_else(take_slowly)
}

#[cold]
fn take_slowly() -> Slot {
    let free = FREE.try_with(|free| {
        let mut free = free.try_borrow_mut().ok()?;
        free.refill();
        free.pop()
    });
    free.ok().flatten().unwrap_or_default()
}

impl GiveBack for Slot {
    /// Ends the call, and frees the memory for another one.
    #[inline]
    fn give_back(mut self) {
        // First, before the list is borrowed: its listener may track other calls.
        *self = None;
        let pushed = FREE.try_with(|free| {
            let Ok(mut free) = free.try_borrow_mut() else { return false };
            free.push(self);
            free.is_full()
        });
        if pushed.is_ok_and(|is_full| is_full) {
            give_up();
        }
    }
}

#[cold]
fn give_up() {
    let too_many = FREE.try_with(|free| free.try_borrow_mut().ok()?.give_up()).ok().flatten();
    drop(too_many);
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
    /// A call to `backend`, picked now, in reused memory.
    #[inline]
    pub fn new(backend: &Arc<TrackedBackend>, state: Handle) -> TrackedSlot {
        backend.picked(state);
        TrackedSlot::of_known_call(backend, state)
    }

    /// [`TrackedSlot::new`], of a call that the listener of `backend` has been told of.
    #[inline]
    pub(crate) fn of_known_call(backend: &Arc<TrackedBackend>, state: Handle) -> TrackedSlot {
        let mut boxed = take();
        let former = boxed.replace(TrackedCall::of_known_call(backend, state));
        // There is none, so that nothing is to be dropped.
        std::mem::forget(former);
        TrackedSlot(Returned::new(boxed))
    }

    /// The call.
    #[inline]
    pub fn call(&self) -> &TrackedCall {
        self.0.as_ref().as_ref().expect(FULL)
    }

    /// The call.
    #[inline]
    pub fn call_mut(&mut self) -> &mut TrackedCall {
        self.0.as_mut().as_mut().expect(FULL)
    }

    /// Whether [`TrackedBackend::publish`] was called for the call's backend.
    #[inline]
    pub(crate) fn is_published(&self) -> bool {
        self.0.as_ref().as_ref().is_some_and(|call| call.backend().is_published())
    }

    /// Gives up the box, which [`TrackedSlot::from_place`] takes back.
    #[inline]
    pub fn into_place(self) -> Box<Option<TrackedCall>> {
        self.0.into_inner()
    }

    /// Takes back a box from [`TrackedSlot::into_place`].
    #[inline]
    pub fn from_place(boxed: Box<Option<TrackedCall>>) -> TrackedSlot {
        TrackedSlot(Returned::new(boxed))
    }
}

const FULL: &str = "full until it is dropped";

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
            (0..2 * BATCH).for_each(|_| free.push(boxed()));
            assert!(!free.is_full());
            // One more than a thread keeps.
            free.push(boxed());
            assert!(free.is_full());
            free.give_up();
        };
        std::thread::spawn(free_there).join().unwrap();
        let mut here = Free(Vec::new());
        assert!(here.pop().is_none());
        here.refill();
        assert!(here.pop().is_some());
    }

    #[test]
    fn a_thread_keeps_no_more_than_two_batches() {
        let boxes = if cfg!(miri) { 3 * BATCH } else { 10 * BATCH * MOST_BATCHES };
        for _ in 0..boxes {
            boxed().give_back();
            assert!(FREE.with(|free| free.borrow().0.len()) <= 2 * BATCH);
        }
        assert!(SPARE.len() <= MOST_BATCHES);
    }
}
