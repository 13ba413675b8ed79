//! One address list: the state that each endpoint counts with, and the state of the whole list.
//!
//! Sources: gRFC A62 (sticky TRANSIENT_FAILURE), and the rules of gRPC's `round_robin`.
//! Cost: O(1) for a report.
//!
//! Must not depend on: the other list, the host.

use super::{Connectivity, Words};
use crate::Status;

/// The state of a whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// At least one endpoint is READY.
    Ready,
    /// None is READY, and at least one may become so.
    Connecting,
    /// All have failed, for this reason.
    TransientFailure(Status),
}

#[derive(Debug)]
pub(super) struct Entry {
    /// The endpoint's key in `EndpointIndex`.
    pub(super) key: u32,
    /// The state that it counts with in this list. `None` before its first report.
    pub(super) state: Option<Connectivity>,
}

/// The endpoints of one resolver update, in its order.
#[derive(Debug)]
pub(super) struct List {
    entries: Vec<Entry>,
    ready: usize,
    connecting: usize,
    transient_failure: usize,
    last_failure: Status,
    words: Words,
    /// See [`Words::suffix`].
    suffix: String,
}

impl List {
    /// `note`: the resolver's, about this list.
    pub(super) fn new(keys: impl Iterator<Item = u32>, words: Words, note: &str) -> List {
        List {
            entries: keys.map(|key| Entry { key, state: None }).collect(),
            ready: 0,
            connecting: 0,
            transient_failure: 0,
            last_failure: Status::OK,
            words,
            suffix: words.suffix(note),
        }
    }

    /// Takes another note. Returns whether failures are worded otherwise now.
    pub(super) fn set_note(&mut self, note: &str) -> bool {
        let suffix = self.words.suffix(note);
        std::mem::replace(&mut self.suffix, suffix.clone()) != suffix
    }

    /// This failure as users see it.
    pub(super) fn worded(&self, failure: &Status) -> Status {
        Status { code: failure.code, message: format!("{}{}", failure.message, self.suffix) }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn has_ready(&self) -> bool {
        self.ready > 0
    }

    pub(super) fn all_failed(&self) -> bool {
        self.transient_failure == self.entries.len()
    }

    /// Whether all endpoints that have reported are READY. Such a list stays the same when it
    /// starts again.
    pub(super) fn is_settled(&self) -> bool {
        self.connecting == 0 && self.transient_failure == 0
    }

    /// Starts again with the same endpoints: none counts as having reported.
    pub(super) fn restart(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.state = None);
        (self.ready, self.connecting, self.transient_failure) = (0, 0, 0);
    }

    /// Counts a report of the endpoint at `index`.
    pub(super) fn record(&mut self, index: usize, reported: Connectivity) {
        let entry = &mut self.entries[index];
        let old = entry.state;
        let new = match (old, reported) {
            // Rule 3: only READY ends a failure. A failing endpoint reports IDLE and CONNECTING at
            // every retry. If these counted, calls would wait for it instead of failing.
            (
                Some(Connectivity::TransientFailure),
                Connectivity::Idle | Connectivity::Connecting,
            ) => {
                return;
            }
            // Rule 1: an IDLE endpoint is asked to connect at once, so it counts as CONNECTING.
            (_, Connectivity::Idle) => Connectivity::Connecting,
            (_, state) => state,
        };
        entry.state = Some(new);
        if let Some(old) = old {
            *self.tally(old) -= 1;
        }
        *self.tally(new) += 1;
    }

    /// The state of the whole list (rule 2). `None` while it depends on endpoints that have not
    /// reported yet. `cause` is the status of the latest failure, if the latest report was one.
    pub(super) fn aggregate(&mut self, cause: Option<&Status>) -> Option<Aggregate> {
        if self.ready > 0 {
            Some(Aggregate::Ready)
        } else if self.connecting > 0 {
            Some(Aggregate::Connecting)
        } else if self.all_failed() {
            if let Some(cause) = cause {
                let text = "connections to all backends failing";
                self.last_failure =
                    Status::unavailable(self.words.with_cause(text, "last error", cause));
            }
            Some(Aggregate::TransientFailure(self.worded(&self.last_failure)))
        } else {
            None
        }
    }

    fn tally(&mut self, state: Connectivity) -> &mut usize {
        match state {
            Connectivity::Ready => &mut self.ready,
            Connectivity::Idle | Connectivity::Connecting => &mut self.connecting,
            Connectivity::TransientFailure => &mut self.transient_failure,
        }
    }
}
