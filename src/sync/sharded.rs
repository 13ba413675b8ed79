//! A value for each of a few groups of threads, so that threads that write at the same time write
//! to different cache lines. A reader goes through all of them.
//!
//! Cost: for a writer, a read of a thread-local, to find its value; for a reader, O(shards).
//!
//! Must not depend on: the values.

use super::slot::{assign_thread_slot, usual_slots};

/// The most shards: statistics are written less often than rotations, and each number has them.
/// 16 are 2 KiB of cache lines (128 bytes each).
const MOST_SHARDS: usize = 16;

/// Two cache lines: processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);

/// A value for each group of threads.
#[derive(Debug)]
pub struct Sharded<T> {
    /// Their number is a power of two.
    shards: Box<[Padded<T>]>,
}

impl<T> Sharded<T> {
    /// The usual number of shards on this machine, each made by `make`.
    pub fn new(make: impl FnMut() -> T) -> Sharded<T> {
        Sharded::with_shards(usual_slots().next_power_of_two().min(MOST_SHARDS), make)
    }

    /// `shards` is a power of two.
    fn with_shards(shards: usize, mut make: impl FnMut() -> T) -> Sharded<T> {
        Sharded { shards: (0..shards).map(|_| Padded(make())).collect() }
    }

    /// The value of the calling thread, which other threads may share. Takes a lock the first time
    /// that the thread needs its number.
    #[inline]
    pub fn mine(&self) -> &T {
        self.at(assign_thread_slot())
    }

    fn at(&self, slot: u32) -> &T {
        &self.shards[slot as usize & (self.shards.len() - 1)].0
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.shards.iter().map(|shard| &shard.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn the_values_of_all_threads_are_found() {
        let counters = Sharded::with_shards(4, || AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        counters.mine().fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let sum: u64 = counters.iter().map(|one| one.load(Ordering::Relaxed)).sum();
        assert_eq!(sum, 600);
        assert_ne!(std::ptr::from_ref(counters.at(1)), counters.at(2));
        assert!(std::ptr::eq(counters.at(1), counters.at(5)));
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;
    use crate::sync::atomic::{AtomicU64, Ordering};

    /// A sum never exceeds what was added, and has all of it in the end, whether or not two threads
    /// share a shard.
    #[test]
    fn nothing_is_lost() {
        loom::model(|| {
            let counters = Arc::new(Sharded::with_shards(2, || AtomicU64::new(0)));
            let sum = |counters: &Sharded<AtomicU64>| -> u64 {
                counters.iter().map(|one| one.load(Ordering::Relaxed)).sum()
            };
            let others: Vec<_> = [1, 3]
                .into_iter()
                .map(|slot| {
                    let counters = Arc::clone(&counters);
                    loom::thread::spawn(move || {
                        counters.at(slot).fetch_add(1, Ordering::Relaxed);
                    })
                })
                .collect();
            assert!(sum(&counters) <= 2);
            others.into_iter().for_each(|other| other.join().unwrap());
            assert_eq!(sum(&counters), 2);
        });
    }
}
