//! `steer_call_tracker`: follows one call for the picker that chose its backend.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use steer_abi::STEER_WANTS_METRICS;

use super::guard;
use super::text::{ReadText, steer_str};
use super::versioned::{Versioned, plain_array, read};
use crate::calls::{Metrics, TrackedCall, TrackedSlot};
use crate::{Code, Status};

/// One call that a picker wants to hear of. Used by one thread at a time.
pub struct steer_call_tracker {
    _place: Option<TrackedCall>,
}

/// How a call ended, as the host knows it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call_finish {
    /// `sizeof(steer_call_finish)`.
    pub struct_size: usize,
    /// A gRPC status code.
    pub code: i32,
    /// Its text.
    pub message: steer_str,
    /// What came in the trailer `endpoint-load-metrics-bin`: a serialised
    /// `xds.data.orca.v3.OrcaLoadReport`. Empty: nothing. Needed when the picker wants
    /// STEER_WANTS_METRICS.
    pub metrics: steer_str,
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_call_finish {
    const FIRST_SIZE: usize = offset_of!(steer_call_finish, metrics) + size_of::<steer_str>();
}

impl steer_call_tracker {
    pub(super) fn into_raw(slot: TrackedSlot) -> *mut steer_call_tracker {
        Box::into_raw(slot.into_place()).cast()
    }
}

/// Runs a body with the call of a tracker.
///
/// # Safety
/// `tracker` is NULL or came from `into_raw` and is not freed yet, and nobody else uses it now.
unsafe fn with_call(tracker: *mut steer_call_tracker, body: impl FnOnce(&mut TrackedCall)) {
    // SAFETY: by this function's contract; a place is nothing but the call in it.
    let place = unsafe { tracker.cast::<Option<TrackedCall>>().as_mut() };
    if let Some(call) = place.and_then(Option::as_mut) {
        guard((), || body(call));
    }
}

/// The connection to send the call over: valid, as after STEER_PICK_COMPLETE, as long as the picker
/// that chose it. To be read right after the pick. A host that needs the connection for longer takes
/// a reference of its own: it must not count on the tracker to hold one. NULL gives NULL.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed yet.
// Unguarded: it reads a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_connection(
    tracker: *const steer_call_tracker,
) -> *mut c_void {
    // SAFETY: by this function's contract; a place is nothing but the call in it.
    let place = unsafe { tracker.cast::<Option<TrackedCall>>().as_ref() };
    let call = place.and_then(Option::as_ref);
    call.map_or(ptr::null_mut(), |call| call.connection().handle().pointer())
}

/// What is wanted to know of the call's end: an or of STEER_WANTS_…, of which only STEER_WANTS_METRICS is about
/// that. NULL wants nothing.
///
/// # Safety
/// As for `steer_call_tracker_connection`.
// Unguarded: it reads a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_wants(tracker: *const steer_call_tracker) -> u32 {
    // SAFETY: by this function's contract; a place is nothing but the call in it.
    let place = unsafe { tracker.cast::<Option<TrackedCall>>().as_ref() };
    let wanted = place.and_then(Option::as_ref).is_some_and(TrackedCall::wants_metrics);
    if wanted { STEER_WANTS_METRICS } else { 0 }
}

/// The call starts: once, after the pick. Any thread. NULL is fine.
///
/// # Safety
/// As for `steer_call_tracker_connection`.
// Unguarded: `with_call` guards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_start(tracker: *mut steer_call_tracker) {
    // SAFETY: by this function's contract.
    unsafe { with_call(tracker, TrackedCall::start) };
}

/// The call has ended: once. Any thread. NULL is fine. What `finish` points at is read during the call.
///
/// # Safety
/// As for `steer_call_tracker_connection`; `finish` is NULL (nothing is done) or readable.
// Unguarded: `with_call` guards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_finish(
    tracker: *mut steer_call_tracker,
    finish: *const steer_call_finish,
) {
    // SAFETY: NULL or readable by this function's contract.
    let Ok(finish) = (unsafe { read(finish) }) else { return };
    // SAFETY: readable by this function's contract.
    let message = unsafe { finish.message.to_text() }.unwrap_or_default();
    let status = Status::new(Code::from_number(finish.code), message);
    let bytes = finish.metrics.data.cast::<u8>();
    // SAFETY: readable by this function's contract.
    let bytes = unsafe { plain_array(bytes, finish.metrics.length) }.unwrap_or_default();
    // SAFETY: by this function's contract.
    unsafe { with_call(tracker, |call| call.finish(&status, Metrics::read(bytes).as_ref())) };
}

/// Frees a tracker. Any thread. NULL is fine. A call that has not ended was abandoned.
///
/// `connection_free` may come within this call, if nothing else holds the connection any more.
///
/// # Safety
/// As for `steer_call_tracker_connection`; nobody uses it during or after this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_free(tracker: *mut steer_call_tracker) {
    if tracker.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: made by `into_raw` and not freed yet, by this function's contract.
        let place = unsafe { Box::from_raw(tracker.cast::<Option<TrackedCall>>()) };
        drop(TrackedSlot::from_place(place));
    });
}
