//! A connection: an opaque handle of the host's, shared by the engine's snapshots.
//!
//! Must not know: what the handle points at.

use std::fmt;

use crate::sync::{Arc, Handle};

/// What a READY endpoint hands to pickers. Clones share one reference of the host's, which is
/// given back when the last clone is dropped, on whichever thread that happens: hosts bring it to
/// where they may release it.
#[derive(Clone)]
pub struct Connection {
    /// Beside the reference and not behind it, so that a pick reads one cache line less.
    handle: Handle,
    reference: Arc<Reference>,
}

/// To whom references are given back. Any thread.
pub trait Releases: Send + Sync {
    /// Gives back the one reference that [`Connection::new`] took over.
    fn release(&self, handle: Handle);
}

impl<F: Fn(Handle) + Send + Sync> Releases for F {
    fn release(&self, handle: Handle) {
        self(handle);
    }
}

struct Reference {
    handle: Handle,
    // Loom has no model of `dyn`, and this one is only held.
    to: std::sync::Arc<dyn Releases>,
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.to.release(self.handle);
    }
}

impl Connection {
    /// Takes over one reference to `handle`, to be given back `to` whom it came from.
    pub fn new(handle: Handle, to: std::sync::Arc<dyn Releases>) -> Connection {
        Connection { handle, reference: Arc::new(Reference { handle, to }) }
    }

    /// The host's handle, valid as long as this connection.
    #[inline]
    pub fn handle(&self) -> Handle {
        self.handle
    }
}

/// Whether both are the same connection: the host's handle may be used again for another one.
impl PartialEq for Connection {
    fn eq(&self, other: &Connection) -> bool {
        Arc::ptr_eq(&self.reference, &other.reference)
    }
}

impl Eq for Connection {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.handle).finish()
    }
}
