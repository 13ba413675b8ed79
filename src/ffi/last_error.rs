//! `steer_last_error`: the text that goes with a status.
//!
//! A status says which kind of error occurred. Functions that know more keep a text for their
//! thread: see the rule on errors in `docs/ABI.md`.

use std::cell::RefCell;

use super::steer_status;
use super::steer_status_text;
use super::text::{ReadText, steer_str};

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// `[any thread]`
/// Returns why the last function with such a text failed on this thread. These functions have one:
/// `steer_config_parse`, `steer_register_…`, `steer_load_…`, `steer_engine_follow` and
/// `steer_api.publish`. Valid until the next call of one of them on this thread.
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
