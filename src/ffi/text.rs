//! `steer_str`, borrowed text, and `steer_string`, owned text.

use std::borrow::Cow;

pub use steer_abi::steer_str;

use super::guard;

/// Converts C's texts to Rust's.
pub(super) trait ReadText {
    /// The text. Bytes that are not UTF-8 are replaced by U+FFFD, which needs a copy. None when the
    /// length is absurd.
    ///
    /// # Safety
    /// `data` points at `length` bytes that nobody writes to during `'a`, or is NULL.
    unsafe fn to_cow<'a>(self) -> Option<Cow<'a, str>>;

    /// A copy of the text, as [`to_cow`](Self::to_cow) reads it.
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
        // SAFETY: not NULL, at most isize::MAX bytes, and nobody writes to them during `'a`
        // (caller's contract).
        let bytes = unsafe { std::slice::from_raw_parts(self.data.cast::<u8>(), self.length) };
        Some(String::from_utf8_lossy(bytes))
    }

    unsafe fn to_text(self) -> Option<String> {
        // SAFETY: nobody writes to the bytes during this call (caller's contract).
        unsafe { self.to_cow() }.map(Cow::into_owned)
    }
}

/// A text that the engine made and the caller frees.
pub struct steer_string(String);

impl steer_string {
    pub(super) fn into_raw(text: String) -> *mut steer_string {
        Box::into_raw(Box::new(steer_string(text)))
    }
}

/// `[any thread]`
/// Returns the text of a string, valid until the string is freed. The empty text for NULL.
///
/// # Safety
/// `string` is NULL or came from this library and is not freed.
// Unguarded: it reads a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_string_text(string: *const steer_string) -> steer_str {
    // SAFETY: `string` is NULL or not freed (caller's contract).
    let string = unsafe { string.as_ref() };
    string.map_or(steer_str::empty(), |string| steer_str::borrow(&string.0))
}

/// `[any thread]`
/// Frees a string. Does nothing for NULL.
///
/// # Safety
/// `string` is NULL or came from this library and is not freed; nobody uses it during or after this
/// call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_string_free(string: *mut steer_string) {
    if string.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: `string` came from `into_raw` and is not freed (caller's contract).
        drop(unsafe { Box::from_raw(string) });
    });
}
