//! The engine's locks: those of the standard library, and free in the child of a `fork`.
//!
//! A lock of the standard library is one word. parking_lot queues waiting threads in a table of the
//! process, and the child's copy of that table names threads that the child does not have.
//!
//! No user code runs while one is held: no hook of a policy, no callback of a host, and no
//! destructor that may lead to one. Take out what is to be called or dropped, unlock, then do it.
//!
//! Must not know: what is locked.

use std::ops::{Deref, DerefMut};
use std::sync::{OnceLock, PoisonError};

use super::fork::{self, Inside};

/// A lock that is held for a few instructions.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

/// Holds a [`Mutex`].
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    // Unlocked first: fields are dropped in this order.
    value: std::sync::MutexGuard<'a, T>,
    _inside: Inside,
}

impl<T> Mutex<T> {
    /// A free lock.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let inside = fork::enter();
        // A panic of the engine's while it was held is reported where it is caught.
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard { value, _inside: inside }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// A static that is made at its first use, by no user code.
#[derive(Debug)]
pub struct Lazy<T> {
    value: OnceLock<T>,
    make: fn() -> T,
}

impl<T> Lazy<T> {
    /// One that is not made yet.
    pub const fn new(make: fn() -> T) -> Lazy<T> {
        Lazy { value: OnceLock::new(), make }
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        fork::get_or_init(&self.value, self.make)
    }
}
