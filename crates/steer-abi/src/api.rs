//! `steer_api`: the functions that the engine offers to custom pickers and policies.

use std::ffi::c_void;

use super::{
    steer_backends, steer_choice, steer_picker_type, steer_policy_type, steer_publication,
    steer_str,
};

/// A JSON value of a config. It, and everything read from it, is valid during `config_new`.
pub struct steer_json {
    _opaque: (),
}

/// Collects the errors of a config. Valid during `config_new`.
pub struct steer_faults {
    _opaque: (),
}

/// One channel, as one of its policies sees it. Reference counted: see `steer_api.channel_hold`.
pub struct steer_channel {
    _opaque: (),
}

/// The kind of a `steer_json` value.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_json_kind {
    /// `null`
    STEER_JSON_NULL = 0,
    /// `true` or `false`
    STEER_JSON_BOOL = 1,
    /// A number.
    STEER_JSON_NUMBER = 2,
    /// A string.
    STEER_JSON_STRING = 3,
    /// An array.
    STEER_JSON_ARRAY = 4,
    /// An object.
    STEER_JSON_OBJECT = 5,
}

/// The severity of a log line.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_severity {
    /// For debugging.
    STEER_LOG_DEBUG = 0,
    /// For operators.
    STEER_LOG_INFO = 1,
    /// Something is broken.
    STEER_LOG_ERROR = 2,
}

/// The engine's functions for custom pickers and policies. `steer_api_get` returns this table, and
/// a plugin gets it as the argument of its `entry`. The table is static and never changes. No entry
/// is NULL.
///
/// Threads: any, unless a function says *Serialised*. A serialised function may be called only from
/// within a serialised hook of the channel's own policy. `pick`, the hooks of calls and the hooks
/// that free something are not serialised hooks, on whichever thread they are called. Called from
/// anywhere else, a serialised function writes a line to the log, does nothing more, and returns 0
/// or an error status.
///
/// NULL: a NULL `json` is read as `null`. With any other NULL argument a function does nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_api {
    /// `sizeof(steer_api)`, as the engine knows it.
    pub struct_size: usize,
    /// What `steer_abi_version` returns.
    pub abi_version: u32,

    /// Registers a picker type. Call it before the first channel or server is made: later, gRPC
    /// does not learn of the policy, and the result is STEER_TOO_LATE. A plugin that is loaded
    /// again under its name replaces the types that it registered before, for configs that are
    /// parsed from then on.
    /// Returns a `steer_status`; if that is not STEER_OK, `last_error` says why.
    pub register_picker: Option<unsafe extern "C" fn(kind: *const steer_picker_type) -> i32>,
    /// Registers a policy type. Otherwise as `register_picker`.
    pub register_policy: Option<unsafe extern "C" fn(kind: *const steer_policy_type) -> i32>,
    /// Returns why the last function that returns a `steer_status` failed on this thread. Valid
    /// until the next such call on this thread.
    pub last_error: Option<unsafe extern "C" fn() -> steer_str>,

    /// Makes a choice: fail the call with this gRPC status code (gRFC A54 lists those that are
    /// allowed) and text, unless the call waits for ready. Only the `pick` that made a choice may
    /// return it. One `pick` may make up to 16 choices and return any of them.
    pub fail: Option<unsafe extern "C" fn(code: i32, message: steer_str) -> steer_choice>,
    /// Makes a choice: fail the call even if it waits for ready, and do not retry it. Otherwise as
    /// `fail`.
    pub drop: Option<unsafe extern "C" fn(code: i32, message: steer_str) -> steer_choice>,
    /// Makes a choice: send the call to the backend with this index, and follow it with
    /// `call_started` and `call_finished`. `state` belongs to the picker and is passed to both.
    /// Only the `pick` that made the choice may return it. If it is returned, `call_finished` is
    /// called in any case; otherwise it is never called, and `state` leaks.
    pub complete_tracked:
        Option<unsafe extern "C" fn(backend: u64, state: *mut c_void) -> steer_choice>,
    /// Reports a fault. Return the result from `pick`, or call this before another hook returns a
    /// number other than 0.
    pub fault: Option<unsafe extern "C" fn(message: steer_str) -> steer_choice>,

    /// Returns the kind of a JSON value: a `steer_json_kind`.
    pub json_kind: Option<unsafe extern "C" fn(json: *const steer_json) -> i32>,
    /// Returns the value as JSON text.
    pub json_text: Option<unsafe extern "C" fn(json: *const steer_json) -> steer_str>,
    /// Returns 1 if the value is `true` or `false`, and stores 1 or 0 in `*value`.
    pub json_bool: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut i32) -> i32>,
    /// Returns 1 if the value is a number, and stores it in `*value`.
    pub json_number: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut f64) -> i32>,
    /// Returns 1 if the value is an integer that fits, and stores it in `*value`.
    pub json_integer: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut i64) -> i32>,
    /// Returns 1 if the value is a string, and stores it in `*value`.
    pub json_string:
        Option<unsafe extern "C" fn(json: *const steer_json, value: *mut steer_str) -> i32>,
    /// Returns the number of values of an array or an object; 0 for other kinds.
    pub json_size: Option<unsafe extern "C" fn(json: *const steer_json) -> usize>,
    /// Returns the value at this index of an array or an object; NULL if there is none.
    pub json_at:
        Option<unsafe extern "C" fn(json: *const steer_json, index: usize) -> *const steer_json>,
    /// Returns the key at this index of an object.
    pub json_key: Option<unsafe extern "C" fn(json: *const steer_json, index: usize) -> steer_str>,
    /// Returns the value of this key of an object; NULL if there is none.
    pub json_get:
        Option<unsafe extern "C" fn(json: *const steer_json, key: steer_str) -> *const steer_json>,
    /// Reports an error of the config. `field` is the path of the field (`a.b[3]`); empty means the
    /// config as a whole.
    pub config_fault:
        Option<unsafe extern "C" fn(faults: *mut steer_faults, field: steer_str, error: steer_str)>,

    /// Takes a reference to a list of backends, to use it longer than the picker that it was given
    /// to.
    pub backends_hold: Option<unsafe extern "C" fn(backends: *const steer_backends)>,
    /// Releases a reference of `backends_hold`.
    pub backends_release: Option<unsafe extern "C" fn(backends: *const steer_backends)>,
    /// Takes a reference to a channel, to use it longer than the instance and the pickers that it
    /// was given to.
    pub channel_hold: Option<unsafe extern "C" fn(channel: *const steer_channel)>,
    /// Releases a reference of `channel_hold`.
    pub channel_release: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// Writes a line to gRPC's log; `severity` is a `steer_severity`.
    pub log: Option<
        unsafe extern "C" fn(channel: *const steer_channel, severity: i32, message: steer_str),
    >,
    /// Returns a monotonic time: nanoseconds since an arbitrary moment.
    pub now: Option<unsafe extern "C" fn(channel: *const steer_channel) -> u64>,
    /// Returns 64 random bits.
    pub random: Option<unsafe extern "C" fn(channel: *const steer_channel) -> u64>,
    /// *Serialised.* Starts a timer and returns its number, which is never 0 and is passed to the
    /// hook `timer` when the timer expires. A timer that is started before the first update begins
    /// to run with that update. Returns 0 if the channel is shutting down.
    pub timer_start:
        Option<unsafe extern "C" fn(channel: *const steer_channel, after_ns: u64) -> u64>,
    /// *Serialised.* Cancels a timer. Cancelling one that has expired does nothing.
    pub timer_cancel: Option<unsafe extern "C" fn(channel: *const steer_channel, timer: u64)>,
    /// *Serialised.* Asks for a new picker, which is made after the current hook returns. For
    /// picker types, when something other than the backends has changed.
    pub rebuild: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// *Serialised.* For policies, as are the functions after it. Makes an endpoint for the backend
    /// at this index of the latest update. Returns its number, which is never 0 and never reused;
    /// 0 if the endpoint cannot be made. The endpoint reports its state soon after, and connects
    /// only when `endpoint_connect` asks for it.
    pub endpoint_new:
        Option<unsafe extern "C" fn(channel: *const steer_channel, index: usize) -> u64>,
    /// *Serialised.* Returns 1 if `endpoint_new` would make an identical endpoint for this index of
    /// the latest update; otherwise 0.
    pub endpoint_matches: Option<
        unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64, index: usize) -> i32,
    >,
    /// *Serialised.* Asks for a connection. Does nothing if there is one or one is being made.
    pub endpoint_connect:
        Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// *Serialised.* Resets the endpoint's connection backoff.
    pub endpoint_reset_backoff:
        Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// *Serialised.* Drops the endpoint. Pickers that hold its connection keep it.
    pub endpoint_free: Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// *Serialised.* Publishes a state and a picker. Returns a `steer_status`:
    /// STEER_INVALID_ARGUMENT if an endpoint of the publication is not READY.
    pub publish: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            publication: *const steer_publication,
        ) -> i32,
    >,
    /// *Serialised.* Asks the resolver to resolve again. The resolver decides when.
    pub request_reresolution: Option<unsafe extern "C" fn(channel: *const steer_channel)>,
}
