//! The engine's locks: those of the standard library, made free in the child of a `fork`.
//!
//! Not parking_lot's: it queues waiting threads in one table for the process, and the child's copy
//! of that table names threads that the child does not have. A lock of the standard library is one
//! word.
//!
//! No user code may run while a lock is held: no hook of a policy, no callback of a host, and no
//! destructor that may call one. Take the object out, unlock, then call or drop it.
//!
//! Must not depend on: the locked data.

use std::ops::{Deref, DerefMut};
use std::sync::{OnceLock, PoisonError};

use super::fork::{self, Inside};

/// A lock that is held for a few instructions.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

/// Holds a [`Mutex`].
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    // Before `_inside`, so that it is unlocked first: fields are dropped in this order.
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
        // Poison is ignored: a panic while the lock was held is reported where it is caught.
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

/// A static that is made at its first use. `make` must not run user code.
#[derive(Debug)]
pub struct Lazy<T> {
    value: OnceLock<T>,
    make: fn() -> T,
}

impl<T> Lazy<T> {
    /// A value that will be made at its first use.
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
