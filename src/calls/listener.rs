//! The events of a tracked call.
//!
//! Must not depend on: which listener gets them, where they come from.

use super::LoadReport;
use crate::Status;
use crate::sync::{Handle, Nanos};

/// How a tracked call ended.
#[derive(Clone, Debug)]
pub enum CallEnd<'a> {
    /// It ended with a status.
    Finished {
        /// The status that it ended with.
        status: &'a Status,
        /// From its start to its end. 0 if the listener needs no latency.
        latency: Nanos,
        /// When it ended, by the host's clock. 0 if the listener needs no latency and there is no
        /// load report.
        ended: Nanos,
        /// The load report of the backend.
        metrics: Option<LoadReport<'a>>,
    },
    /// It never started, or the channel dropped it.
    Abandoned,
}

/// Gets the events of tracked calls. Any thread, many at the same time.
pub trait CallListener: Send + Sync {
    /// The backend with this index in the picker was picked for a call. Called within the pick,
    /// once for each call that [`CallListener::finished`] will be called for.
    fn picked(&self, _backend: usize, _state: Handle) {}

    /// The call starts.
    fn started(&self, _backend: usize, _state: Handle) {}

    /// The call has ended. Called exactly once for each picked call, and last.
    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>);

    /// Whether the listener needs the latency of calls. If not, it gets 0, and readings of the
    /// clock are saved. Asked once for each backend of a picker.
    fn wants_latency(&self) -> bool {
        true
    }

    /// Whether [`CallListener::started`] is to be called. Asked once for each backend of a picker.
    fn wants_start(&self) -> bool {
        true
    }

    /// Whether the listener needs nothing but load reports. If so, only
    /// [`CallListener::finished`] is called, and only for calls that end with a report. Asked once
    /// for each backend of a picker.
    fn wants_only_reports(&self) -> bool {
        false
    }
}
