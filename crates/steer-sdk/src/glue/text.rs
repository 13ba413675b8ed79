//! `steer_str` and slices.

use std::borrow::Cow;
use std::ffi::c_char;
use std::{ptr, slice, str};

use crate::abi::steer_str;

/// For the engine to read as long as `bytes` lives.
pub(super) fn borrow(bytes: &[u8]) -> steer_str {
    let data: *const c_char = bytes.as_ptr().cast();
    steer_str { data, length: bytes.len() }
}

/// What the engine lends.
///
/// # Safety
/// `text` is valid for `'a`.
pub(super) unsafe fn bytes<'a>(text: steer_str) -> &'a [u8] {
    // SAFETY: the caller's promise; a `steer_str` is valid bytes.
    unsafe { items(text.data.cast(), text.length) }
}

/// Text that the ABI says is UTF-8.
///
/// # Safety
/// `text` is valid for `'a`, and UTF-8.
pub(super) unsafe fn utf8<'a>(text: steer_str) -> &'a str {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(text) };
    // SAFETY: the caller's promise.
    unsafe { str::from_utf8_unchecked(bytes) }
}

/// Text of which the ABI says nothing.
///
/// # Safety
/// `text` is valid for `'a`.
pub(super) unsafe fn lossy<'a>(text: steer_str) -> Cow<'a, str> {
    // SAFETY: the caller's promise.
    String::from_utf8_lossy(unsafe { bytes(text) })
}

/// An array that the engine lends; NULL when it has no elements.
///
/// # Safety
/// `first` leads to `count` values that are valid for `'a`, unless that is 0.
pub(super) unsafe fn items<'a, T>(first: *const T, count: usize) -> &'a [T] {
    let first = if count == 0 { ptr::NonNull::dangling().as_ptr() } else { first };
    // SAFETY: the caller's promise; an empty slice may start anywhere but at NULL.
    unsafe { slice::from_raw_parts(first, count) }
}
