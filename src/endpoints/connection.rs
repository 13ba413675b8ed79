//! A connection: an opaque handle of the host's, shared by the engine's snapshots.
//!
//! Must not know: what the handle points at.

use std::fmt;
use std::sync::Arc;

use crate::sync::Handle;

/// What a READY endpoint hands to pickers. Clones share one reference of the host's, which is
/// given back when the last clone is dropped, on whichever thread that happens.
#[derive(Clone)]
pub struct Connection {
    /// Beside the reference and not behind it, so that a pick reads one cache line less.
    handle: Handle,
    _reference: Arc<Reference>,
}

struct Reference(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for Reference {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

impl Connection {
    /// Takes over one reference to `handle`; `release` gives it back.
    pub fn new(handle: Handle, release: impl FnOnce() + Send + Sync + 'static) -> Connection {
        Connection { handle, _reference: Arc::new(Reference(Some(Box::new(release)))) }
    }

    /// The host's handle, valid as long as this connection.
    #[inline]
    pub fn handle(&self) -> Handle {
        self.handle
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.handle).finish()
    }
}
