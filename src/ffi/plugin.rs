//! `steer_plugin`: libraries with policies, linked or loaded.

use std::ptr;

use steer_sdk::abi::{steer_api, steer_picker_type, steer_plugin, steer_policy_type};

use super::text::steer_str;
use super::{steer_status, steer_status::*};

/// The engine's functions for policies of one's own. Any thread. Static.
#[unsafe(no_mangle)]
pub extern "C" fn steer_api_get() -> *const steer_api {
    ptr::null()
}

/// Why the last function on this thread that was about pickers, policies or plugins of one's own
/// failed. Valid until the next one.
#[unsafe(no_mangle)]
pub extern "C" fn steer_last_error() -> steer_str {
    steer_str::empty()
}

/// Registers a kind of picker: `steer_api.register_picker`. Any thread.
///
/// # Safety
/// `kind` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what `steer_picker_type` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_picker(kind: *const steer_picker_type) -> steer_status {
    let _ = kind;
    STEER_OK
}

/// Registers a kind of policy: `steer_api.register_policy`. Any thread.
///
/// # Safety
/// `kind` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what `steer_policy_type` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_policy(kind: *const steer_policy_type) -> steer_status {
    let _ = kind;
    STEER_OK
}

/// Takes a plugin that is linked with the program: checks it and calls its entry. Any thread; also
/// before `main`. If that is not STEER_OK, `steer_last_error` says why, and nothing of it was
/// registered.
///
/// # Safety
/// `plugin` is NULL (STEER_NULL_ARGUMENT) or one that keeps what `steer_plugin` says, for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_plugin(plugin: *const steer_plugin) -> steer_status {
    let _ = plugin;
    STEER_OK
}

/// Loads a plugin from a shared library, which stays in the process for good. Any thread. If that
/// is not STEER_OK, `steer_last_error` says why, and nothing of it was registered.
///
/// A plugin of the same name takes the place of the one before: configs that are parsed from then
/// on use it, while channels and pickers that have the old one keep it. A file that is replaced must be a
/// new file, renamed to its place; one that is written over changes under those that use it.
///
/// # Safety
/// `path` is readable. Loading a library runs its code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_load_plugin(path: steer_str) -> steer_status {
    let _ = path;
    STEER_OK
}

/// Loads the plugins whose paths stand in the environment variable STEER_PLUGINS, between ':'
/// (';' on Windows). Any thread; the second time it does nothing. When some cannot be loaded, the others are,
/// and the status is that of the first of them; `steer_last_error` names all.
///
/// # Safety
/// Loading a library runs its code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_load_plugins() -> steer_status {
    STEER_OK
}
