//! `steer_str`: a text.

use std::ffi::c_char;
use std::ptr;

/// Borrowed bytes, usually UTF-8, but that is never assumed. Not NUL-terminated. `data` may be NULL
/// if `length` is 0. The function that returns it documents how long it is valid. This struct never
/// grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_str {
    /// The bytes.
    pub data: *const c_char,
    /// The number of bytes.
    pub length: usize,
}

impl steer_str {
    /// Returns the empty text.
    pub const fn empty() -> steer_str {
        steer_str { data: ptr::null(), length: 0 }
    }

    /// Returns `text` for C. C may read it as long as `text` lives.
    pub const fn borrow(text: &str) -> steer_str {
        steer_str { data: text.as_ptr().cast(), length: text.len() }
    }
}

// SAFETY: whoever makes a `steer_str` lets any thread read its bytes; `steer_api` and
// `steer_plugin`, which threads share, document that for their texts.
unsafe impl Send for steer_str {}
// SAFETY: as for Send.
unsafe impl Sync for steer_str {}
