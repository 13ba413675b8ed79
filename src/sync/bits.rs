//! A set of numbers. Any thread inserts, one thread takes all out.
//!
//! Cost: an atomic operation to insert; a load for each 64 possible numbers to take all out.
//!
//! Must not depend on: the meaning of the numbers.

use super::atomic::{AtomicU64, Ordering};

/// A set of numbers below a bound.
// Relaxed everywhere: a thread that inserts then notifies the thread that drains (with a `Wake`),
// and that orders both.
#[derive(Debug, Default)]
pub struct Bits(Box<[AtomicU64]>);

impl Bits {
    /// An empty set of numbers below `bound`.
    pub fn new(bound: usize) -> Bits {
        let words = 0..bound.div_ceil(64);
        Bits(words.map(|_| AtomicU64::new(0)).collect())
    }

    /// Inserts a number. Returns `false` if it is there already.
    ///
    /// # Panics
    /// If it is not below the bound, rounded up to a multiple of 64.
    pub fn insert(&self, number: usize) -> bool {
        let bit = 1 << (number % 64);
        self.0[number / 64].fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Removes a number.
    ///
    /// # Panics
    /// As [`Bits::insert`].
    pub fn remove(&self, number: usize) {
        self.0[number / 64].fetch_and(!(1 << (number % 64)), Ordering::Relaxed);
    }

    /// Takes all numbers out, lowest first.
    pub fn drain(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            // Most words are empty, and are only read.
            let some = bits.load(Ordering::Relaxed) != 0;
            let mut taken = if some { bits.swap(0, Ordering::Relaxed) } else { 0 };
            std::iter::from_fn(move || {
                let bit = (taken != 0).then_some(taken.trailing_zeros())?;
                taken &= taken - 1;
                Some(word * 64 + bit as usize)
            })
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_taken_out_once() {
        let bits = Bits::new(200);
        let numbers = [0, 63, 64, 65, 127, 199];
        assert!(numbers.iter().rev().all(|number| bits.insert(*number)));
        assert!(numbers.iter().all(|number| !bits.insert(*number)));
        bits.remove(65);
        assert_eq!(bits.drain().collect::<Vec<_>>(), [0, 63, 64, 127, 199]);
        assert_eq!(bits.drain().next(), None);
        assert!(bits.insert(63));
        assert_eq!(Bits::new(0).drain().next(), None);
    }
}

#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc;

    use super::*;

    /// Each insert that returned `true` is drained once, by a drain at the same time or by the
    /// next.
    #[test]
    fn no_number_is_lost_or_taken_twice() {
        loom::model(|| {
            let bits = Arc::new(Bits::new(64));
            let others: Vec<_> = [3, 3]
                .into_iter()
                .map(|number| {
                    let bits = Arc::clone(&bits);
                    loom::thread::spawn(move || usize::from(bits.insert(number)))
                })
                .collect();
            let mut taken = bits.drain().count();
            let put: usize = others.into_iter().map(|other| other.join().unwrap()).sum();
            taken += bits.drain().count();
            assert_eq!(put, taken);
        });
    }
}
