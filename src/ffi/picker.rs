//! `steer_picker`: chooses a backend per call. The data plane: no lock, no allocation, no callback
//! on the usual path.

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

/// Chooses a backend per call. Immutable: its functions but `steer_picker_free` may be called from
/// many threads at once.
pub struct steer_picker {
    // First, as it must not outlive what follows.
    direct: Option<Direct>,
    guarded: GuardedPicker,
}

impl steer_picker {
    pub(super) fn into_raw(picker: GuardedPicker) -> *mut steer_picker {
        let custom = picker.as_any().and_then(|picker| picker.downcast_ref());
        let direct = custom.and_then(Direct::to);
        Box::into_raw(Box::new(steer_picker { direct, guarded: picker }))
    }

    /// What became of a choice that [`Direct::choose`] did not know what to do with.
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
    /// Send the call over the connection of a `steer_call_tracker`, and tell that how it goes.
    STEER_PICK_TRACKED = 4,
}

/// The outcome of a pick, small enough to come back in two registers. This struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_picked {
    /// A `steer_pick_kind`. Below 0: an argument was wrong, and this is minus a `steer_status`. As wide
    /// as a register, or else two halves would have to be put together in memory.
    pub kind: i64,
    /// With STEER_PICK_COMPLETE, the connection: the host's handle, as it came with the endpoint's
    /// report, valid as long as the picker. With STEER_PICK_FAIL and STEER_PICK_DROP, a
    /// `const steer_pick_failure *`, valid until this thread's next call of `steer_picker_pick`, and
    /// as long as the picker. With STEER_PICK_TRACKED, a `steer_call_tracker *`, which is the
    /// host's to free. Else NULL.
    pub value: *mut c_void,
}

/// Why a pick fails or drops its call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_pick_failure {
    /// `sizeof(steer_pick_failure)`, as the engine knows it.
    pub struct_size: usize,
    /// A gRPC status code, one that a data plane may produce (gRFC A54).
    pub code: i32,
    /// For people.
    pub message: steer_str,
}

/// What the picker wants to know of each call: an or of STEER_WANTS_…. It never changes. Any
/// thread. NULL wants nothing.
///
/// # Safety
/// `picker` is NULL or alive.
// Unguarded: it reads what the picker has said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_wants(picker: *const steer_picker) -> u32 {
    // SAFETY: NULL or alive by this function's contract.
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

/// Chooses for one call. Any thread, many at once.
///
/// `call` may be NULL when the picker wants nothing. A policy's fault is no error here: the pick
/// fails with INTERNAL (13), and what becomes of the policy is its author's choice.
///
/// # Safety
/// `picker` is NULL (STEER_NULL_ARGUMENT) or alive; `call` is NULL or readable with all that it
/// points at.
// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_picker_pick(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // Without a stack on this, the most usual path: stores are what a reference count's atomic has to
    // wait for. So what else there is gets a function that this jumps to.
    // SAFETY: NULL or alive by this function's contract.
    match unsafe { picker.as_ref() }.and_then(|picker| picker.guarded.next_in_rotation()) {
        Some(handle) => completed(handle),
        // SAFETY: by this function's contract.
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

/// A pick of one's own that asks for nothing; else [`pick_any`].
///
/// # Safety
/// As for `steer_picker_pick`.
// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
#[inline(never)]
unsafe extern "C" fn pick_directly(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // SAFETY: by this function's contract.
    let Some(asked) = (unsafe { picker.as_ref() }) else { return refused(STEER_NULL_ARGUMENT) };
    match &asked.direct {
        Some(direct) if !asked.guarded.is_poisoned() => match direct.choose() {
            Ok(handle) => completed(handle),
            Err(choice) => asked.answer(choice),
        },
        // SAFETY: by this function's contract.
        _ => unsafe { pick_any(picker, call) },
    }
}

/// A pick of any picker. Apart from the others, which leave what is rare to it.
///
/// # Safety
/// As for `steer_picker_pick`, and `picker` is not NULL.
// Unguarded: the picks of the engine guard themselves (`GuardedPicker`), and the rest cannot panic.
#[inline(never)]
unsafe extern "C" fn pick_any(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // SAFETY: by this function's contract.
    let picker = unsafe { &*picker };
    // Without `guard`: GuardedPicker is the guard, and the rest cannot panic.
    let pick = if call.is_null() {
        picker.guarded.pick(Call::UNKNOWN)
    } else {
        // SAFETY: by this function's contract.
        let call = match unsafe { read(call) } {
            Ok(call) => call,
            Err(status) => return refused(status),
        };
        let request_hash = (call.has_request_hash != 0).then_some(call.request_hash);
        let wants = picker.guarded.wants();
        if !wants.path && wants.headers.is_none() {
            return answer(picker.guarded.pick(&Call { request_hash, ..*Call::UNKNOWN }));
        }
        // SAFETY: by this function's contract.
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

/// The headers of a host's call, as far as the picker has declared that it reads them.
struct CHeaders<'a> {
    call: &'a steer_call,
    declared: &'a [String],
}

impl Headers for CHeaders<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        // A picker that asks by what it has declared needs no comparison of the text.
        let is_name = |declared: &String| ptr::eq(declared.as_str(), name) || declared == name;
        if !self.declared.iter().any(is_name) {
            return None;
        }
        let header = self.call.header?;
        let mut value = steer_str::empty();
        // SAFETY: the host's function, with the host's `ctx`, during the pick; see `steer_call`.
        let found = unsafe { header(self.call.ctx, steer_str::borrow(name), &mut value) };
        if found == 0 {
            return None;
        }
        // SAFETY: valid until the pick is over, as `steer_call` says, which this does not outlive.
        unsafe { plain_array(value.data.cast(), value.length) }.ok().map(Cow::Borrowed)
    }

    fn add(&self, name: &str, value: &[u8]) -> bool {
        let Some(add_header) = self.call.add_header else { return false };
        let value = steer_str { data: value.as_ptr().cast(), length: value.len() };
        is_header_name(name)
            // SAFETY: as in `get`.
            && unsafe { add_header(self.call.ctx, steer_str::borrow(name), value) } != 0
    }
}

/// Keeps a failure where C can read it until this thread's next one.
fn failed(kind: steer_pick_kind, status: Cow<'_, Status>) -> steer_picked {
    struct BackendCache {
        failure: steer_pick_failure,
        /// What `failure.message` points at when it was made for one pick.
        text: String,
    }
    thread_local! {
        static KEPT: RefCell<BackendCache> = const {
            let failure = steer_pick_failure { struct_size: 0, code: 0, message: steer_str::empty() };
            RefCell::new(BackendCache { failure, text: String::new() })
        };
    }
    let kept = KEPT.try_with(|kept| {
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
        // The thread is ending, and there is no place to keep anything.
        Err(_) => refused(STEER_PANIC),
    }
}

/// Frees a picker. Any thread, when no pick of it is under way. NULL is fine. `connection_free` comes
/// within this call for the connections that nothing else holds.
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
