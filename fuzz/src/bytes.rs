//! Texts to and from C.

use steer::ffi::{steer_str, steer_string, steer_string_free, steer_string_text};

/// Bytes as the ABI takes texts.
pub fn text(bytes: &[u8]) -> steer_str {
    steer_str { data: bytes.as_ptr().cast(), length: bytes.len() }
}

/// A text that the engine gave out; empty when it is NULL.
pub(crate) fn take(string: *mut steer_string) -> String {
    // SAFETY: NULL or alive.
    let text = read(unsafe { steer_string_text(string) });
    // SAFETY: it is not used any more.
    unsafe { steer_string_free(string) };
    text
}

/// A copy of a text of the engine's, which must be UTF-8.
pub(crate) fn read(text: steer_str) -> String {
    if text.length == 0 {
        return String::new();
    }
    // SAFETY: the engine's texts are alive for as long as they are read here.
    let bytes = unsafe { std::slice::from_raw_parts(text.data.cast::<u8>(), text.length) };
    std::str::from_utf8(bytes).expect("texts of the engine are UTF-8").to_owned()
}
