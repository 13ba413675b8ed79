//! One address list: the state that each endpoint counts with, and what all of them amount to.
//!
//! Sources: gRFC A62 (sticky TRANSIENT_FAILURE), and the rules of gRPC's `round_robin`.
//! Cost: O(1) for a report.
//!
//! Must not know: the other list, the host.

use super::Connectivity;
use crate::Status;

/// What a list of endpoints amounts to.
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
    /// Where the tracker has the endpoint.
    pub(super) key: u32,
    /// The state that it counts with in this list; none before its first report.
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
}

impl List {
    pub(super) fn new(keys: impl Iterator<Item = u32>) -> List {
        List {
            entries: keys.map(|key| Entry { key, state: None }).collect(),
            ready: 0,
            connecting: 0,
            transient_failure: 0,
            last_failure: Status::OK,
        }
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

    /// Whether all endpoints that have reported are READY: then they say the same to the list when it begins anew.
    pub(super) fn is_settled(&self) -> bool {
        self.connecting == 0 && self.transient_failure == 0
    }

    /// The same endpoints are listed anew: none has reported yet.
    pub(super) fn begin_anew(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.state = None);
        (self.ready, self.connecting, self.transient_failure) = (0, 0, 0);
    }

    /// Takes a report of the endpoint at `index` into account.
    pub(super) fn record(&mut self, index: usize, reported: Connectivity) {
        let entry = &mut self.entries[index];
        let old = entry.state;
        let new = match (old, reported) {
            // Rule 3: only READY ends a failure. A failing endpoint reports IDLE and CONNECTING
            // at every retry; if these counted, calls would wait for it instead of failing.
            (
                Some(Connectivity::TransientFailure),
                Connectivity::Idle | Connectivity::Connecting,
            ) => {
                return;
            }
            // Rule 1: it is asked to connect at once, so it is as good as connecting.
            (_, Connectivity::Idle) => Connectivity::Connecting,
            (_, state) => state,
        };
        entry.state = Some(new);
        if let Some(old) = old {
            *self.tally(old) -= 1;
        }
        *self.tally(new) += 1;
    }

    /// What the list amounts to (rule 2); none while some endpoints have not reported and those
    /// that have do not decide it. `cause` is why the latest endpoint failed, if it did.
    pub(super) fn aggregate(&mut self, cause: Option<&Status>) -> Option<Aggregate> {
        if self.ready > 0 {
            Some(Aggregate::Ready)
        } else if self.connecting > 0 {
            Some(Aggregate::Connecting)
        } else if self.all_failed() {
            if let Some(cause) = cause {
                let mut message = String::from("connections to all backends failing");
                // Not every host knows why a connection failed.
                if !cause.message.is_empty() {
                    message.push_str("; last error: ");
                    message.push_str(&cause.message);
                }
                self.last_failure = Status::unavailable(message);
            }
            Some(Aggregate::TransientFailure(self.last_failure.clone()))
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
