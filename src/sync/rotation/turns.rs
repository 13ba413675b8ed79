//! Whose turn it is: one state for all threads, and one for each thread that has to wait for
//! others.
//!
//! Successive turns are successive whichever threads take them, so that a retry goes to another
//! backend, and a burst of calls spreads evenly. All threads share one cell. A turn is a plain load
//! and store: two that coincide may be the same one, which is harmless.
//!
//! Threads that take turns without a pause would spend their time with passing the cell's cache
//! line around. A thread that finds the cell changed by others several times within a few hundred
//! nanoseconds each goes on by itself for a while, in a cell of its own. Threads that make calls do
//! not: a call takes longer.
//!
//! Must not depend on: what a state means.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::sync::Clock;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Turns of one thread that are closer together than this may compete with the others' turns. A
/// call of gRPC takes ten times as long, a turn that competes about a hundred nanoseconds.
const CLOSE: Duration = Duration::from_nanos(300);

/// So many close turns in a row do compete. A thread that starts several waiting calls at once does
/// not have as many.
const CLOSE_TURNS: u32 = 16;

/// How many turns a thread takes by itself. The next one costs up to the time of a hundred turns.
const TURNS_ALONE: u32 = 1024;

/// The state of the turns of all threads. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    shared: Arc<CachePadded<Shared>>,
    /// A power of two in number, so that a mask finds the cell of a thread slot.
    own: Arc<[CachePadded<Own>]>,
}

#[derive(Debug)]
struct Shared {
    state: AtomicU64,
    /// The thread slot that changed it last. 0: none has.
    thread: AtomicU32,
}

/// What a thread has for itself.
#[derive(Debug)]
struct Own {
    state: AtomicU64,
    /// The turns that it still takes alone.
    alone: AtomicU32,
    /// When it last found the shared state changed by others, in nanoseconds.
    met_others: AtomicU64,
    /// How often it did so shortly after the time before, in a row.
    close: AtomicU32,
}

impl Turns {
    /// Turns of all threads that begin with this state, and cells for at least this many of them.
    pub(super) fn new(state: u64, threads: usize) -> Turns {
        let own = |_| {
            CachePadded::new(Own {
                state: AtomicU64::new(state),
                alone: AtomicU32::new(0),
                met_others: AtomicU64::new(0),
                close: AtomicU32::new(0),
            })
        };
        Turns {
            shared: Arc::new(CachePadded::new(Shared {
                state: AtomicU64::new(state),
                thread: AtomicU32::new(0),
            })),
            own: (0..threads.next_power_of_two()).map(own).collect(),
        }
    }

    /// The state for the next turn of this thread, if it needs no look at the others: no other
    /// thread has taken a turn since its last one, or it takes turns alone.
    #[inline(always)]
    pub(super) fn usual(&self, thread: u32) -> Option<&AtomicU64> {
        // Relaxed, here and below: a turn orders nothing else.
        if self.shared.thread.load(Ordering::Relaxed) == thread {
            return Some(&self.shared.state);
        }
        let own = self.own(thread)?;
        let alone = own.alone.load(Ordering::Relaxed);
        if alone == 0 {
            return None;
        }
        own.alone.store(alone - 1, Ordering::Relaxed);
        Some(&own.state)
    }

    /// The state for the next turn of this thread, in every case.
    pub(super) fn of_thread(&self, thread: u32) -> &AtomicU64 {
        self.usual(thread).unwrap_or_else(|| self.after_others(thread))
    }

    /// Other threads have taken turns since the last one of this thread.
    #[cold]
    fn after_others(&self, thread: u32) -> &AtomicU64 {
        self.after_others_at(thread, Clock::global().nanos().get())
    }

    /// The same, at this time in nanoseconds.
    fn after_others_at(&self, thread: u32, now: u64) -> &AtomicU64 {
        let Some(own) = self.own(thread) else { return &self.shared.state };
        let before = own.met_others.swap(now, Ordering::Relaxed);
        let is_close = Duration::from_nanos(now.saturating_sub(before)) < CLOSE;
        let close = if is_close { own.close.load(Ordering::Relaxed) + 1 } else { 0 };
        if close >= CLOSE_TURNS {
            own.close.store(0, Ordering::Relaxed);
            // From where all threads are.
            own.state.store(self.shared.state.load(Ordering::Relaxed), Ordering::Relaxed);
            own.alone.store(TURNS_ALONE, Ordering::Relaxed);
            return &own.state;
        }
        own.close.store(close, Ordering::Relaxed);
        self.shared.thread.store(thread, Ordering::Relaxed);
        &self.shared.state
    }

    /// Always `Some`. An `Option`, because a panic here would make the usual path of a pick a
    /// little slower.
    #[inline(always)]
    fn own(&self, thread: u32) -> Option<&Own> {
        self.own.get(thread as usize & (self.own.len() - 1)).map(|own| &**own)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Takes a turn at this time in nanoseconds: a number after the other.
    fn turn(turns: &Turns, thread: u32, now: u64) -> u64 {
        let state = turns.usual(thread).unwrap_or_else(|| turns.after_others_at(thread, now));
        state.fetch_add(1, Ordering::Relaxed)
    }

    /// A time between turns that is just not close.
    const PAUSE: u64 = CLOSE.as_nanos() as u64;

    #[test]
    fn turns_of_threads_follow_each_other() {
        let turns = Turns::new(5, 4);
        for (number, thread) in [1, 2, 1, 1, 3, 2].repeat(20).into_iter().enumerate() {
            let number = number as u64;
            assert_eq!(turn(&turns, thread, (number + 1) * PAUSE), 5 + number);
        }
    }

    #[test]
    fn threads_that_compete_go_on_alone_for_a_while() {
        let turns = Turns::new(0, 4);
        // Both threads come to the cell in turn, every nanosecond. The first turn of each is not
        // close to one before it.
        let competing = u64::from(2 * CLOSE_TURNS);
        for number in 0..competing {
            assert_eq!(turn(&turns, 1 + number as u32 % 2, PAUSE + number), number);
        }
        // The first one now goes on by itself from where both were, and looks at no clock.
        // The other has the cell.
        for number in 0..=u64::from(TURNS_ALONE) {
            let state =
                turns.usual(1).unwrap_or_else(|| turns.after_others_at(1, PAUSE + competing));
            assert!(!std::ptr::eq(state, &turns.shared.state));
            assert_eq!(state.fetch_add(1, Ordering::Relaxed), competing + number);
        }
        assert_eq!(turn(&turns, 2, PAUSE + competing), competing);
        // And then together again.
        assert!(turns.usual(1).is_none());
        assert_eq!(turn(&turns, 1, 1_000 * PAUSE), competing + 1);
        assert_eq!(turn(&turns, 2, 1_001 * PAUSE), competing + 2);
    }

    #[test]
    fn one_thread_never_looks_at_the_clock() {
        let turns = Turns::new(0, 1);
        turn(&turns, 7, 0);
        for _ in 0..100 {
            assert!(turns.usual(7).is_some());
        }
        assert!(turns.usual(8).is_none());
    }
}
