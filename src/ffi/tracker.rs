//! `steer_call_tracker`: follows one call for the picker that chose its backend.

use std::ffi::c_void;
use std::ptr;

use super::text::steer_str;

/// One call that a picker wants to hear of. Used by one thread at a time.
pub struct steer_call_tracker {
    _private: (),
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

/// The connection to send the call over, valid as long as the tracker. NULL gives NULL.
///
/// # Safety
/// `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_connection(
    tracker: *const steer_call_tracker,
) -> *mut c_void {
    let _ = tracker;
    ptr::null_mut()
}

/// The call starts: once, after the pick. Any thread. NULL is fine.
///
/// # Safety
/// As for `steer_call_tracker_connection`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_start(tracker: *mut steer_call_tracker) {
    let _ = tracker;
}

/// The call has ended: once. Any thread. NULL is fine. What `finish` points at is read during the call.
///
/// # Safety
/// As for `steer_call_tracker_connection`; `finish` is NULL (nothing is done) or readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_finish(
    tracker: *mut steer_call_tracker,
    finish: *const steer_call_finish,
) {
    let _ = (tracker, finish);
}

/// Frees a tracker. Any thread. NULL is fine. A call that has not ended was abandoned.
///
/// # Safety
/// As for `steer_call_tracker_connection`; nobody uses it during or after this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_call_tracker_free(tracker: *mut steer_call_tracker) {
    let _ = tracker;
}
