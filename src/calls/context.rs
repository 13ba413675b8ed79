//! The services of a policy that its tracked calls use.
//!
//! Must not depend on: how a policy is run.

use crate::fault::Panic;
use crate::stats::Clock;

/// The policy of a tracked call or of a picker: its clock and its fault handling.
///
/// Made by the runner of the policy. Used on any thread, and kept alive by pickers and calls, even
/// after the policy is shut down.
pub trait CallContext: Clock {
    /// Whether its clock is the engine's own, [`Clock::global`](crate::sync::Clock::global). Then
    /// calls read that one.
    fn has_engine_clock(&self) -> bool;

    /// Handles a fault of a picker or call listener of this generation of the policy. `place` names
    /// the hook. Returns `true` if the policy will be replaced, or was. Otherwise the policy goes
    /// on, because its author or the host chose that.
    fn data_plane_fault(&self, place: &str, panic: Panic, generation: u64) -> bool;
}
