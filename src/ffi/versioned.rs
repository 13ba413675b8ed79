//! Structs that grow: the caller says how much of a struct it knows, and the rest counts as zero.

use std::mem::MaybeUninit;
use std::{ptr, slice};

use super::status::steer_status::{self, *};

/// A struct whose first field is `size_t struct_size`.
///
/// # Safety
/// The implementor is `repr(C)`, begins with a `usize` that is its size, and may be all zeros.
pub(super) unsafe trait Versioned: Copy {
    /// Its size in ABI version 1: the end of the last field that it had then. Never changes.
    const FIRST_SIZE: usize;
}

/// Copies as much of a caller's struct as both sides know.
///
/// # Safety
/// `from` is NULL or points at a `T` of which at least `struct_size` bytes can be read.
#[inline]
pub(super) unsafe fn read<T: Versioned>(from: *const T) -> Result<T, steer_status> {
    if from.is_null() {
        return Err(STEER_NULL_ARGUMENT);
    }
    if !from.is_aligned() {
        return Err(STEER_INVALID_ARGUMENT);
    }
    // SAFETY: readable by this function's contract; `Versioned` says that it begins with a usize.
    let size = unsafe { from.cast::<usize>().read() };
    if size < T::FIRST_SIZE {
        return Err(STEER_BAD_STRUCT_SIZE);
    }
    // Most callers know as much, and a copy of a known size is a few moves.
    if size >= size_of::<T>() {
        // SAFETY: aligned, and so many bytes can be read (contract), which are a caller's value.
        return Ok(unsafe { from.read() });
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `size` bytes can be read (contract) and fit into `value`, which is no part of them.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), value.as_mut_ptr().cast(), size) };
    // SAFETY: `Versioned` says that zeros are a value; over them came bytes of a caller's value.
    Ok(unsafe { value.assume_init() })
}

/// Copies the elements of an array of such structs, one after another. They are as far apart as the first one's
/// `struct_size` says.
///
/// # Safety
/// `from` points at `count` elements, each as for [`read`], as long as what this returns is in use; it may be NULL
/// when `count` is 0.
pub(super) unsafe fn read_array<T: Versioned>(
    from: *const T,
    count: usize,
) -> Result<impl Iterator<Item = Result<T, steer_status>>, steer_status> {
    let mut stride = 0;
    if count != 0 {
        // SAFETY: there is a first element, by this function's contract.
        unsafe { read(from) }?;
        // SAFETY: as above; it was just found to be neither NULL nor misaligned.
        stride = unsafe { from.cast::<usize>().read() };
    }
    if stride % align_of::<T>() != 0 {
        return Err(STEER_BAD_STRUCT_SIZE);
    }
    Ok((0..count).map(move |index| {
        let offset = index.checked_mul(stride).ok_or(STEER_INVALID_ARGUMENT)?;
        // SAFETY: the element is part of the caller's array, by this function's contract.
        let element = unsafe { from.byte_add(offset) };
        // SAFETY: the same.
        let size = unsafe { element.cast::<usize>().read() };
        if size != stride {
            return Err(STEER_BAD_STRUCT_SIZE);
        }
        // SAFETY: the same.
        unsafe { read(element) }
    }))
}

/// The elements of a plain array, of a type that never grows.
///
/// # Safety
/// `from` points at `count` elements that nobody writes to during `'a`; it may be NULL when
/// `count` is 0.
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
    // SAFETY: not NULL, aligned, not too long, and readable by this function's contract.
    Ok(unsafe { slice::from_raw_parts(from, count) })
}
