//! What a tracked call needs from the policy that it was picked by.
//!
//! Must not depend on: how a policy is run.

use crate::fault::Panic;
use crate::stats::Clock;

/// The policy of a tracked call, or of a picker: its clock, and its fault handling. Used on any
/// thread.
pub trait CallContext: Clock {
    /// Handles a fault of a picker or of a call listener, which belongs to this generation of the
    /// policy. `place` names the hook. Returns whether the policy is about to be replaced, or has
    /// been. Otherwise it goes on, because its author or the host wants that.
    fn data_plane_fault(&self, place: &str, panic: Panic, generation: u64) -> bool;
}
