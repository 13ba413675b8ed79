//! What the library is and which policies it has.

pub use steer_abi::STEER_ABI_VERSION;

use super::steer_status::*;
use super::text::{steer_str, steer_string};
use super::{guard, steer_status};

/// The ABI version that the library implements. Any thread.
///
/// A caller that was compiled with a header of version N works with every library of version N
/// or later.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_abi_version() -> u32 {
    STEER_ABI_VERSION
}

/// The library's release, such as "0.1.0". Any thread. The text is static.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_version() -> steer_str {
    steer_str::borrow(env!("CARGO_PKG_VERSION"))
}

/// The name of the `index`th policy, counted from 0, in alphabetical order. Any thread.
///
/// STEER_UNKNOWN_POLICY when there are no more. The caller frees `*name`.
///
/// # Safety
/// `name` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_name(
    index: usize,
    name: *mut *mut steer_string,
) -> steer_status {
    guard(STEER_PANIC, || {
        if name.is_null() {
            return STEER_NULL_ARGUMENT;
        }
        let Some(found) = crate::policies::registry().names().into_iter().nth(index) else {
            return STEER_UNKNOWN_POLICY;
        };
        let found = steer_string::into_raw(found);
        // SAFETY: not NULL, and writable by this function's contract.
        unsafe { name.write(found) };
        STEER_OK
    })
}
