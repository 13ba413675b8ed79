//! Structs that grow: `struct_size` says how much of a struct the caller knows. The rest counts as
//! zero.

use std::mem::MaybeUninit;
use std::{ptr, slice};

use super::status::steer_status::{self, *};

/// A struct whose first field is `size_t struct_size`.
///
/// # Safety
/// The implementor is `repr(C)` and begins with a `usize` that is its size. All zeros are a valid
/// value.
pub(super) unsafe trait Versioned: Copy {
    /// Its size in the first ABI version that had it: the end of its last field then. Never
    /// changes.
    const FIRST_SIZE: usize;
}

/// Copies the part of a caller's struct that both sides know.
///
/// # Safety
/// `from` is NULL or points to a `T` of which at least `struct_size` bytes can be read.
#[inline]
pub(super) unsafe fn read<T: Versioned>(from: *const T) -> Result<T, steer_status> {
    if from.is_null() {
        return Err(STEER_NULL_ARGUMENT);
    }
    if !from.is_aligned() {
        return Err(STEER_INVALID_ARGUMENT);
    }
    // SAFETY: `from` points to a `T` (caller's contract), which begins with a usize (`Versioned`).
    let size = unsafe { from.cast::<usize>().read() };
    if size < T::FIRST_SIZE {
        return Err(STEER_BAD_STRUCT_SIZE);
    }
    // Most callers know the whole struct, and a copy of a known size takes a few moves.
    if size >= size_of::<T>() {
        // SAFETY: aligned, and `struct_size` bytes of a value can be read (caller's contract).
        return Ok(unsafe { from.read() });
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `size` bytes can be read (caller's contract). They fit into `value` and do not
    // overlap it.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), value.as_mut_ptr().cast(), size) };
    // SAFETY: zeros are a valid value (`Versioned`), and the bytes copied over them are those of a
    // caller's value.
    Ok(unsafe { value.assume_init() })
}

/// Copies a struct into a caller's, whose `struct_size` stays: the part that both sides know.
///
/// # Safety
/// `to` is NULL or points to a `T` of which `struct_size` bytes can be read and written to.
pub(super) unsafe fn write<T: Versioned>(to: *mut T, value: &T) -> Result<(), steer_status> {
    // SAFETY: `to` is NULL or readable (caller's contract).
    unsafe { read(to) }?;
    // SAFETY: `read` has found that it is neither NULL nor misaligned.
    let known = unsafe { to.cast::<usize>().read() }.min(size_of::<T>());
    let first = size_of::<usize>();
    // SAFETY: a `T` has more than the bytes of its size (`Versioned`).
    let from = unsafe { ptr::from_ref(value).byte_add(first) };
    // SAFETY: as above, for the caller's `T`.
    let to = unsafe { to.byte_add(first) };
    // SAFETY: both have `known` bytes, of which `first` were skipped; `value` is not the caller's.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast(), known - first) };
    Ok(())
}

/// Copies the elements of an array of such structs, one after another. The `struct_size` of the
/// first element is the distance between elements.
///
/// # Safety
/// `from` points to `count` elements, each as for [`read`], as long as the returned iterator is in
/// use. It may be NULL when `count` is 0.
pub(super) unsafe fn read_array<T: Versioned>(
    from: *const T,
    count: usize,
) -> Result<impl Iterator<Item = Result<T, steer_status>>, steer_status> {
    let mut stride = 0;
    if count != 0 {
        // SAFETY: `count` is not 0, so `from` points to an element (caller's contract).
        unsafe { read(from) }?;
        // SAFETY: `read` has found that it is neither NULL nor misaligned.
        stride = unsafe { from.cast::<usize>().read() };
    }
    if stride % align_of::<T>() != 0 {
        return Err(STEER_BAD_STRUCT_SIZE);
    }
    Ok((0..count).map(move |index| {
        let offset = index.checked_mul(stride).ok_or(STEER_INVALID_ARGUMENT)?;
        // SAFETY: the array has more than `index` elements, `stride` bytes apart (caller's
        // contract).
        let element = unsafe { from.byte_add(offset) };
        // SAFETY: the element begins with a usize (`Versioned`).
        let size = unsafe { element.cast::<usize>().read() };
        if size != stride {
            return Err(STEER_BAD_STRUCT_SIZE);
        }
        // SAFETY: `size` bytes of the element can be read (caller's contract).
        unsafe { read(element) }
    }))
}

/// The elements of an array of a type that never grows.
///
/// # Safety
/// `from` points to `count` elements that nobody writes to during `'a`. It may be NULL when `count`
/// is 0.
pub(super) unsafe fn plain_array<'a, T: Copy>(
    from: *const T,
    count: usize,
) -> Result<&'a [T], steer_status> {
    if count == 0 {
        return Ok(&[]);
    }
    if from.is_null() {
        return Err(STEER_NULL_ARGUMENT);
    }
    let bytes = count.checked_mul(size_of::<T>()).and_then(|bytes| isize::try_from(bytes).ok());
    if bytes.is_none() || !from.is_aligned() {
        return Err(STEER_INVALID_ARGUMENT);
    }
    // SAFETY: not NULL, aligned, at most isize::MAX bytes, and nobody writes to the elements during
    // `'a` (caller's contract).
    Ok(unsafe { slice::from_raw_parts(from, count) })
}
