//! An opaque pointer of the host. The engine carries it, and never dereferences it.
//!
//! Must not depend on: the object behind it.

use std::ffi::c_void;

/// A pointer that belongs to the host. The engine stores it, compares it and hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(*mut c_void);

// SAFETY: no code of the engine dereferences a Handle (this type offers no way to), so moving one
// between threads touches no memory of the host. The host upholds that its callbacks may be called
// with it on another thread: each callback of `steer_host` says so.
unsafe impl Send for Handle {}
// SAFETY: as for Send. A shared Handle can only be copied: it has no interior mutability.
unsafe impl Sync for Handle {}

impl Handle {
    /// Wraps a pointer of the host. NULL is allowed.
    pub fn new(pointer: *mut c_void) -> Handle {
        Handle(pointer)
    }

    /// A handle that is only a number, and points at nothing. For hosts without C.
    pub fn from_number(number: usize) -> Handle {
        Handle(std::ptr::without_provenance_mut(number))
    }

    /// The pointer, to hand back to the host.
    pub fn pointer(self) -> *mut c_void {
        self.0
    }

    /// Whether it is NULL.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The number given to [`Handle::from_number`].
    pub fn number(self) -> usize {
        self.0.addr()
    }
}
