//! The hooks of a picker, for both tables. Their picker argument is a box of `Made<P>`.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::panics::{guard, guard_choice};
use super::{engine, text};
use crate::abi::{
    STEER_WANTS_HEADERS, STEER_WANTS_METRICS, STEER_WANTS_PATH, STEER_WANTS_REQUEST_HASH,
    steer_call, steer_call_end, steer_choice, steer_choice_kind, steer_str, steer_wants,
};
use crate::glue::{Call, CallEnd, TrackedCall};
use crate::pick::{CHILD, Choice, Pick};
use crate::{Picker, Wants};

/// A picker, and its declared parts of calls.
pub(super) struct Made<P> {
    picker: P,
    wants: Wants,
    /// The header names of `wants`, as `steer_str`.
    headers: Box<[steer_str]>,
}

impl<P: Picker> Made<P> {
    pub(super) fn new(picker: P) -> Made<P> {
        let wants = picker.wants();
        let headers = wants.names.iter().map(|name| text::borrow(name.as_bytes())).collect();
        Made { picker, wants, headers }
    }

    /// Fills in the picker's wants. The names are valid as long as `self`.
    pub(super) fn fill_wants(&self, wants: &mut steer_wants) {
        for (wanted, bit) in [
            (self.wants.path, STEER_WANTS_PATH),
            (self.wants.headers, STEER_WANTS_HEADERS),
            (self.wants.metrics, STEER_WANTS_METRICS),
            (self.wants.request_hash, STEER_WANTS_REQUEST_HASH),
        ] {
            if wanted {
                wants.bits |= bit;
            }
        }
        wants.headers = self.headers.as_ptr();
        wants.header_count = self.headers.len();
    }
}

/// # Safety
/// As the engine calls that hook, with a picker that is a box of `Made<P>`.
pub(super) unsafe extern "C" fn pick<P: Picker>(
    picker: *const c_void,
    call: *const steer_call,
) -> steer_choice {
    guard_choice(|| {
        // SAFETY: a box of `Made<P>`, shared, and alive during the pick.
        let picker = &unsafe { &*picker.cast::<Made<P>>() }.picker;
        // SAFETY: the engine's call, valid during the pick.
        let call = unsafe { &*call };
        // SAFETY: as above.
        let call = unsafe { Call::new(call) };
        choice(picker.pick(&call))
    })
}

#[inline(always)]
fn choice(pick: Pick) -> steer_choice {
    match pick.0 {
        Choice::Complete(value) => {
            steer_choice { kind: steer_choice_kind::STEER_CHOICE_COMPLETE as i64, value }
        }
        Choice::Child(value) => {
            steer_choice { kind: steer_choice_kind::STEER_CHOICE_CHILD as i64, value }
        }
        Choice::Queue => {
            steer_choice { kind: steer_choice_kind::STEER_CHOICE_QUEUE as i64, value: 0 }
        }
        Choice::Fail(status) => engine::fail(&status),
        Choice::Drop(status) => engine::drop_call(&status),
        Choice::Tracked(call) if call.backend() & CHILD != 0 => {
            engine::child_tracked(call.backend() & !CHILD, call.into_state())
        }
        Choice::Tracked(call) => engine::complete_tracked(call.backend(), call.into_state()),
        Choice::TrackedByPicker(backend) => engine::complete_tracked(backend, ptr::null_mut()),
    }
}

/// # Safety
/// As the engine calls that hook, with a picker that is a box of `Made<P>`.
pub(super) unsafe extern "C" fn call_started<P: Picker>(
    picker: *const c_void,
    backend: u64,
    state: *mut c_void,
) {
    guard(|| {
        // SAFETY: a box of `Made<P>`, shared, and alive until its calls have ended.
        let picker = &unsafe { &*picker.cast::<Made<P>>() }.picker;
        let by_picker = match NonNull::new(state) {
            None => true,
            Some(state) => {
                // SAFETY: `state` came from `choice`. `Borrowed` gives it back at the end of this
                // hook, even after a panic.
                let mut call = Borrowed(Some(unsafe { TrackedCall::from_state(state) }));
                let call = call.0.as_mut().expect("only drop takes it");
                call.started();
                call.by_picker()
            }
        };
        if by_picker {
            picker.call_started(backend as usize);
        }
    });
}

/// A call that a hook uses while the engine owns it. Dropping it does not free the call.
struct Borrowed(Option<TrackedCall>);

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call.into_state();
        }
    }
}

/// # Safety
/// As the engine calls that hook, with a picker that is a box of `Made<P>`.
pub(super) unsafe extern "C" fn call_finished<P: Picker>(
    picker: *const c_void,
    backend: u64,
    state: *mut c_void,
    end: *const steer_call_end,
) {
    // SAFETY: `state` came from `choice`, and the engine does not use it again.
    let call = NonNull::new(state).map(|state| unsafe { TrackedCall::from_state(state) });
    let by_picker = call.as_ref().is_none_or(TrackedCall::by_picker);
    // SAFETY: the engine's, valid during the hook.
    let end = unsafe { &*end };
    // SAFETY: as above.
    let end = unsafe { CallEnd::new(end) };
    // Two guards, so that a panic in one listener does not keep the other from being called.
    if by_picker {
        // SAFETY: a box of `Made<P>`, shared, and alive until its calls have ended.
        let picker = &unsafe { &*picker.cast::<Made<P>>() }.picker;
        guard(|| picker.call_finished(backend as usize, &end));
    }
    if let Some(call) = call {
        guard(|| call.finished(&end));
    }
}
