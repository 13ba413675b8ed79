//! Picks and tracked calls.

use std::ffi::c_void;
use std::sync::Arc;

use steer::ffi::*;

use super::account::Shared;
use crate::bytes::{read, text};
use crate::callbacks::within;

/// A picker. Its last owner frees it, on any thread.
pub struct HeldPicker {
    pub(super) picker: *mut steer_picker,
    pub(super) shared: Arc<Shared>,
}

// SAFETY: the ABI allows to pick with and free a picker on any thread.
unsafe impl Send for HeldPicker {}
// SAFETY: the ABI allows many threads to pick at the same time. The `Arc` around this frees it
// last.
unsafe impl Sync for HeldPicker {}

impl Drop for HeldPicker {
    fn drop(&mut self) {
        // SAFETY: the engine handed out the picker in `update_state`, and this is its last use.
        within("picker free", || unsafe { steer_picker_free(self.picker) });
    }
}

/// The result of a pick.
pub enum Picked {
    /// The call goes over this connection.
    Sent(usize),
    /// The same, and the call is tracked.
    Tracked(TrackedCall),
    /// The call waits or fails.
    Other,
}

impl Picked {
    /// Reports the start of a tracked call.
    pub fn start(&self) {
        if let Picked::Tracked(call) = self {
            // SAFETY: `call` owns the tracker.
            within("tracker", || unsafe { steer_call_tracker_start(call.tracker) });
        }
    }

    /// Reports the end of a tracked call.
    pub fn finish(&self, code: i32, metrics: &[u8]) {
        let Picked::Tracked(call) = self else { return };
        let finish = steer_call_finish {
            struct_size: size_of::<steer_call_finish>(),
            code,
            message: text(b"ended"),
            metrics: text(metrics),
            report: std::ptr::null(),
        };
        // SAFETY: `call` owns the tracker, and `finish` lives during the call.
        within("tracker", || unsafe { steer_call_tracker_finish(call.tracker, &finish) });
    }
}

/// A tracked call. Dropping it abandons the call if it has not ended.
pub struct TrackedCall {
    tracker: *mut steer_call_tracker,
    connection: usize,
}

// SAFETY: the ABI allows to use a tracker on any thread, one at a time. `&TrackedCall` gives no
// other thread access, because it is not `Sync`.
unsafe impl Send for TrackedCall {}

impl TrackedCall {
    /// The handle of its connection, which may be freed by now.
    pub fn connection(&self) -> usize {
        self.connection
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        // SAFETY: this owns the tracker, and this is its last use.
        within("tracker free", || unsafe { steer_call_tracker_free(self.tracker) });
    }
}

/// The callback for a header, during a pick.
unsafe extern "C" fn header(ctx: *mut c_void, _name: steer_str, value: *mut steer_str) -> i32 {
    // SAFETY: ctx points to the slice in `HeldPicker::pick`, which lives during the pick.
    let header = unsafe { *ctx.cast::<&[u8]>() };
    // SAFETY: the engine passes a valid pointer for the result.
    unsafe { value.write(text(header)) };
    1
}

impl HeldPicker {
    /// Picks for a call whose headers all have this value.
    pub fn pick(&self, value: &[u8], request_hash: u64) -> Picked {
        let mut value = value;
        // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
        let mut call: steer_call = unsafe { std::mem::zeroed() };
        call.struct_size = size_of::<steer_call>();
        call.path = text(b"/service/method");
        call.ctx = (&raw mut value).cast();
        call.header = Some(header);
        call.request_hash = request_hash;
        call.has_request_hash = 1;
        // SAFETY: this owns the picker, and `call` lives during the pick.
        let picked = within("pick", || unsafe { steer_picker_pick(self.picker, &call) });
        match picked.kind {
            0 => {
                self.shared.check_held(picked.value);
                Picked::Sent(picked.value.addr())
            }
            1 => Picked::Other,
            2 | 3 => {
                // SAFETY: picks of the kinds FAIL and DROP have a failure, valid until the next
                // pick.
                let failure = unsafe { picked.value.cast::<steer_pick_failure>().read() };
                assert!((1..=16).contains(&failure.code), "code {}", failure.code);
                read(failure.message);
                Picked::Other
            }
            4 => {
                let tracker = picked.value.cast();
                // SAFETY: the engine has just handed out the tracker.
                let connection = unsafe { steer_call_tracker_connection(tracker) };
                let call = TrackedCall { tracker, connection: connection.addr() };
                self.shared.check_held(connection);
                Picked::Tracked(call)
            }
            kind => panic!("a pick of kind {kind}"),
        }
    }
}
