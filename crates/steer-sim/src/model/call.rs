//! A call of a client, and the attempts at it.
//!
//! Must not depend on: how a backend is chosen, what a server does.

use steer::calls::{Metrics, TrackedSlot};
use steer::{Code, Status};

use super::client::CallId;
use super::events::Time;

/// A call, from the moment when its caller begins it to its end.
pub(super) struct Call {
    pub(super) use_number: u32,
    pub(super) client: u32,
    pub(super) began: Time,
    /// The caller of a closed loop that waits for it.
    pub(super) has_caller: bool,
    /// Whether it waits for a picker.
    pub(super) waits: bool,
    pub(super) key: u32,
    pub(super) attempts: u32,
    /// Attempts that have not ended for the client.
    pub(super) in_flight: u32,
    /// The latest attempt that has not ended, in the table of attempts.
    pub(super) newest: Option<u32>,
}

/// An attempt at a call. It ends for the client and for the server at different times.
pub(super) struct Attempt {
    pub(super) use_number: u32,
    pub(super) call: CallId,
    pub(super) client: u32,
    pub(super) server: u32,
    /// What the policy keeps of it, until it ends for the client.
    pub(super) tracked: Option<TrackedSlot>,
    /// Whether it has not ended for the client.
    pub(super) alive: bool,
    pub(super) at_server: AtServer,
    /// The status that it was answered with.
    pub(super) answer: Code,
    /// When it came to the server, and how many others were there.
    pub(super) came: (Time, u64),
    pub(super) metrics: Option<Box<Metrics>>,
    /// The next older attempt at the same call that has not ended.
    pub(super) older: Option<u32>,
}

/// Where an attempt is at its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtServer {
    /// On its way to it.
    Coming,
    Waiting,
    InService,
    /// The server writes its answer.
    Answering,
    /// Answered, or forgotten.
    Over,
}

impl Attempt {
    /// Ends it for the client and for the policy.
    pub(super) fn end(&mut self, status: &Status, metrics: Option<&Metrics>) {
        self.alive = false;
        if let Some(mut tracked) = self.tracked.take() {
            tracked.call_mut().finish(status, metrics);
        }
    }
}
