//! `steer_choice`: what a `pick` returns, and what was said on the way there.
//!
//! A status or a state does not fit into two registers. So `fail`, `drop`, `complete_tracked` and
//! `fault` leave it with the thread, and the choice that they return only says that it is there:
//! nothing that a picker makes up can be taken for a pointer. Each has a number, which its choice carries:
//! so what one picker said is never taken for another's.
//!
//! Must not know: how a picker is run.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::mem;

use steer_abi::{steer_choice, steer_choice_kind, steer_str};

use crate::fault::raise;
use crate::ffi::text::ReadText;
use crate::sync::Handle;
use crate::{Code, Status};

/// A pick may make several choices, and return any of them: of each kind, so many are kept. What
/// more a pick makes without returning it is a mistake.
const MOST: usize = 16;

/// What was said of one kind, by numbers, the latest last.
struct Latest<T>(VecDeque<(u64, T)>);

impl<T> Latest<T> {
    const fn none() -> Latest<T> {
        Latest(VecDeque::new())
    }

    fn keep(&mut self, number: u64, what: T) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((number, what));
    }

    fn take(&mut self, number: u64) -> Option<T> {
        let place = self.0.iter().rposition(|(kept, _)| *kept == number)?;
        self.0.remove(place).map(|(_, what)| what)
    }

    fn take_last(&mut self) -> Option<T> {
        let last = self.0.pop_back().map(|(_, what)| what);
        self.0.clear();
        last
    }
}

/// What the hooks of this thread have said last.
struct Said {
    /// How much was said.
    numbers: u64,
    failures: Latest<Status>,
    tracked: Latest<(u64, Handle)>,
    faults: Latest<String>,
}

thread_local! {
    static SAID: RefCell<Said> = const {
        RefCell::new(Said {
            numbers: 0,
            failures: Latest::none(),
            tracked: Latest::none(),
            faults: Latest::none(),
        })
    };
}

/// Nothing is said any more at a thread's end.
fn with<T>(body: impl FnOnce(&mut Said) -> T) -> Option<T> {
    SAID.try_with(|said| said.try_borrow_mut().ok().map(|mut said| body(&mut said))).ok().flatten()
}

/// The status of the `fail` or `drop` whose choice has this number.
pub(super) fn take_failure(number: u64) -> Option<Status> {
    with(|said| said.failures.take(number)).flatten()
}

/// The backend and the state of the `complete_tracked` whose choice has this number.
pub(super) fn take_tracked(number: u64) -> Option<(u64, Handle)> {
    with(|said| said.tracked.take(number)).flatten()
}

/// The text of the `fault` whose choice has this number.
pub(super) fn take_fault(number: u64) -> Option<String> {
    with(|said| said.faults.take(number)).flatten()
}

/// Calls a hook, to hear what it says: nothing of it was said before.
pub(super) fn listen<T>(hook: impl FnOnce() -> T) -> T {
    with(|said| (said.failures.take_last(), said.faults.take_last()));
    hook()
}

/// What the thread had said when this was made. Dropping it puts that back, so that nothing said in
/// between is taken for the former hook's.
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
        with(|said| {
            mem::swap(&mut said.failures, &mut self.failures);
            mem::swap(&mut said.tracked, &mut self.tracked);
            mem::swap(&mut said.faults, &mut self.faults);
        });
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.swap();
    }
}

/// The failure that the hook has said, if any.
pub(super) fn failure_said() -> Option<Status> {
    with(|said| said.failures.take_last()).flatten()
}

/// The fault that the hook has said, if any.
pub(super) fn fault_said() -> Option<String> {
    with(|said| said.faults.take_last()).flatten()
}

/// Ends the policy's call for a hook that has failed, with what it has said.
pub(super) fn raise_failed(hook: &'static str) -> ! {
    raise(hook, fault_said().unwrap_or_else(|| "it did not say why (steer_api.fault)".to_owned()))
}

/// Ends the policy's call if a hook that returns nothing has said a fault.
pub(super) fn raise_if_said(hook: &'static str) {
    if let Some(text) = fault_said() {
        raise(hook, text);
    }
}

/// Keeps what is said, and makes the choice that says so.
fn say(kind: steer_choice_kind, keep: impl FnOnce(&mut Said, u64)) -> steer_choice {
    let number = with(|said| {
        said.numbers += 1;
        let number = said.numbers;
        keep(said, number);
        number
    });
    steer_choice { kind: kind as i64, value: number.unwrap_or(0) }
}

/// # Safety
/// `message` is readable.
unsafe fn failure(kind: steer_choice_kind, code: i32, message: steer_str) -> steer_choice {
    // SAFETY: by this function's contract.
    let message = unsafe { message.to_text() }.unwrap_or_default();
    let what = Status::new(Code::from_number(code), message);
    say(kind, |said, number| said.failures.keep(number, what))
}

// Unguarded: it copies what is said, for this thread.
pub(super) unsafe extern "C" fn fail(code: i32, message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    unsafe { failure(steer_choice_kind::STEER_CHOICE_FAIL, code, message) }
}

// Unguarded: it copies what is said, for this thread.
pub(super) unsafe extern "C" fn drop(code: i32, message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    unsafe { failure(steer_choice_kind::STEER_CHOICE_DROP, code, message) }
}

// Unguarded: it copies what is said, for this thread.
pub(super) unsafe extern "C" fn complete_tracked(backend: u64, state: *mut c_void) -> steer_choice {
    let what = (backend, Handle::new(state));
    let kind = steer_choice_kind::STEER_CHOICE_TRACKED;
    say(kind, |said, number| said.tracked.keep(number, what))
}

// Unguarded: it copies what is said, for this thread.
pub(super) unsafe extern "C" fn fault(message: steer_str) -> steer_choice {
    // SAFETY: readable, as `steer_api` says.
    let what = unsafe { message.to_text() }.unwrap_or_default();
    let kind = steer_choice_kind::STEER_CHOICE_FAULT;
    say(kind, |said, number| said.faults.keep(number, what))
}
