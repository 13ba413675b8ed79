//! `steer_last_error`: the text that goes with a status.
//!
//! A status says which kind of error occurred. Each function that returns another status than
//! STEER_OK keeps a text for its thread: see the rule on errors in `docs/ABI.md`.

use std::cell::RefCell;

use super::steer_status::*;
use super::text::{ReadText, steer_str};
use super::{guard, steer_status, steer_status_text};

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// `[any thread]`
/// Returns why the last function of this thread failed that returned another `steer_status` than
/// STEER_OK. Valid until the next one that fails. Functions that succeed leave it, and so do those
/// that return no status.
// Unguarded: it reads a text of this thread, if it can.
#[unsafe(no_mangle)]
pub extern "C" fn steer_last_error() -> steer_str {
    LAST_ERROR
        .try_with(|text| {
            text.try_borrow().map_or(steer_str::empty(), |text| steer_str::borrow(&text))
        })
        .unwrap_or(steer_str::empty())
}

/// Keeps the text for [`steer_last_error`], and returns the status.
pub(super) fn fail_with(status: steer_status, text: String) -> steer_status {
    // A thread that is ending keeps nothing.
    let _ = LAST_ERROR.try_with(|kept| *kept.borrow_mut() = text);
    status
}

/// The status of a result, whose text is kept if there is one.
pub(super) fn status_of(result: Result<(), (steer_status, String)>) -> steer_status {
    match result {
        Ok(()) => STEER_OK,
        Err((status, text)) => fail_with(status, text),
    }
}

/// Runs the body of a function that returns a status. The text for [`steer_last_error`] is the
/// function's name and the status's meaning.
pub(super) fn status_guard(
    function: &str,
    body: impl FnOnce() -> Result<(), steer_status>,
) -> steer_status {
    match guard(Err(STEER_PANIC), body) {
        Ok(()) => STEER_OK,
        Err(status) => fail_with(status, text_of(function, status)),
    }
}

/// Runs the body of a function that has texts of its own, by [`fail_with`]. Only a panic gets its
/// text here.
pub(super) fn worded_guard(function: &str, body: impl FnOnce() -> steer_status) -> steer_status {
    guard(None, || Some(body()))
        .unwrap_or_else(|| fail_with(STEER_PANIC, text_of(function, STEER_PANIC)))
}

/// The text of this thread's last error.
pub(super) fn last_error() -> String {
    LAST_ERROR.try_with(|text| text.borrow().clone()).unwrap_or_default()
}

/// A text for a status that needs no more details: the argument's name and the status's meaning.
pub(super) fn text_of(argument: &str, status: steer_status) -> String {
    // SAFETY: `steer_status_text` returns a static text.
    let text = unsafe { steer_status_text(status as i32).to_text() };
    format!("{argument}: {}", text.unwrap_or_default())
}
