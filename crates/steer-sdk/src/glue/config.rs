//! The config hooks, for both tables.

use std::ffi::c_void;

use serde::de::DeserializeOwned;

use super::engine;
use super::panics::{FAILED, guard, guard_status};
use crate::abi::{steer_faults, steer_json};
use crate::config::{Faults, read};

/// The hook `config_new`. `check` is the factory's `check_config`.
///
/// # Safety
/// The arguments are those of the hook `config_new`.
pub(super) unsafe fn config_new<C: DeserializeOwned>(
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
    check: impl FnOnce(&C, &mut Faults),
) -> i32 {
    guard_status(|| {
        // SAFETY: `json` is the argument of `config_new`, which is still running.
        let json = unsafe { engine::json_text(json) };
        let mut found = Faults::default();
        let parsed = read::<C>(&String::from_utf8_lossy(json), &mut found);
        if let Some(parsed) = &parsed {
            check(parsed, &mut found);
        }
        for (field, error) in &found.0 {
            // SAFETY: `faults` is the argument of `config_new`, which is still running.
            unsafe { engine::config_fault(faults, field, error) };
        }
        match parsed.filter(|_| found.is_empty()) {
            Some(parsed) => {
                // SAFETY: `config` is the hook's output argument.
                unsafe { config.write(Box::into_raw(Box::new(parsed)).cast()) };
                0
            }
            None => FAILED,
        }
    })
}

/// The hook `config_free`, and other hooks that free a box.
///
/// # Safety
/// `boxed` came from `Box::<T>::into_raw` and is not used again.
pub(super) unsafe extern "C" fn free<T>(boxed: *mut c_void) {
    // SAFETY: `boxed` came from `Box::<T>::into_raw` and is not used again (caller's contract).
    guard(|| drop(unsafe { Box::from_raw(boxed.cast::<T>()) }));
}
