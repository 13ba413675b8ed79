//! A value that goes back to where it came from when its owner drops it.
//!
//! An `Option` that the destructor takes it out of would do the same, and every use of the value
//! would check it.
//!
//! Must not depend on: the value, where it goes.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// A value that has a place to go back to.
pub trait GiveBack: Sized {
    /// Takes the value back.
    fn give_back(self);
}

/// Owns a value, and gives it back when it is dropped.
#[derive(Debug)]
pub struct Returned<T: GiveBack>(ManuallyDrop<T>);

impl<T: GiveBack> Returned<T> {
    /// Owns this value.
    #[inline]
    pub fn new(value: T) -> Returned<T> {
        Returned(ManuallyDrop::new(value))
    }

    /// The value, which is not given back.
    #[inline]
    pub fn into_inner(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: the value is taken once: `this` is a `ManuallyDrop`, so `drop` below never runs
        // for it, and it is not used again.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T: GiveBack> Deref for Returned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: GiveBack> DerefMut for Returned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: GiveBack> Drop for Returned<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the value is taken once: the compiler runs `drop` at most once, and nothing uses
        // `self` after it. `into_inner` takes the value only of an owner that is never dropped.
        let value = unsafe { ManuallyDrop::take(&mut self.0) };
        value.give_back();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Counted<'a>(Box<u32>, &'a Cell<u32>);

    impl GiveBack for Counted<'_> {
        fn give_back(self) {
            self.1.set(self.1.get() + *self.0);
        }
    }

    #[test]
    fn a_value_is_given_back_once_unless_it_is_taken_out() {
        let sum = Cell::new(0);
        let mut owner = Returned::new(Counted(Box::new(1), &sum));
        *owner.0.0 = 2;
        drop(owner);
        assert_eq!(sum.get(), 2);
        let value = Returned::new(Counted(Box::new(4), &sum)).into_inner();
        assert_eq!((*value.0, sum.get()), (4, 2));
    }
}
