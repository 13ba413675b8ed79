//! `steer_str`: text as it crosses.

use std::ffi::c_char;
use std::ptr;

/// Borrowed bytes, usually UTF-8 and never assumed to be. Not NUL-terminated. `data` may be NULL
/// when `length` is 0. Valid as long as the function that gives it says. This struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_str {
    /// The bytes.
    pub data: *const c_char,
    /// How many.
    pub length: usize,
}

impl steer_str {
    /// No text.
    pub const fn empty() -> steer_str {
        steer_str { data: ptr::null(), length: 0 }
    }

    /// For C to read as long as `text` lives.
    pub const fn borrow(text: &str) -> steer_str {
        steer_str { data: text.as_ptr().cast(), length: text.len() }
    }
}

// SAFETY: a pointer to bytes that whoever gives it lets any thread read, as `steer_api` and
// `steer_plugin`, which are shared, say of theirs.
unsafe impl Send for steer_str {}
// SAFETY: as for Send.
unsafe impl Sync for steer_str {}
