//! Random numbers of this process alone.
//!
//! Many clients that start at once must not make the same choices, nor must the children of one
//! process. So each thread seeds its numbers with keys that the system gave to it, and the child of
//! a fork seeds those of its thread again. (The own seed of `fastrand` is a hash of the thread's
//! number and the time since the machine started. It is the same in two processes for which the
//! clock shows the same.)
//!
//! Cost: a thread-local load and store, and a multiplication. A thread's first number asks the
//! system for its keys.
//!
//! Must not depend on: what is chosen.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

thread_local! {
    /// The state of the generator. Without a destructor, because a pick may run on a thread whose
    /// thread-locals are destroyed.
    static STATE: Cell<u64> = Cell::new(seed(Instant::now()));
}

/// 64 random bits.
#[inline]
pub fn random() -> u64 {
    STATE.with(|state| {
        let mut numbers = fastrand::Rng::with_seed(state.get());
        let number = numbers.u64(..);
        state.set(numbers.get_seed());
        number
    })
}

/// Starts other numbers, in the child of a fork: its thread has the parent's state.
#[cfg(all(target_os = "linux", not(miri)))]
pub(super) fn restart_in_child() {
    STATE.set(seed(Instant::now()));
}

/// A thread that has existed before a fork has the parent's keys. The child has another process
/// number, and where the system reuses those, another time.
fn seed(now: Instant) -> u64 {
    RandomState::new().hash_one((std::process::id(), now))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_state() {
        STATE.set(1);
        let mut numbers = fastrand::Rng::with_seed(1);
        assert_eq!([random(), random()], [numbers.u64(..), numbers.u64(..)]);
    }

    #[test]
    fn threads_draw_different_numbers() {
        let draw = |_| std::thread::spawn(random);
        let threads: Vec<_> = (0..8).map(draw).collect();
        let mut drawn: Vec<u64> = threads.into_iter().map(|one| one.join().unwrap()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 8);
    }

    /// Clocks of clients that start at once may show the same.
    #[test]
    fn seeds_of_one_moment_differ() {
        let now = Instant::now();
        let [first, second] = [0; 2].map(|_| std::thread::spawn(move || seed(now)).join().unwrap());
        assert_ne!(first, second);
    }
}
