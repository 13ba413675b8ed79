//! `steer_picker`: chooses a backend for each call. This is the data plane: the common path takes
//! no lock, allocates nothing and makes no callback.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use steer_abi::steer_choice;
pub use steer_abi::{
    STEER_WANTS_HEADERS, STEER_WANTS_METRICS, STEER_WANTS_PATH, STEER_WANTS_REQUEST_HASH,
    steer_call,
};
use steer_pick_kind::*;

use super::custom::{CustomPicker, Direct};
use super::steer_status::*;
use super::text::{ReadText, steer_str};
use super::tracker::steer_call_tracker;
use super::versioned::{Versioned, plain_array, read};
use super::{guard, steer_status};
use crate::Status;
use crate::calls::{Call, Headers, is_header_name};
use crate::policy::{GuardedPicker, Pick};
use crate::sync::Handle;

/// Chooses a backend for each call. Immutable: many threads may pick at once.
pub struct steer_picker {
    // Dropped before `guarded`, whose picker it points into.
    direct: Option<Direct>,
    guarded: GuardedPicker,
}

impl steer_picker {
    pub(super) fn into_raw(picker: GuardedPicker) -> *mut steer_picker {
        let custom = picker.as_any().and_then(|picker| picker.downcast_ref());
        let direct = custom.and_then(Direct::to);
        Box::into_raw(Box::new(steer_picker { direct, guarded: picker }))
    }

    /// Handles a choice other than a backend, or with an index that is out of range.
    #[inline(never)]
    fn answer(&self, choice: steer_choice) -> steer_picked {
        let custom = self.guarded.as_any().and_then(|picker| picker.downcast_ref::<CustomPicker>());
        let pick = custom.map_or(Pick::Queue, |picker| picker.answer(choice));
        answer(self.guarded.check(pick))
    }
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs.
unsafe impl Versioned for steer_call {
    const FIRST_SIZE: usize = offset_of!(steer_call, path) + size_of::<steer_str>();
}

/// The result of a pick.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_pick_kind {
    /// Send the call over the connection in `value`.
    STEER_PICK_COMPLETE = 0,
    /// Let the call wait for the next picker.
    STEER_PICK_QUEUE = 1,
    /// Fail the call with the `steer_pick_failure` in `value`, unless it waits for ready.
    STEER_PICK_FAIL = 2,
    /// Fail the call with the `steer_pick_failure` in `value` in any case, and do not retry it.
    STEER_PICK_DROP = 3,
    /// Send the call over the connection of the `steer_call_tracker` in `value`, and report the
    /// call's start and end to the tracker.
    STEER_PICK_TRACKED = 4,
}

/// The result of a pick. It returns in two registers, and this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_picked {
    /// A `steer_pick_kind`. Below 0: an argument was wrong, and this is minus a `steer_status`. As
    /// wide as a register: compilers would combine two narrower fields in memory.
    pub kind: i64,
    /// With STEER_PICK_COMPLETE, the connection: the host's handle, as it came with the endpoint's
    /// report. Valid as long as the picker. With STEER_PICK_FAIL and STEER_PICK_DROP, a pointer to
    /// a `const steer_pick_failure`. Valid until this thread's next call of `steer_picker_pick`,
    /// and not longer than the picker. With STEER_PICK_TRACKED, a `steer_call_tracker`, which the
    /// host frees. Otherwise NULL.
    pub value: *mut c_void,
}

/// Why a pick fails or drops its call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_pick_failure {
    /// `sizeof(steer_pick_failure)`, as the engine knows it.
    pub struct_size: usize,
    /// A gRPC status code that a data plane may produce (gRFC A54).
    pub code: i32,
    /// The text for people.
    pub message: steer_str,
}

/// `[any thread]`
/// Returns which parts of each call the picker reads: STEER_WANTS_… bits. They never change. 0 for
/// NULL.
///
/// # Safety
/// `picker` is NULL or came with `update_state` and is not freed.
// Unguarded: it reads fields of the picker.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_wants(picker: *const steer_picker) -> u32 {
    // SAFETY: `picker` is NULL or not freed (caller's contract).
    let picker = unsafe { picker.as_ref() };
    picker.map_or(0, |picker| {
        let wants = picker.guarded.wants();
        let bit = |wanted: bool, bit| if wanted { bit } else { 0 };
        bit(wants.path, STEER_WANTS_PATH)
            | bit(wants.headers.is_some(), STEER_WANTS_HEADERS)
            | bit(wants.metrics, STEER_WANTS_METRICS)
            | bit(wants.request_hash, STEER_WANTS_REQUEST_HASH)
    })
}

/// `[any thread]`
/// Chooses a backend for one call.
///
/// `call` may be NULL when the picker wants nothing. A fault of the policy is not an error here:
/// the pick fails with INTERNAL (13), and the policy's author chooses what happens to the policy.
///
/// # Safety
/// `picker` is NULL (STEER_NULL_ARGUMENT) or came with `update_state` and is not freed; `call` is
/// NULL or readable, and so is the memory that it points to.
// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_pick(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // This most common path uses no stack, because the atomic of a reference count waits for
    // earlier stores. So the other cases are in a function that this one jumps to.
    // SAFETY: `picker` is NULL or not freed (caller's contract).
    match unsafe { picker.as_ref() }.and_then(|picker| picker.guarded.next_in_rotation()) {
        Some(handle) => completed(handle),
        // SAFETY: `picker` and `call` are as documented (caller's contract).
        None => unsafe { pick_directly(picker, call) },
    }
}

// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
extern "C" fn refused(status: steer_status) -> steer_picked {
    let kind = -i64::from(status as i32);
    steer_picked { kind, value: ptr::null_mut() }
}

#[inline(always)]
fn completed(connection: Handle) -> steer_picked {
    let value = connection.pointer();
    steer_picked { kind: STEER_PICK_COMPLETE as i64, value }
}

/// A pick by a custom picker that reads nothing of the call. Otherwise [`pick_any`].
///
/// # Safety
/// As for `steer_picker_pick`.
// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
#[inline(never)]
unsafe extern "C" fn pick_directly(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // SAFETY: `picker` is NULL or not freed (caller's contract).
    let Some(asked) = (unsafe { picker.as_ref() }) else { return refused(STEER_NULL_ARGUMENT) };
    match &asked.direct {
        Some(direct) if !asked.guarded.is_poisoned() => match direct.choose() {
            Ok(handle) => completed(handle),
            Err(choice) => asked.answer(choice),
        },
        // SAFETY: `picker` is not NULL, and both are as documented (caller's contract).
        _ => unsafe { pick_any(picker, call) },
    }
}

/// A pick by any picker. Apart from the functions above, which leave the rare cases to it.
///
/// # Safety
/// As for `steer_picker_pick`, and `picker` is not NULL.
// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
#[inline(never)]
unsafe extern "C" fn pick_any(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // SAFETY: `picker` is not NULL and not freed (caller's contract).
    let picker = unsafe { &*picker };
    let pick = if call.is_null() {
        picker.guarded.pick(Call::UNKNOWN)
    } else {
        // SAFETY: not NULL, so `call` is readable (caller's contract).
        let call = match unsafe { read(call) } {
            Ok(call) => call,
            Err(status) => return refused(status),
        };
        let request_hash = (call.has_request_hash != 0).then_some(call.request_hash);
        let wants = picker.guarded.wants();
        if !wants.path && wants.headers.is_none() {
            return answer(picker.guarded.pick(&Call { request_hash, ..*Call::UNKNOWN }));
        }
        // SAFETY: the call's path is readable (caller's contract).
        let Some(path) = (unsafe { call.path.to_cow() }) else {
            return refused(STEER_INVALID_ARGUMENT);
        };
        let declared = wants.headers.as_deref().unwrap_or_default();
        let headers = &CHeaders { call: &call, declared };
        picker.guarded.pick(&Call { path: &path, headers, request_hash })
    };
    answer(pick)
}

fn answer(pick: Pick<'_>) -> steer_picked {
    match pick {
        Pick::Complete(connection) => completed(connection.handle()),
        Pick::Queue => steer_picked { kind: STEER_PICK_QUEUE as i64, value: ptr::null_mut() },
        Pick::Fail(status) => failed(STEER_PICK_FAIL, Cow::Borrowed(status)),
        Pick::Drop(status) => failed(STEER_PICK_DROP, Cow::Borrowed(status)),
        Pick::FailWith(status) => failed(STEER_PICK_FAIL, Cow::Owned(*status)),
        Pick::DropWith(status) => failed(STEER_PICK_DROP, Cow::Owned(*status)),
        Pick::Tracked(slot) => {
            let value = steer_call_tracker::into_raw(slot).cast();
            steer_picked { kind: STEER_PICK_TRACKED as i64, value }
        }
        Pick::Fault(text) => failed(STEER_PICK_FAIL, Cow::Owned(Status::internal(*text))),
    }
}

/// The headers of a host's call. Shows only those that the picker has declared.
struct CHeaders<'a> {
    call: &'a steer_call,
    declared: &'a [String],
}

impl Headers for CHeaders<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        // A picker usually asks with the text that it declared. Then the pointers are equal.
        let is_name = |declared: &String| ptr::eq(declared.as_str(), name) || declared == name;
        if !self.declared.iter().any(is_name) {
            return None;
        }
        let header = self.call.header?;
        let mut value = steer_str::empty();
        // SAFETY: `steer_call` says that the host's function takes its `ctx` during the pick.
        let found = unsafe { header(self.call.ctx, steer_str::borrow(name), &mut value) };
        if found == 0 {
            return None;
        }
        // SAFETY: `steer_call` says that the value is valid until the pick ends, and `self` does
        // not outlive the pick.
        unsafe { plain_array(value.data.cast(), value.length) }.ok().map(Cow::Borrowed)
    }

    fn add(&self, name: &str, value: &[u8]) -> bool {
        let Some(add_header) = self.call.add_header else { return false };
        let value = steer_str { data: value.as_ptr().cast(), length: value.len() };
        is_header_name(name)
            // SAFETY: `steer_call` says that the host's function takes its `ctx` during the pick.
            && unsafe { add_header(self.call.ctx, steer_str::borrow(name), value) } != 0
    }
}

/// Keeps a failure for C to read until this thread's next failure.
fn failed(kind: steer_pick_kind, status: Cow<'_, Status>) -> steer_picked {
    struct LastFailure {
        failure: steer_pick_failure,
        /// The memory of `failure.message`, when the failure was made for one pick.
        text: String,
    }
    thread_local! {
        static LAST_FAILURE: RefCell<LastFailure> = const {
            let message = steer_str::empty();
            let failure = steer_pick_failure { struct_size: 0, code: 0, message };
            RefCell::new(LastFailure { failure, text: String::new() })
        };
    }
    let kept = LAST_FAILURE.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        let code = status.code as i32;
        let message = match status {
            Cow::Borrowed(status) => steer_str::borrow(&status.message),
            Cow::Owned(status) => {
                kept.text = status.message;
                steer_str::borrow(&kept.text)
            }
        };
        let struct_size = size_of::<steer_pick_failure>();
        kept.failure = steer_pick_failure { struct_size, code, message };
        ptr::from_mut(&mut kept.failure).cast()
    });
    match kept {
        Ok(value) => steer_picked { kind: kind as i64, value },
        // The thread is ending and keeps nothing.
        Err(_) => refused(STEER_PANIC),
    }
}

/// `[any thread]`
/// Frees a picker, when no pick uses it. Does nothing for NULL. `connection_free` comes within this
/// call for connections that nothing else holds.
///
/// # Safety
/// `picker` is NULL or came with `update_state` and is not freed; nobody uses it during or after
/// this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_free(picker: *mut steer_picker) {
    if picker.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: `picker` came from `into_raw` with `update_state` and is not freed (caller's
        // contract).
        drop(unsafe { Box::from_raw(picker) });
    });
}
