//! An opaque pointer of the host's, carried through the engine and never looked into.

use std::ffi::c_void;

/// A pointer that belongs to the host. The engine stores it, compares it and hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(*mut c_void);

// SAFETY: the engine never dereferences a Handle, so moving one between threads touches no memory
// of the host's. That the host may be called with it from another thread is the host's promise,
// written at each callback of `steer_host`.
unsafe impl Send for Handle {}
// SAFETY: as for Send; a shared Handle can only be copied.
unsafe impl Sync for Handle {}

impl Handle {
    /// Wraps a pointer of the host's; NULL is as good as any other.
    pub fn new(pointer: *mut c_void) -> Handle {
        Handle(pointer)
    }

    /// A handle that points at nothing and is told apart by its number: for hosts without C.
    pub fn from_number(number: usize) -> Handle {
        Handle(std::ptr::without_provenance_mut(number))
    }

    /// The pointer, to be handed back to the host.
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
