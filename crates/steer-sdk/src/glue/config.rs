//! The config hooks, for both tables.

use std::ffi::c_void;
use std::ptr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::engine;
use super::panics::{FAILED, guard, guard_status};
use crate::abi::{steer_child_config, steer_faults, steer_json};
use crate::config::{Faults, read};

/// A config as the engine keeps it.
pub(super) struct Stored<C> {
    /// The factory's own type.
    pub(super) own: C,
    /// The field `childPolicy`. NULL if the factory takes no children. Valid as long as this.
    pub(super) child: *const steer_child_config,
}

/// The field with the policy of a child.
const CHILD: &str = "childPolicy";

/// The hook `config_new`. `check` is the factory's `check_config`.
///
/// # Safety
/// The arguments are those of the hook `config_new`.
pub(super) unsafe fn config_new<C: DeserializeOwned>(
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
    takes_child: bool,
    check: impl FnOnce(&C, &mut Faults),
) -> i32 {
    guard_status(|| {
        // SAFETY: `json` is the argument of `config_new`, which is still running.
        let json = unsafe { engine::json_text(json) };
        let mut found = Faults::default();
        let json = String::from_utf8_lossy(json);
        let parsed = read::<C>(&json, &mut found);
        let child = if takes_child {
            let fields: Value = serde_json::from_str(&json).unwrap_or_default();
            let list = fields.get(CHILD).map(Value::to_string).unwrap_or_default();
            // SAFETY: `faults` is the argument of `config_new`, which is still running.
            unsafe { engine::config_child(faults, CHILD, &list) }
        } else {
            ptr::null()
        };
        if let Some(parsed) = &parsed {
            check(parsed, &mut found);
        }
        for (field, error) in &found.0 {
            // SAFETY: `faults` is the argument of `config_new`, which is still running.
            unsafe { engine::config_fault(faults, field, error) };
        }
        let complete = found.is_empty() && (!takes_child || !child.is_null());
        match parsed.filter(|_| complete) {
            Some(own) => {
                let stored = Box::into_raw(Box::new(Stored { own, child }));
                // SAFETY: `config` is the hook's output argument.
                unsafe { config.write(stored.cast()) };
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
