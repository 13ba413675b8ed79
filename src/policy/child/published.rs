//! What a child's policy has published.
//!
//! Must not depend on: how a child is run.

use std::sync::Arc;

use crate::Status;
use crate::endpoints::Connectivity;
use crate::policy::GuardedPicker;
use crate::sync::Mutex;

/// What a policy published last.
#[derive(Clone)]
pub struct Published {
    /// The state.
    pub state: Connectivity,
    /// The reason of a TRANSIENT_FAILURE. Otherwise OK.
    pub status: Status,
    /// The picker for calls from now on. Several pickers of the parent may use it.
    pub picker: Arc<GuardedPicker>,
}

/// What a policy published last. Written by its host, and read by its parent.
#[derive(Default)]
pub(super) struct Latest(Mutex<Option<Published>>);

impl Latest {
    pub(super) fn set(&self, published: Published) {
        let former = self.0.lock().replace(published);
        // Without the lock: its picker gives connections back.
        drop(former);
    }

    pub(super) fn get(&self) -> Option<Published> {
        self.0.lock().clone()
    }

    pub(super) fn clear(&self) {
        let former = self.0.lock().take();
        drop(former);
    }
}
