//! A connection: an opaque handle of the host, shared by pickers.
//!
//! Must not depend on: the object behind the handle.

use std::fmt;

use crate::sync::{Arc, Handle};

/// What a READY endpoint hands to pickers.
///
/// Made from a host's report, in its work serializer. Cloned into every picker that may choose it.
/// Clones share one reference to the host's object. Dropping the last clone, on any thread, gives
/// the reference back, and the host moves it to a thread where it may release it.
#[derive(Clone)]
pub struct Connection {
    /// Also here, not only behind the reference: a pick reads one cache line less.
    handle: Handle,
    reference: Arc<Reference>,
}

/// Takes references back. Any thread.
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
    // `std`'s: loom's `Arc` cannot hold a `dyn`.
    to: std::sync::Arc<dyn Releases>,
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.to.release(self.handle);
    }
}

impl Connection {
    /// Takes over one reference to `handle`. It is given back `to` this.
    pub fn new(handle: Handle, to: std::sync::Arc<dyn Releases>) -> Connection {
        Connection { handle, reference: Arc::new(Reference { handle, to }) }
    }

    /// The host's handle. Valid as long as this connection.
    #[inline]
    pub fn handle(&self) -> Handle {
        self.handle
    }
}

/// Compares the references: a host may use a handle again for another connection.
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
