//! The functions of `steer_api` that this engine gives to authors. While it follows another engine,
//! they call the leader's functions: a table that was registered here runs there, and its choices
//! and the calls for its channel must reach the engine that runs it.
//!
//! Cost: one load, and one branch that is always predicted.
//!
//! Must not depend on: what the functions do.

use std::ffi::c_void;

use steer_abi::{
    steer_backends, steer_channel, steer_child_config, steer_child_update, steer_choice,
    steer_counter, steer_custom_metric, steer_faults, steer_gauge, steer_histogram, steer_json,
    steer_publication, steer_str,
};

use super::leader::leaders_api;
use super::{backends, channel, child_api, choice, endpoint_api, json, metrics_api, publish};

/// Makes functions that call the leader's function of the same name. Without a leader, they call
/// the given function.
macro_rules! delegate {
    ($($module:ident::$name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {$(
        pub(super) unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            match leaders_api().and_then(|api| api.$name) {
                // SAFETY: the caller follows the rules of `steer_api`, which hold for every engine.
                Some(leaders) => unsafe { leaders($($argument),*) },
                // SAFETY: the caller follows the rules of `steer_api`.
                None => unsafe { $module::$name($($argument),*) },
            }
        }
    )*};
}

delegate! {
    choice::fail(code: i32, message: steer_str) -> steer_choice;
    choice::drop(code: i32, message: steer_str) -> steer_choice;
    choice::complete_tracked(backend: u64, state: *mut c_void) -> steer_choice;
    choice::fault(message: steer_str) -> steer_choice;
    json::json_kind(json: *const steer_json) -> i32;
    json::json_text(json: *const steer_json) -> steer_str;
    json::json_bool(json: *const steer_json, value: *mut i32) -> i32;
    json::json_number(json: *const steer_json, value: *mut f64) -> i32;
    json::json_integer(json: *const steer_json, value: *mut i64) -> i32;
    json::json_string(json: *const steer_json, value: *mut steer_str) -> i32;
    json::json_size(json: *const steer_json) -> usize;
    json::json_at(json: *const steer_json, index: usize) -> *const steer_json;
    json::json_key(json: *const steer_json, index: usize) -> steer_str;
    json::json_get(json: *const steer_json, key: steer_str) -> *const steer_json;
    json::config_fault(faults: *mut steer_faults, field: steer_str, error: steer_str);
    backends::backends_hold(backends: *const steer_backends);
    backends::backends_release(backends: *const steer_backends);
    channel::channel_hold(channel: *const steer_channel);
    channel::channel_release(channel: *const steer_channel);
    channel::log(channel: *const steer_channel, severity: i32, message: steer_str);
    channel::now(channel: *const steer_channel) -> u64;
    channel::random(channel: *const steer_channel) -> u64;
    channel::timer_start(channel: *const steer_channel, after_ns: u64) -> u64;
    channel::timer_cancel(channel: *const steer_channel, timer: u64);
    channel::rebuild(channel: *const steer_channel);
    channel::wake(channel: *const steer_channel) -> i32;
    child_api::config_child(
        faults: *mut steer_faults, field: steer_str, json: steer_str
    ) -> *const steer_child_config;
    child_api::child_new(channel: *const steer_channel, name: steer_str) -> u64;
    child_api::child_update(
        channel: *const steer_channel, child: u64, update: *const steer_child_update
    ) -> i32;
    child_api::child_state(channel: *const steer_channel, child: u64) -> i32;
    child_api::child_publish(channel: *const steer_channel, child: u64) -> i32;
    child_api::child_free(channel: *const steer_channel, child: u64);
    choice::child_tracked(child: u64, state: *mut c_void) -> steer_choice;
    channel::load_reports(channel: *const steer_channel, period_ns: u64);
    endpoint_api::endpoint_new(channel: *const steer_channel, index: usize) -> u64;
    endpoint_api::endpoint_matches(
        channel: *const steer_channel, endpoint: u64, index: usize
    ) -> i32;
    endpoint_api::endpoint_connect(channel: *const steer_channel, endpoint: u64);
    endpoint_api::endpoint_reset_backoff(channel: *const steer_channel, endpoint: u64);
    endpoint_api::endpoint_free(channel: *const steer_channel, endpoint: u64);
    publish::publish(channel: *const steer_channel, publication: *const steer_publication) -> i32;
    channel::request_reresolution(channel: *const steer_channel);
    metrics_api::counter_new(
        channel: *const steer_channel, metric: *const steer_custom_metric,
        values: *const steer_str, counter: *mut *mut steer_counter
    ) -> i32;
    metrics_api::gauge_new(
        channel: *const steer_channel, metric: *const steer_custom_metric,
        values: *const steer_str, gauge: *mut *mut steer_gauge
    ) -> i32;
    metrics_api::histogram_new(
        channel: *const steer_channel, metric: *const steer_custom_metric,
        values: *const steer_str, histogram: *mut *mut steer_histogram
    ) -> i32;
}
