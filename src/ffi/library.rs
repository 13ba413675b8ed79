//! The library's versions and the names of its policies.

pub use steer_abi::STEER_ABI_VERSION;

use super::last_error::status_guard;
use super::steer_status;
use super::steer_status::*;
use super::text::{steer_str, steer_string};

/// `[any thread]`
/// Returns the ABI version that the library implements.
///
/// A caller that was compiled with a header of version N works with every library of version N
/// or later.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_abi_version() -> u32 {
    STEER_ABI_VERSION
}

/// `[any thread]`
/// Returns the library's release, such as "0.1.0". The text is static.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_version() -> steer_str {
    steer_str::borrow(env!("CARGO_PKG_VERSION"))
}

/// `[any thread]`
/// Writes the name of a policy to `*name`, which the caller frees. `index` counts from 0, in
/// alphabetical order. STEER_UNKNOWN_POLICY: there are not that many policies.
///
/// # Safety
/// `name` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_name(
    index: usize,
    name: *mut *mut steer_string,
) -> steer_status {
    status_guard("steer_policy_name", || {
        if name.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        let Some(found) = crate::policies::registry().names().into_iter().nth(index) else {
            return Err(STEER_UNKNOWN_POLICY);
        };
        let found = steer_string::into_raw(found);
        // SAFETY: not NULL, so `name` can be written to (caller's contract).
        unsafe { name.write(found) };
        Ok(())
    })
}
