//! Configs, for both kinds of tables.

use std::ffi::c_void;

use serde::de::DeserializeOwned;

use super::engine;
use super::panics::{FAILED, guard, guard_status};
use crate::abi::{steer_faults, steer_json};
use crate::config::{Faults, read};

/// The hook `config_new`.
///
/// # Safety
/// As the engine calls that hook.
pub(super) unsafe fn config_new<C: DeserializeOwned>(
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
    check: impl FnOnce(&C, &mut Faults),
) -> i32 {
    guard_status(|| {
        // SAFETY: this is what `config_new` was given.
        let json = unsafe { engine::json_text(json) };
        let mut found = Faults::default();
        let parsed = read::<C>(&String::from_utf8_lossy(json), &mut found);
        if let Some(parsed) = &parsed {
            check(parsed, &mut found);
        }
        for (field, error) in &found.0 {
            // SAFETY: this is what `config_new` was given.
            unsafe { engine::config_fault(faults, field, error) };
        }
        match parsed.filter(|_| found.is_empty()) {
            Some(parsed) => {
                // SAFETY: the hook's output.
                unsafe { config.write(Box::into_raw(Box::new(parsed)).cast()) };
                0
            }
            None => FAILED,
        }
    })
}

/// The hook `config_free`, and others that free a box.
///
/// # Safety
/// `boxed` is a box of `T` that is given up.
pub(super) unsafe extern "C" fn free<T>(boxed: *mut c_void) {
    // SAFETY: the caller's promise.
    guard(|| drop(unsafe { Box::from_raw(boxed.cast::<T>()) }));
}
