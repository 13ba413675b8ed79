//! Texts to and from C.

use steer::ffi::{steer_str, steer_string, steer_string_free, steer_string_text};

/// Bytes in the form in which the ABI takes texts.
pub fn text(bytes: &[u8]) -> steer_str {
    steer_str { data: bytes.as_ptr().cast(), length: bytes.len() }
}

/// Takes a text of the engine, and frees it. Empty if it is NULL.
pub(crate) fn take(string: *mut steer_string) -> String {
    // SAFETY: the engine handed out `string`, which may be NULL.
    let text = read(unsafe { steer_string_text(string) });
    // SAFETY: as above, and this is its last use.
    unsafe { steer_string_free(string) };
    text
}

/// A copy of a text of the engine, which must be UTF-8.
pub(crate) fn read(text: steer_str) -> String {
    if text.length == 0 {
        return String::new();
    }
    // SAFETY: callers pass texts that the engine keeps alive during this call.
    let bytes = unsafe { std::slice::from_raw_parts(text.data.cast::<u8>(), text.length) };
    std::str::from_utf8(bytes).expect("texts of the engine are UTF-8").to_owned()
}
