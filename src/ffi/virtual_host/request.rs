//! `steer_virtual_request`: what the engine asks of a virtual host.

use std::mem::offset_of;
use std::time::Duration;

use super::host::steer_virtual_host;
use crate::ffi::guard;
use crate::ffi::text::steer_str;
use crate::ffi::versioned::{Versioned, read, write};
use crate::virtual_host::Request;

/// The kinds of requests: the callbacks of `steer_host` that have no result.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_virtual_request_kind {
    /// The engine made `endpoint`.
    STEER_REQUEST_NEW = 1,
    /// `endpoint` shall connect.
    STEER_REQUEST_CONNECT = 2,
    /// `endpoint` shall forget its backoff.
    STEER_REQUEST_RESET_BACKOFF = 3,
    /// The engine dropped `endpoint`.
    STEER_REQUEST_DROP = 4,
    /// The policy published `state`, with `code` and `text`, and a picker.
    STEER_REQUEST_STATE = 5,
    /// The resolver shall resolve again.
    STEER_REQUEST_RERESOLVE = 6,
    /// `steer_policy_run` shall be called.
    STEER_REQUEST_RUN_LATER = 7,
    /// Endpoints shall report their load every `ns`. 0: not at all.
    STEER_REQUEST_LOAD_REPORTS = 8,
    /// `timer` shall end after `ns`.
    STEER_REQUEST_TIMER_START = 9,
    /// `timer` shall not end.
    STEER_REQUEST_TIMER_CANCEL = 10,
    /// `text` shall be logged. `state` is its `steer_severity`.
    STEER_REQUEST_LOG = 11,
}
use steer_virtual_request_kind::*;

/// What the engine asks of a virtual host. Fields that the kind does not name are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_virtual_request {
    /// `sizeof(steer_virtual_request)`.
    pub struct_size: usize,
    /// A `steer_virtual_request_kind`.
    pub kind: i32,
    /// A `steer_state`, or a `steer_severity`.
    pub state: i32,
    /// A gRPC status code.
    pub code: i32,
    /// Not used.
    pub reserved: i32,
    /// The engine's number for an endpoint.
    pub endpoint: u64,
    /// The engine's number for a timer.
    pub timer: u64,
    /// Nanoseconds.
    pub ns: u64,
    /// A text, valid until the next call of `steer_virtual_host_request`.
    pub text: steer_str,
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_virtual_request {
    const FIRST_SIZE: usize = offset_of!(steer_virtual_request, text) + size_of::<steer_str>();
}

/// `[any thread, one at a time]`
/// Takes the first request that the engine has made and that was not taken. Returns 1 if there was
/// one. Returns 0 if there was none, for NULL, and for a wrong `struct_size`.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed; `request` is NULL or can
/// be written to, and its `struct_size` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_request(
    host: *mut steer_virtual_host,
    request: *mut steer_virtual_request,
) -> i32 {
    guard(0, || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let host = unsafe { steer_virtual_host::of(host) };
        let Some(host) = host else { return 0 };
        // First, so that no request is lost.
        // SAFETY: `request` is NULL or readable (caller's contract).
        if unsafe { read(request) }.is_err() {
            return 0;
        }
        let mut requests = host.requests.lock();
        if requests.waiting.is_empty() {
            host.core.take_requests(&mut requests.waiting);
            requests.waiting.reverse();
        }
        let Some(taken) = requests.waiting.pop() else { return 0 };
        let mut to = to_c(&taken);
        requests.text = match taken {
            Request::State(_, status) => status.message,
            Request::Log(_, line) => line,
            _ => String::new(),
        };
        to.text = steer_str::borrow(&requests.text);
        // SAFETY: `request` can be written to (caller's contract).
        unsafe { write(request, &to) }.is_ok().into()
    })
}

fn to_c(request: &Request) -> steer_virtual_request {
    let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let (mut endpoint, mut timer, mut after, mut state, mut code) = (0, 0, 0, 0, 0);
    let kind = match request {
        Request::New(id, _) => (STEER_REQUEST_NEW, endpoint = id.0).0,
        Request::Connect(id) => (STEER_REQUEST_CONNECT, endpoint = id.0).0,
        Request::ResetBackoff(id) => (STEER_REQUEST_RESET_BACKOFF, endpoint = id.0).0,
        Request::Drop(id) => (STEER_REQUEST_DROP, endpoint = id.0).0,
        Request::State(published, status) => {
            (state, code) = (*published as i32, status.code as i32);
            STEER_REQUEST_STATE
        }
        Request::Reresolve => STEER_REQUEST_RERESOLVE,
        Request::RunLater => STEER_REQUEST_RUN_LATER,
        Request::LoadReports(period) => {
            after = period.map_or(0, ns);
            STEER_REQUEST_LOAD_REPORTS
        }
        Request::StartTimer(started, time) => {
            (timer, after) = (started.0, ns(*time));
            STEER_REQUEST_TIMER_START
        }
        Request::CancelTimer(cancelled) => (STEER_REQUEST_TIMER_CANCEL, timer = cancelled.0).0,
        Request::Log(severity, _) => (STEER_REQUEST_LOG, state = *severity as i32).0,
    };
    steer_virtual_request {
        struct_size: size_of::<steer_virtual_request>(),
        kind: kind as i32,
        state,
        code,
        reserved: 0,
        endpoint,
        timer,
        ns: after,
        text: steer_str::empty(),
    }
}
