//! What a picker can hear of the calls that it picks for.
//!
//! Must not depend on: who listens, where the events come from.

use std::time::Duration;

use super::Metrics;
use crate::Status;
use crate::sync::Handle;

/// How a tracked call ended.
#[derive(Clone, Debug)]
pub enum CallEnd<'a> {
    /// It ran.
    Finished {
        /// What it ended with.
        status: &'a Status,
        /// From its start to its end.
        latency: Duration,
        /// When it ended, by the host's clock.
        ended: Duration,
        /// What the backend reported with it.
        metrics: Option<&'a Metrics>,
    },
    /// It never started, or the channel gave up on it.
    Abandoned,
}

/// Who wants to hear of calls. Any thread, many at once.
pub trait CallListener: Send + Sync {
    /// The backend with this place in the picker was picked for a call. Comes within the pick, and
    /// once for every call of which [`CallListener::finished`] comes.
    fn picked(&self, _backend: usize, _state: Handle) {}

    /// That call starts.
    fn started(&self, _backend: usize, _state: Handle) {}

    /// It has ended: comes exactly once for each call that was picked, and last.
    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>);

    /// Whether it matters how long calls take. If not, their latency is said to be 0, and a look at the clock
    /// is saved. Asked once for each backend of a picker.
    fn wants_latency(&self) -> bool {
        true
    }
}
