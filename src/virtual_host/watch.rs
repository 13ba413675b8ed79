//! Watches the engine's calls of a virtual host as they come.
//!
//! Must not depend on: what is checked.

use std::sync::Arc;

use crate::endpoints::EndpointId;
use crate::policy::GuardedPicker;

/// Hears of each call that the engine makes to a virtual host, on its thread, before the host does
/// anything. A test checks there whether the call may come. May call the engine.
pub trait Watch: Send + Sync {
    /// The engine calls the host. The names are those of `steer_host`.
    fn called(&self, callback: &'static str, endpoint: Option<EndpointId>);

    /// Drops a picker that another one has replaced, or that the host does not use any more.
    fn drop_picker(&self, picker: Arc<GuardedPicker>) {
        drop(picker);
    }
}
