//! `steer_api`: the engine's functions in one table, so that a plugin needs no symbol of the engine's.
//!
//! Must not know: what they do.

use steer_abi::{STEER_ABI_VERSION, steer_api, steer_picker_type, steer_policy_type};

use super::{backends, channel, choice, json, policy, register};

// Unguarded: it is another entry by another type.
unsafe extern "C" fn register_picker(kind: *const steer_picker_type) -> i32 {
    // SAFETY: as `steer_api` says.
    unsafe { register::steer_register_picker(kind) as i32 }
}

// Unguarded: it is another entry by another type.
unsafe extern "C" fn register_policy(kind: *const steer_policy_type) -> i32 {
    // SAFETY: as `steer_api` says.
    unsafe { register::steer_register_policy(kind) as i32 }
}

// Unguarded: it is another entry by another type.
unsafe extern "C" fn last_error() -> steer_abi::steer_str {
    register::steer_last_error()
}

pub(super) static API: steer_api = steer_api {
    struct_size: size_of::<steer_api>(),
    abi_version: STEER_ABI_VERSION,
    register_picker: Some(register_picker),
    register_policy: Some(register_policy),
    last_error: Some(last_error),
    fail: Some(choice::fail),
    drop: Some(choice::drop),
    complete_tracked: Some(choice::complete_tracked),
    fault: Some(choice::fault),
    json_kind: Some(json::json_kind),
    json_text: Some(json::json_text),
    json_bool: Some(json::json_bool),
    json_number: Some(json::json_number),
    json_integer: Some(json::json_integer),
    json_string: Some(json::json_string),
    json_size: Some(json::json_size),
    json_at: Some(json::json_at),
    json_key: Some(json::json_key),
    json_get: Some(json::json_get),
    config_fault: Some(json::config_fault),
    backends_hold: Some(backends::backends_hold),
    backends_release: Some(backends::backends_release),
    channel_hold: Some(channel::channel_hold),
    channel_release: Some(channel::channel_release),
    log: Some(channel::log),
    now: Some(channel::now),
    random: Some(channel::random),
    timer_start: Some(channel::timer_start),
    timer_cancel: Some(channel::timer_cancel),
    rebuild: Some(channel::rebuild),
    endpoint_new: Some(policy::endpoint_new),
    endpoint_matches: Some(policy::endpoint_matches),
    endpoint_connect: Some(policy::endpoint_connect),
    endpoint_reset_backoff: Some(policy::endpoint_reset_backoff),
    endpoint_free: Some(policy::endpoint_free),
    publish: Some(policy::publish),
    request_reresolution: Some(channel::request_reresolution),
};

/// The engine's functions for policies of one's own. Any thread. Static.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_api_get() -> *const steer_api {
    &API
}
