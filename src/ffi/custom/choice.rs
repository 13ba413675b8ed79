//! `steer_choice`: what a `pick` returns, and what was said on the way there.
//!
//! A status or a state does not fit into two registers. So `fail`, `drop`, `complete_tracked` and
//! `fault` leave it with the thread, and the choice that they return only says that it is there:
//! nothing that a picker makes up can be taken for a pointer.
//!
//! Must not know: how a picker is run.

use std::cell::RefCell;
use std::ffi::c_void;

use steer_abi::{steer_choice, steer_choice_kind, steer_str};

use crate::ffi::text::ReadText;
use crate::policy::raise;
use crate::status::{Code, Status};
use crate::sync::Handle;

/// What a thread's pick has said.
#[derive(Default)]
struct Said {
    failure: Option<Status>,
    tracked: Option<Tracked>,
    /// How many calls were to be tracked.
    numbers: u64,
    fault: Option<String>,
}

/// What `complete_tracked` was told.
struct Tracked {
    /// Its choice has this, so that no other choice is taken for it: another picker's hooks must never
    /// get this state.
    number: u64,
    backend: u64,
    state: Handle,
}

thread_local! {
    static SAID: RefCell<Said> = const {
        RefCell::new(Said { failure: None, tracked: None, numbers: 0, fault: None })
    };
}

/// Nothing is said any more at a thread's end.
fn with<T>(body: impl FnOnce(&mut Said) -> T) -> Option<T> {
    SAID.try_with(|said| said.try_borrow_mut().ok().map(|mut said| body(&mut said))).ok().flatten()
}

pub(super) fn take_failure() -> Option<Status> {
    with(|said| said.failure.take()).flatten()
}

/// The backend and the state of the latest `complete_tracked`, if its choice has this number.
pub(super) fn take_tracked(number: u64) -> Option<(u64, Handle)> {
    let tracked =
        with(|said| said.tracked.take_if(|tracked| tracked.number == number)).flatten()?;
    Some((tracked.backend, tracked.state))
}

pub(super) fn take_fault(otherwise: &str) -> String {
    fault_said().unwrap_or_else(|| otherwise.to_owned())
}

/// After a hook that returns nothing: a fault that it has said.
///
/// # Panics
/// [`raise`]s it.
pub(super) fn raise_fault_said() {
    if let Some(text) = fault_said() {
        raise(text);
    }
}

fn fault_said() -> Option<String> {
    with(|said| said.fault.take()).flatten()
}

fn choice(kind: steer_choice_kind) -> steer_choice {
    steer_choice { kind: kind as i64, value: 0 }
}

unsafe fn failure(kind: steer_choice_kind, code: i32, message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    let message = unsafe { message.to_text() }.unwrap_or_default();
    with(|said| said.failure = Some(Status::new(Code::from_number(code), message)));
    choice(kind)
}

pub(super) unsafe extern "C" fn fail(code: i32, message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    unsafe { failure(steer_choice_kind::STEER_CHOICE_FAIL, code, message) }
}

pub(super) unsafe extern "C" fn drop(code: i32, message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    unsafe { failure(steer_choice_kind::STEER_CHOICE_DROP, code, message) }
}

pub(super) unsafe extern "C" fn complete_tracked(backend: u64, state: *mut c_void) -> steer_choice {
    let state = Handle::new(state);
    let number = with(|said| {
        said.numbers += 1;
        said.tracked = Some(Tracked { number: said.numbers, backend, state });
        said.numbers
    });
    let kind = steer_choice_kind::STEER_CHOICE_TRACKED as i64;
    steer_choice { kind, value: number.unwrap_or(0) }
}

pub(super) unsafe extern "C" fn fault(message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    let message = unsafe { message.to_text() }.unwrap_or_default();
    with(|said| said.fault = Some(message));
    choice(steer_choice_kind::STEER_CHOICE_FAULT)
}
