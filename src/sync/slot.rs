//! A small number for each thread, so that threads can write to lines of their own.
//!
//! A thread takes the lowest free number at its first use and gives it back when it ends. So a
//! program that starts a thread per call keeps using the same few numbers, and what is counted
//! under them goes on instead of starting anew.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use parking_lot::Mutex;

const UNASSIGNED: u32 = u32::MAX;

/// Free numbers below `next`, lowest first.
struct Pool {
    free: BinaryHeap<Reverse<u32>>,
    next: u32,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: BinaryHeap::new(), next: 0 });

/// Gives the thread's number back when the thread ends.
struct Lease(u32);

impl Drop for Lease {
    fn drop(&mut self) {
        // A pick may still run on this thread after its thread-locals are gone: it then finds
        // no lease and shares number 0.
        SLOT.set(0);
        POOL.lock().free.push(Reverse(self.0));
    }
}

thread_local! {
    // Apart from the lease and without a destructor, so that reading it is one load.
    static SLOT: Cell<u32> = const { Cell::new(UNASSIGNED) };
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// The calling thread's number: unique among living threads, small, and reused. None when it has
/// no number yet.
#[inline(always)]
pub fn thread_slot() -> Option<u32> {
    let slot = SLOT.get();
    (slot != UNASSIGNED).then_some(slot)
}

/// The calling thread's number. Gives it one when it has none.
pub fn assign_thread_slot() -> u32 {
    thread_slot().unwrap_or_else(assign)
}

#[cold]
fn assign() -> u32 {
    let slot = {
        let mut pool = POOL.lock();
        match pool.free.pop() {
            Some(Reverse(slot)) => slot,
            None => {
                let slot = pool.next;
                pool.next += 1;
                slot
            }
        }
    };
    SLOT.set(slot);
    // When the thread is ending already, the lease is dropped at once and gives the number back.
    let _ = LEASE.try_with(|lease| lease.set(Some(Lease(slot))));
    SLOT.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_number_and_living_threads_differ() {
        let mine = assign_thread_slot();
        assert_eq!(thread_slot(), Some(mine));
        let other = std::thread::spawn(assign_thread_slot).join().unwrap();
        assert_ne!(other, mine);
    }

    #[test]
    fn numbers_of_ended_threads_are_reused() {
        let threads: u32 = if cfg!(miri) { 20 } else { 100 };
        let highest =
            (0..threads).map(|_| std::thread::spawn(assign_thread_slot).join().unwrap()).max();
        // Tests run beside each other, so a few numbers are taken, but not by ended threads.
        assert!(highest.unwrap() < threads / 2);
    }
}
