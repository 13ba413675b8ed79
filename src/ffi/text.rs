//! `steer_str` (borrowed) and `steer_string` (owned): text as it crosses.

use std::borrow::Cow;

pub use steer_abi::steer_str;

use super::guard;

/// From C's text to Rust's.
pub(super) trait ReadText {
    /// The text, with what is not UTF-8 replaced by U+FFFD; none when the length is absurd. Copies
    /// only then.
    ///
    /// # Safety
    /// `data` points at `length` bytes that nobody writes to during `'a`, or is NULL.
    unsafe fn to_cow<'a>(self) -> Option<Cow<'a, str>>;

    /// [`to_cow`](Self::to_cow), to be kept.
    ///
    /// # Safety
    /// `data` points at `length` bytes that nobody writes to during the call, or is NULL.
    unsafe fn to_text(self) -> Option<String>;
}

impl ReadText for steer_str {
    unsafe fn to_cow<'a>(self) -> Option<Cow<'a, str>> {
        if self.data.is_null() {
            return (self.length == 0).then_some(Cow::Borrowed(""));
        }
        if isize::try_from(self.length).is_err() {
            return None;
        }
        // SAFETY: not NULL, no longer than isize::MAX, and readable by this function's contract.
        let bytes = unsafe { std::slice::from_raw_parts(self.data.cast::<u8>(), self.length) };
        Some(String::from_utf8_lossy(bytes))
    }

    unsafe fn to_text(self) -> Option<String> {
        // SAFETY: by this function's contract.
        unsafe { self.to_cow() }.map(Cow::into_owned)
    }
}

/// Text that the engine made and the caller frees.
pub struct steer_string(String);

impl steer_string {
    pub(super) fn into_raw(text: String) -> *mut steer_string {
        Box::into_raw(Box::new(steer_string(text)))
    }
}

/// The text of a string, valid until it is freed. Any thread. NULL gives the empty text.
///
/// # Safety
/// `string` is NULL or came from this library and is not freed yet.
// Unguarded: it reads a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_string_text(string: *const steer_string) -> steer_str {
    // SAFETY: NULL or alive, by this function's contract.
    let string = unsafe { string.as_ref() };
    string.map_or(steer_str::empty(), |string| steer_str::borrow(&string.0))
}

/// Frees a string. Any thread. NULL is fine.
///
/// # Safety
/// `string` is NULL or came from this library and is not freed yet; nobody uses it during or after
/// this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_string_free(string: *mut steer_string) {
    if string.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: made by `into_raw` and not freed yet, by this function's contract.
        drop(unsafe { Box::from_raw(string) });
    });
}
