//! `steer_picker`: chooses a backend per call. The data plane: no lock, no allocation, no callback
//! on the usual path.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::offset_of;

use super::text::steer_str;
use super::versioned::{Versioned, read};
use super::{guard, steer_status, steer_status::*};
use crate::policy::{Call, GuardedPicker, Pick};
use crate::status::Status;

/// Chooses a backend per call. Immutable: its functions but `steer_picker_free` may be called from
/// many threads at once.
pub struct steer_picker(GuardedPicker);

impl steer_picker {
    pub(super) fn into_raw(picker: GuardedPicker) -> *mut steer_picker {
        Box::into_raw(Box::new(steer_picker(picker)))
    }
}

/// What a picker wants to know of each call: bits, to be or'ed.
pub const STEER_WANTS_PATH: u32 = 1;

/// What a picker may know of a call. All that it points at is read during the pick only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call {
    /// `sizeof(steer_call)`.
    pub struct_size: usize,
    /// "/service/method".
    pub path: steer_str,
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs.
unsafe impl Versioned for steer_call {
    const FIRST_SIZE: usize = offset_of!(steer_call, path) + size_of::<steer_str>();
}

/// What a pick led to.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_pick_kind {
    /// Send the call over `connection`.
    STEER_PICK_COMPLETE = 0,
    /// Wait for the next picker.
    STEER_PICK_QUEUE = 1,
    /// Fail the call with `code` and `message`, unless it waits for ready.
    STEER_PICK_FAIL = 2,
    /// Fail the call with `code` and `message` in any case, and do not retry it.
    STEER_PICK_DROP = 3,
}

/// The outcome of a pick.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_pick_result {
    /// `sizeof(steer_pick_result)`, set by the caller.
    pub struct_size: usize,
    /// A `steer_pick_kind`. The other fields are written only as it says.
    pub kind: i32,
    /// A gRPC status code, one that a data plane may produce (gRFC A54).
    pub code: i32,
    /// The host's handle, as it came with the endpoint's report. Valid as long as the picker.
    pub connection: *mut c_void,
    /// Valid until this thread's next call of `steer_picker_pick`, and as long as the picker.
    pub message: steer_str,
}

/// The size of `steer_pick_result` in ABI version 1. Never changes.
const FIRST_RESULT_SIZE: usize = offset_of!(steer_pick_result, message) + size_of::<steer_str>();

/// What the picker wants to know of each call: an or of STEER_WANTS_…. It never changes. Any
/// thread. NULL wants nothing.
///
/// # Safety
/// `picker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_wants(picker: *const steer_picker) -> u32 {
    // SAFETY: NULL or alive by this function's contract.
    let picker = unsafe { picker.as_ref() };
    picker.map_or(0, |picker| {
        if picker.0.wants().path {
            STEER_WANTS_PATH
        } else {
            0
        }
    })
}

/// Chooses for one call. Any thread, many at once.
///
/// `call` may be NULL when the picker wants nothing. A policy's fault is not an error here: the
/// pick then fails with INTERNAL (13), and the policy goes on as round robin.
///
/// # Safety
/// `picker` is NULL (STEER_NULL_ARGUMENT) or alive; `call` is NULL or readable with all that it
/// points at; `result` is NULL (STEER_NULL_ARGUMENT) or has its size set and can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_pick(
    picker: *const steer_picker,
    call: *const steer_call,
    result: *mut steer_pick_result,
) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let Some(picker) = (unsafe { picker.as_ref() }) else {
        return STEER_NULL_ARGUMENT;
    };
    if result.is_null() {
        return STEER_NULL_ARGUMENT;
    }
    // SAFETY: not NULL, and readable by this function's contract.
    let size = unsafe { (*result).struct_size };
    if size < FIRST_RESULT_SIZE {
        return STEER_BAD_STRUCT_SIZE;
    }
    // Without `guard`: on this path GuardedPicker is the guard, and the rest cannot panic.
    let pick = if call.is_null() {
        picker.0.pick(&Call::default())
    } else {
        // SAFETY: readable by this function's contract.
        match unsafe { path_of(call) } {
            Ok(path) => picker.0.pick(&Call { path: &path }),
            Err(status) => return status,
        }
    };
    let (kind, status) = match pick {
        Pick::Complete(connection) => {
            // SAFETY: writable by this function's contract, and large enough.
            unsafe { (*result).kind = steer_pick_kind::STEER_PICK_COMPLETE as i32 };
            let connection = connection.handle().pointer();
            // SAFETY: the same.
            unsafe { (*result).connection = connection };
            return STEER_OK;
        }
        Pick::Queue => {
            // SAFETY: the same.
            unsafe { (*result).kind = steer_pick_kind::STEER_PICK_QUEUE as i32 };
            return STEER_OK;
        }
        Pick::Fail(status) => (steer_pick_kind::STEER_PICK_FAIL, status),
        Pick::Drop(status) => (steer_pick_kind::STEER_PICK_DROP, status),
    };
    // SAFETY: the same.
    unsafe { (*result).kind = kind as i32 };
    // SAFETY: the same.
    unsafe { (*result).code = status.code as i32 };
    let message = message_for_c(status);
    // SAFETY: the same.
    unsafe { (*result).message = message };
    STEER_OK
}

/// # Safety
/// `call` is not NULL, and readable during `'a` with all that it points at.
unsafe fn path_of<'a>(call: *const steer_call) -> Result<Cow<'a, str>, steer_status> {
    // SAFETY: by this function's contract.
    let call = unsafe { read(call) }?;
    // SAFETY: by this function's contract.
    unsafe { call.path.as_text() }.ok_or(STEER_INVALID_ARGUMENT)
}

/// A text that C can read until this thread's next pick: the picker's own lives long enough; one
/// that was made for this pick is kept here.
fn message_for_c(status: Cow<'_, Status>) -> steer_str {
    thread_local! {
        static MADE: RefCell<String> = const { RefCell::new(String::new()) };
    }
    match status {
        Cow::Borrowed(status) => steer_str::borrow(&status.message),
        Cow::Owned(status) => MADE
            .try_with(|made| {
                made.replace(status.message);
                steer_str::borrow(&made.borrow())
            })
            // The thread is ending: the code has to do.
            .unwrap_or(steer_str::empty()),
    }
}

/// Frees a picker. Any thread, when no pick of it is under way. NULL is fine.
///
/// # Safety
/// `picker` is NULL or came with `update_state` and is not freed yet; nobody uses it during or
/// after this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_free(picker: *mut steer_picker) {
    if picker.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: made by `into_raw` and not freed yet, by this function's contract.
        drop(unsafe { Box::from_raw(picker) });
    });
}
