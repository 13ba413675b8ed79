//! `steer_str` and slices.

use std::borrow::Cow;
use std::ffi::c_char;
use std::{ptr, slice, str};

use crate::abi::steer_str;

/// Returns `bytes` for the engine, which may read them as long as they live.
pub(super) fn borrow(bytes: &[u8]) -> steer_str {
    let data: *const c_char = bytes.as_ptr().cast();
    steer_str { data, length: bytes.len() }
}

/// Returns the bytes of a text of the engine.
///
/// # Safety
/// `text` is valid for `'a`.
pub(super) unsafe fn bytes<'a>(text: steer_str) -> &'a [u8] {
    // SAFETY: the caller's contract; a `steer_str` is valid bytes.
    unsafe { items(text.data.cast(), text.length) }
}

/// Returns a text that is UTF-8 by the contract of the ABI.
///
/// # Safety
/// `text` is valid for `'a`, and UTF-8.
pub(super) unsafe fn utf8<'a>(text: steer_str) -> &'a str {
    // SAFETY: the caller's contract.
    let bytes = unsafe { bytes(text) };
    // SAFETY: the caller's contract.
    unsafe { str::from_utf8_unchecked(bytes) }
}

/// Returns a text that may be any bytes. Replaces what is not UTF-8.
///
/// # Safety
/// `text` is valid for `'a`.
pub(super) unsafe fn lossy<'a>(text: steer_str) -> Cow<'a, str> {
    // SAFETY: the caller's contract.
    String::from_utf8_lossy(unsafe { bytes(text) })
}

/// Returns an array of the engine as a slice. `first` may be NULL if `count` is 0.
///
/// # Safety
/// If `count` is not 0, `first` points to `count` values that are valid for `'a`.
pub(super) unsafe fn items<'a, T>(first: *const T, count: usize) -> &'a [T] {
    let first = if count == 0 { ptr::NonNull::dangling().as_ptr() } else { first };
    // SAFETY: the caller's contract; an empty slice may start at any aligned address except NULL.
    unsafe { slice::from_raw_parts(first, count) }
}
