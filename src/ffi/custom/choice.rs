//! `steer_choice`: the result of a custom `pick`, and the texts and states that belong to it.
//!
//! A status or a state does not fit into two registers. So `fail`, `drop`, `complete_tracked` and
//! `fault` keep it for their thread, and return a choice with its number. The engine looks the
//! number up, so it never takes a number that a picker made up for a pointer. Each number is used
//! once, so the status of one picker is never taken for that of another.
//!
//! Must not depend on: how a picker runs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::mem;

use steer_abi::{steer_choice, steer_choice_kind, steer_str};

use crate::fault::raise;
use crate::ffi::text::ReadText;
use crate::sync::Handle;
use crate::{Code, Status};

/// How many values of each kind a thread keeps. A pick may make this many choices and return any of
/// them, as `steer_api.fail` documents.
const MOST: usize = 16;

/// The latest values of one kind with their numbers, the newest last.
struct Latest<T>(VecDeque<(u64, T)>);

impl<T> Latest<T> {
    const fn none() -> Latest<T> {
        Latest(VecDeque::new())
    }

    fn keep(&mut self, number: u64, value: T) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((number, value));
    }

    fn take(&mut self, number: u64) -> Option<T> {
        let place = self.0.iter().rposition(|(kept, _)| *kept == number)?;
        self.0.remove(place).map(|(_, value)| value)
    }

    fn take_last(&mut self) -> Option<T> {
        let last = self.0.pop_back().map(|(_, value)| value);
        self.0.clear();
        last
    }
}

/// The values that the hooks of this thread have given to the engine.
struct Given {
    /// The number of the latest value.
    numbers: u64,
    failures: Latest<Status>,
    tracked: Latest<(u64, Handle)>,
    faults: Latest<String>,
}

thread_local! {
    static GIVEN: RefCell<Given> = const {
        RefCell::new(Given {
            numbers: 0,
            failures: Latest::none(),
            tracked: Latest::none(),
            faults: Latest::none(),
        })
    };
}

/// None when the thread is ending.
fn with<T>(body: impl FnOnce(&mut Given) -> T) -> Option<T> {
    GIVEN.try_with(|given| given.try_borrow_mut().ok().map(|mut given| body(&mut given))).ok()?
}

/// The status of the `fail` or `drop` whose choice has this number.
pub(super) fn take_failure(number: u64) -> Option<Status> {
    with(|given| given.failures.take(number)).flatten()
}

/// The backend and the state of the `complete_tracked` whose choice has this number.
pub(super) fn take_tracked(number: u64) -> Option<(u64, Handle)> {
    with(|given| given.tracked.take(number)).flatten()
}

/// The text of the `fault` whose choice has this number.
pub(super) fn take_fault(number: u64) -> Option<String> {
    with(|given| given.faults.take(number)).flatten()
}

/// Calls a hook. Forgets earlier failures and faults first, so that later ones are the hook's.
pub(super) fn listen<T>(hook: impl FnOnce() -> T) -> T {
    with(|given| (given.failures.take_last(), given.faults.take_last()));
    hook()
}

/// Sets the thread's values aside while another hook runs within a hook. Dropping it restores them,
/// so that the values of the inner hook are not taken for those of the outer one.
pub(super) struct Aside {
    failures: Latest<Status>,
    tracked: Latest<(u64, Handle)>,
    faults: Latest<String>,
}

impl Aside {
    pub(super) fn new() -> Aside {
        let mut aside =
            Aside { failures: Latest::none(), tracked: Latest::none(), faults: Latest::none() };
        aside.swap();
        aside
    }

    fn swap(&mut self) {
        with(|given| {
            mem::swap(&mut given.failures, &mut self.failures);
            mem::swap(&mut given.tracked, &mut self.tracked);
            mem::swap(&mut given.faults, &mut self.faults);
        });
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.swap();
    }
}

/// The failure that the hook has given, if any.
pub(super) fn last_failure() -> Option<Status> {
    with(|given| given.failures.take_last()).flatten()
}

/// The fault that the hook has reported, if any.
pub(super) fn last_fault() -> Option<String> {
    with(|given| given.faults.take_last()).flatten()
}

/// Raises a fault for a hook that has failed, with the text that the hook reported.
pub(super) fn raise_failed(hook: &'static str) -> ! {
    raise(hook, last_fault().unwrap_or_else(|| "it did not say why (steer_api.fault)".to_owned()))
}

/// Raises a fault if a hook that returns nothing has reported one.
pub(super) fn raise_if_reported(hook: &'static str) {
    if let Some(text) = last_fault() {
        raise(hook, text);
    }
}

/// Keeps a value, and makes the choice with its number.
fn give(kind: steer_choice_kind, keep: impl FnOnce(&mut Given, u64)) -> steer_choice {
    let number = with(|given| {
        given.numbers += 1;
        let number = given.numbers;
        keep(given, number);
        number
    });
    steer_choice { kind: kind as i64, value: number.unwrap_or(0) }
}

/// # Safety
/// `message` is readable.
unsafe fn failure(kind: steer_choice_kind, code: i32, message: steer_str) -> steer_choice {
    // SAFETY: `message` is readable (caller's contract).
    let message = unsafe { message.to_text() }.unwrap_or_default();
    let status = Status::new(Code::from_number(code), message);
    give(kind, |given, number| given.failures.keep(number, status))
}

// Unguarded: it copies a text for this thread.
pub(super) unsafe extern "C" fn fail(code: i32, message: steer_str) -> steer_choice {
    // SAFETY: `message` is readable (rule of `steer_api`).
    unsafe { failure(steer_choice_kind::STEER_CHOICE_FAIL, code, message) }
}

// Unguarded: it copies a text for this thread.
pub(super) unsafe extern "C" fn drop(code: i32, message: steer_str) -> steer_choice {
    // SAFETY: `message` is readable (rule of `steer_api`).
    unsafe { failure(steer_choice_kind::STEER_CHOICE_DROP, code, message) }
}

// Unguarded: it copies a pointer for this thread.
pub(super) unsafe extern "C" fn complete_tracked(backend: u64, state: *mut c_void) -> steer_choice {
    let tracked = (backend, Handle::new(state));
    let kind = steer_choice_kind::STEER_CHOICE_TRACKED;
    give(kind, |given, number| given.tracked.keep(number, tracked))
}

/// Keeps a failure as the hook's, as `fail` does.
pub(super) fn give_failure(status: Status) {
    give(steer_choice_kind::STEER_CHOICE_FAIL, |given, number| given.failures.keep(number, status));
}

// Unguarded: it copies a pointer for this thread.
pub(super) unsafe extern "C" fn child_tracked(child: u64, state: *mut c_void) -> steer_choice {
    let tracked = (child, Handle::new(state));
    let kind = steer_choice_kind::STEER_CHOICE_CHILD_TRACKED;
    give(kind, |given, number| given.tracked.keep(number, tracked))
}

// Unguarded: it copies a text for this thread.
pub(super) unsafe extern "C" fn fault(message: steer_str) -> steer_choice {
    // SAFETY: `message` is readable (rule of `steer_api`).
    let text = unsafe { message.to_text() }.unwrap_or_default();
    let kind = steer_choice_kind::STEER_CHOICE_FAULT;
    give(kind, |given, number| given.faults.keep(number, text))
}
