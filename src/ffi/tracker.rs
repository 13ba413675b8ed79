//! `steer_call_tracker`: reports one call to the picker that chose its backend.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use steer_abi::STEER_WANTS_METRICS;

use super::guard;
use super::metrics::{metrics_from_c, steer_metrics};
use super::text::{ReadText, steer_str};
use super::versioned::{Versioned, plain_array, read};
use crate::calls::{TrackedCall, TrackedSlot};
use crate::{Code, Status};

/// Reports one call to its picker. Used by one thread at a time.
pub struct steer_call_tracker {
    _place: Option<TrackedCall>,
}

/// The end of a call, as the host knows it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call_finish {
    /// `sizeof(steer_call_finish)`.
    pub struct_size: usize,
    /// A gRPC status code.
    pub code: i32,
    /// The status's text.
    pub message: steer_str,
    /// The trailer `endpoint-load-metrics-bin`: a serialised `xds.data.orca.v3.OrcaLoadReport`.
    /// Empty: there was none. Needed when the picker wants STEER_WANTS_METRICS.
    pub metrics: steer_str,
    /// The same report, if the host has it decoded only. NULL: there was none. Read if `metrics` is
    /// empty. Since ABI version 6.
    pub report: *const steer_metrics,
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

/// Runs `body` with the call of a tracker.
///
/// # Safety
/// `tracker` is NULL or came from `into_raw` and is not freed; nobody else uses it now.
unsafe fn with_call(tracker: *mut steer_call_tracker, body: impl FnOnce(&mut TrackedCall)) {
    // SAFETY: `tracker` is NULL or came from `into_raw`, which makes an Option<TrackedCall>, is not
    // freed, and nobody else uses it (caller's contract).
    let place = unsafe { tracker.cast::<Option<TrackedCall>>().as_mut() };
    if let Some(call) = place.and_then(Option::as_mut) {
        guard((), || body(call));
    }
}

/// `[any thread]`
/// Returns the connection to send the call over. Valid as long as the picker that chose it, as
/// after STEER_PICK_COMPLETE. A host that needs the connection longer takes a reference right after
/// the pick. It must not rely on the tracker to hold one. NULL for NULL.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed.
// Unguarded: it reads a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_connection(
    tracker: *const steer_call_tracker,
) -> *mut c_void {
    // SAFETY: `tracker` is NULL or came from `into_raw`, which makes an Option<TrackedCall>, and is
    // not freed (caller's contract).
    let place = unsafe { tracker.cast::<Option<TrackedCall>>().as_ref() };
    let call = place.and_then(Option::as_ref);
    call.map_or(ptr::null_mut(), |call| call.connection().handle().pointer())
}

/// `[any thread]`
/// Returns which parts of the call's end are read: 0 or STEER_WANTS_METRICS. 0 for NULL.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed.
// Unguarded: it reads a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_wants(tracker: *const steer_call_tracker) -> u32 {
    // SAFETY: `tracker` is NULL or came from `into_raw`, which makes an Option<TrackedCall>, and is
    // not freed (caller's contract).
    let place = unsafe { tracker.cast::<Option<TrackedCall>>().as_ref() };
    let wanted = place.and_then(Option::as_ref).is_some_and(TrackedCall::wants_metrics);
    if wanted { STEER_WANTS_METRICS } else { 0 }
}

/// `[any thread, one at a time]`
/// Reports that the call starts: once, after the pick. Does nothing for NULL.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed; no other thread uses it now.
// Unguarded: `with_call` guards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_start(tracker: *mut steer_call_tracker) {
    // SAFETY: `tracker` is NULL or not freed, and no other thread uses it (caller's contract).
    unsafe { with_call(tracker, TrackedCall::start) };
}

/// `[any thread, one at a time]`
/// Reports that the call has ended: once. Does nothing for NULL. Reads `finish` during the call.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed; no other thread uses it now;
/// `finish` is NULL (nothing is done) or readable, and so is the memory that it points to.
// Unguarded: `with_call` guards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_finish(
    tracker: *mut steer_call_tracker,
    finish: *const steer_call_finish,
) {
    // SAFETY: `finish` is NULL or readable (caller's contract).
    let Ok(finish) = (unsafe { read(finish) }) else { return };
    // SAFETY: the message of `finish` is readable (caller's contract).
    let message = unsafe { finish.message.to_text() }.unwrap_or_default();
    let status = Status::new(Code::from_number(finish.code), message);
    let bytes = finish.metrics.data.cast::<u8>();
    // SAFETY: the metrics of `finish` are readable (caller's contract).
    let bytes = unsafe { plain_array(bytes, finish.metrics.length) }.unwrap_or_default();
    let finished = |call: &mut TrackedCall| {
        if !bytes.is_empty() || finish.report.is_null() || !call.wants_metrics() {
            return call.finish_encoded(&status, bytes);
        }
        // SAFETY: the report of `finish` is readable (caller's contract).
        let report = unsafe { read(finish.report) };
        // SAFETY: the memory that the report points to is readable (caller's contract).
        let report = report.and_then(|report| unsafe { metrics_from_c(&report) });
        call.finish(&status, report.ok().as_ref());
    };
    // SAFETY: `tracker` is NULL or not freed, and no other thread uses it (caller's contract).
    unsafe { with_call(tracker, finished) };
}

/// `[any thread, one at a time]`
/// Frees a tracker. Does nothing for NULL. A call that has not ended counts as abandoned.
/// `connection_free` may come within this call, if nothing else holds the connection.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed; nobody uses it during or
/// after this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_free(tracker: *mut steer_call_tracker) {
    if tracker.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: `tracker` came from `into_raw` and is not freed (caller's contract).
        let place = unsafe { Box::from_raw(tracker.cast::<Option<TrackedCall>>()) };
        drop(TrackedSlot::from_place(place));
    });
}
