//! A call, from its pick to its end.
//!
//! Must not depend on: how a backend is chosen.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use steer::calls::{Call, Headers, TrackedSlot, Wants};

use super::LoadReport;
use crate::{Code, Status};

/// A call to pick for. It has a path (by default `/test.Service/Method`) and headers. The picker
/// sees the parts that it declared by [`crate::Wants`].
#[derive(Clone, Debug)]
pub struct TestCall {
    path: String,
    headers: Vec<(String, String)>,
    request_hash: Option<u64>,
}

impl Default for TestCall {
    fn default() -> TestCall {
        let path = "/test.Service/Method".to_owned();
        TestCall { path, headers: Vec::new(), request_hash: None }
    }
}

impl TestCall {
    /// Makes a call without headers.
    pub fn new() -> TestCall {
        TestCall::default()
    }

    /// Sets the path.
    pub fn path(mut self, path: impl Into<String>) -> TestCall {
        self.path = path.into();
        self
    }

    /// Adds a header. Its name must be in lower case.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> TestCall {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the hash that an xDS route computes for the call.
    pub fn request_hash(mut self, hash: u64) -> TestCall {
        self.request_hash = Some(hash);
        self
    }

    /// Calls `body` with the call as a picker with these wants sees it. Also returns the headers
    /// that the picker added.
    pub(super) fn seen<R>(
        &self,
        wants: &Wants,
        body: impl FnOnce(&Call<'_>) -> R,
    ) -> (R, Vec<(String, Vec<u8>)>) {
        let seen = Seen { headers: &self.headers, wants, added: RefCell::default() };
        let path = if wants.path { self.path.as_str() } else { "" };
        let request_hash = self.request_hash.filter(|_| wants.request_hash);
        let result = body(&Call { path, headers: &seen, request_hash });
        (result, seen.added.into_inner())
    }
}

struct Seen<'a> {
    headers: &'a [(String, String)],
    wants: &'a Wants,
    added: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Headers for Seen<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let wanted = self.wants.headers.as_ref()?;
        if !wanted.iter().any(|wanted| wanted == name) {
            return None;
        }
        let values = self.headers.iter().filter(|(key, _)| key == name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        match values.as_slice() {
            [] => None,
            [one] => Some(Cow::Borrowed(one.as_bytes())),
            several => Some(Cow::Owned(several.join(",").into_bytes())),
        }
    }

    fn add(&self, name: &str, value: &[u8]) -> bool {
        let fits = self.wants.headers.is_some()
            && !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)
            });
        if fits {
            self.added.borrow_mut().push((name.to_owned(), value.to_vec()));
        }
        fits
    }
}

/// The result of a pick.
#[derive(Debug)]
pub enum Picked {
    /// The call goes to the backend with this first address.
    Complete {
        /// The address.
        backend: String,
        /// The headers that the picker added to the call.
        headers: Vec<(String, Vec<u8>)>,
    },
    /// The call goes to the backend with this first address, and the picker follows it. Dropping
    /// this abandons the call.
    Tracked {
        /// The address.
        backend: String,
        /// The headers that the picker added to the call.
        headers: Vec<(String, Vec<u8>)>,
        /// The call, to be started and finished.
        call: TrackedCall,
    },
    /// The call waits for the next picker.
    Queue,
    /// The call fails, unless it waits for ready.
    Fail(Status),
    /// The call fails, even if it waits for ready.
    Drop(Status),
}

impl Picked {
    /// Returns the first address of the backend that the call goes to.
    pub fn backend(&self) -> Option<&str> {
        match self {
            Picked::Complete { backend, .. } | Picked::Tracked { backend, .. } => Some(backend),
            _ => None,
        }
    }

    /// Returns the headers that the picker added.
    pub fn added_headers(&self) -> &[(String, Vec<u8>)] {
        match self {
            Picked::Complete { headers, .. } | Picked::Tracked { headers, .. } => headers,
            _ => &[],
        }
    }

    /// Starts the call. Does nothing if the picker does not follow it.
    pub fn start(&mut self) {
        if let Picked::Tracked { call, .. } = self {
            call.start();
        }
    }

    /// Ends the call with this code; starts it first if necessary. Does nothing if the picker does
    /// not follow it.
    pub fn finish(self, code: Code) {
        if let Picked::Tracked { call, .. } = self {
            call.finish(&Status::new(code, ""), None);
        }
    }
}

/// A call that the picker follows. [`TestChannel::advance`](super::TestChannel::advance) decides
/// how long it takes. Dropping it abandons the call.
pub struct TrackedCall {
    slot: TrackedSlot,
    with_metrics: bool,
}

impl TrackedCall {
    pub(super) fn new(slot: TrackedSlot, wants: &Wants) -> TrackedCall {
        TrackedCall { slot, with_metrics: wants.metrics }
    }

    /// Starts the call.
    pub fn start(&mut self) {
        self.slot.call_mut().start();
    }

    /// Ends the call with this status and load report; starts it first if necessary. A picker sees
    /// the report only if it declared [`crate::Wants::metrics`].
    pub fn finish(mut self, status: &Status, report: Option<&LoadReport>) {
        let report = report.filter(|_| self.with_metrics);
        self.slot.call_mut().finish(&to_engine(status), report);
    }
}

impl fmt::Debug for TrackedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedCall").finish_non_exhaustive()
    }
}

/// Converts to the engine's type.
pub(super) fn to_engine(status: &Status) -> steer::Status {
    steer::Status::new(steer::Code::from_number(status.code as i32), status.message.clone())
}

/// Converts from the engine's type.
pub(super) fn from_engine(status: &steer::Status) -> Status {
    Status::new(Code::from_number(status.code as i32), status.message.clone())
}
