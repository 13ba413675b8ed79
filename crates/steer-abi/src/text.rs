//! `steer_str`: borrowed text.

use std::ffi::c_char;
use std::ptr;

/// Borrowed text. Usually UTF-8, which the reader must not assume. Not NUL-terminated. `data` may
/// be NULL when `length` is 0. The function that returns or takes it says how long it is valid.
/// This struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_str {
    /// The bytes.
    pub data: *const c_char,
    /// The number of bytes.
    pub length: usize,
}

impl steer_str {
    /// The empty text.
    pub const fn empty() -> steer_str {
        steer_str { data: ptr::null(), length: 0 }
    }

    /// Borrows a text, which must outlive the result.
    pub const fn borrow(text: &str) -> steer_str {
        steer_str { data: text.as_ptr().cast(), length: text.len() }
    }
}

// SAFETY: the bytes are immutable while the text is valid, so any thread may read them. The texts
// of `steer_api` and `steer_plugin`, which threads share, are static.
unsafe impl Send for steer_str {}
// SAFETY: as for Send.
unsafe impl Sync for steer_str {}
