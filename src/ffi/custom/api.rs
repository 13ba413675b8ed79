//! `steer_api`: the engine's functions in one table, so that a plugin needs no symbol of the
//! engine.
//!
//! Must not depend on: what they do.

use steer_abi::{STEER_ABI_VERSION, steer_api, steer_picker_type, steer_policy_type};

use super::leader::leaders_api;
use super::{delegate, register};
use crate::ffi::last_error::steer_last_error;

// Unguarded: it calls a function that guards itself.
unsafe extern "C" fn register_picker(kind: *const steer_picker_type) -> i32 {
    // SAFETY: `kind` is as `steer_register_picker` requires (rule of `steer_api`).
    unsafe { register::steer_register_picker(kind) as i32 }
}

// Unguarded: it calls a function that guards itself.
unsafe extern "C" fn register_policy(kind: *const steer_policy_type) -> i32 {
    // SAFETY: `kind` is as `steer_register_policy` requires (rule of `steer_api`).
    unsafe { register::steer_register_policy(kind) as i32 }
}

// Unguarded: it calls a function that guards itself. The leader's functions keep the leader's text.
unsafe extern "C" fn last_error() -> steer_abi::steer_str {
    match leaders_api().and_then(|api| api.last_error) {
        // SAFETY: it may be called at any time (rule of `steer_api`).
        Some(leaders) => unsafe { leaders() },
        None => steer_last_error(),
    }
}

pub(super) static API: steer_api = steer_api {
    struct_size: size_of::<steer_api>(),
    abi_version: STEER_ABI_VERSION,
    register_picker: Some(register_picker),
    register_policy: Some(register_policy),
    last_error: Some(last_error),
    fail: Some(delegate::fail),
    drop: Some(delegate::drop),
    complete_tracked: Some(delegate::complete_tracked),
    fault: Some(delegate::fault),
    json_kind: Some(delegate::json_kind),
    json_text: Some(delegate::json_text),
    json_bool: Some(delegate::json_bool),
    json_number: Some(delegate::json_number),
    json_integer: Some(delegate::json_integer),
    json_string: Some(delegate::json_string),
    json_size: Some(delegate::json_size),
    json_at: Some(delegate::json_at),
    json_key: Some(delegate::json_key),
    json_get: Some(delegate::json_get),
    config_fault: Some(delegate::config_fault),
    backends_hold: Some(delegate::backends_hold),
    backends_release: Some(delegate::backends_release),
    channel_hold: Some(delegate::channel_hold),
    channel_release: Some(delegate::channel_release),
    log: Some(delegate::log),
    now: Some(delegate::now),
    random: Some(delegate::random),
    timer_start: Some(delegate::timer_start),
    timer_cancel: Some(delegate::timer_cancel),
    rebuild: Some(delegate::rebuild),
    endpoint_new: Some(delegate::endpoint_new),
    endpoint_matches: Some(delegate::endpoint_matches),
    endpoint_connect: Some(delegate::endpoint_connect),
    endpoint_reset_backoff: Some(delegate::endpoint_reset_backoff),
    endpoint_free: Some(delegate::endpoint_free),
    publish: Some(delegate::publish),
    request_reresolution: Some(delegate::request_reresolution),
    counter_new: Some(delegate::counter_new),
    gauge_new: Some(delegate::gauge_new),
    histogram_new: Some(delegate::histogram_new),
    load_reports: Some(delegate::load_reports),
    wake: Some(delegate::wake),
    config_child: Some(delegate::config_child),
    child_new: Some(delegate::child_new),
    child_update: Some(delegate::child_update),
    child_state: Some(delegate::child_state),
    child_publish: Some(delegate::child_publish),
    child_free: Some(delegate::child_free),
    child_tracked: Some(delegate::child_tracked),
};

/// `[any thread]`
/// Returns the engine's functions for custom pickers and custom policies. Static.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_api_get() -> *const steer_api {
    &API
}
