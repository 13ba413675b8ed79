//! `steer_api`: what the engine does for policies that are not its own.

use std::ffi::c_void;

use super::{
    steer_backends, steer_choice, steer_picker_type, steer_policy_type, steer_publication,
    steer_str,
};

/// A JSON value of a config. Valid during `config_new`, with all that is got from it.
pub struct steer_json {
    _opaque: (),
}

/// The faults of a config. Valid during `config_new`.
pub struct steer_faults {
    _opaque: (),
}

/// One channel, for one policy of it. Counted: see `steer_api.channel_hold`.
pub struct steer_channel {
    _opaque: (),
}

/// What kind of value a `steer_json` is.
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

/// How much a log line matters.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_severity {
    /// For those who follow what happens.
    STEER_LOG_DEBUG = 0,
    /// What an operator may want to see.
    STEER_LOG_INFO = 1,
    /// Something is broken.
    STEER_LOG_ERROR = 2,
}

/// The engine's functions, for policies of one's own: from `steer_api_get`, or for a plugin with
/// its entry. Static; never changes. All functions are there, and may be called from any thread unless it
/// says *Serialised*: then only from within the serialised hooks of the channel's own policy. Hooks that
/// free something, `pick` and the hooks of calls are not among these, whichever thread they come on. Elsewhere
/// such a function does nothing but write a line to the log, and returns 0 or a status.
/// A NULL `json` is read as `null`; other NULLs lead to nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_api {
    /// `sizeof(steer_api)`, as the engine knows it.
    pub struct_size: usize,
    /// What `steer_abi_version` returns.
    pub abi_version: u32,

    /// Registers a kind of picker. Before the first channel or server, or gRPC does not hear of it
    /// (STEER_TOO_LATE). A plugin that is loaded again under its name replaces what it registered before, for configs
    /// that are parsed from then on.
    /// Returns a `steer_status`; if that is not STEER_OK, `last_error` says why.
    pub register_picker: Option<unsafe extern "C" fn(kind: *const steer_picker_type) -> i32>,
    /// Registers a kind of policy, as `register_picker` does.
    pub register_policy: Option<unsafe extern "C" fn(kind: *const steer_policy_type) -> i32>,
    /// Why the last function with a `steer_status` failed on this thread. Valid until the next one.
    pub last_error: Option<unsafe extern "C" fn() -> steer_str>,

    /// Makes a choice: fail the call with this gRPC status code (gRFC A54 says which may be) and
    /// text, unless it waits for ready. Only as what this very `pick` returns, which may make up to
    /// 16 choices and return any of them.
    pub fail: Option<unsafe extern "C" fn(code: i32, message: steer_str) -> steer_choice>,
    /// As `fail`, for calls that wait for ready too; and no retries.
    pub drop: Option<unsafe extern "C" fn(code: i32, message: steer_str) -> steer_choice>,
    /// Makes a choice: send the call to the backend of this index, and tell the picker by
    /// `call_started` and `call_finished` how it goes. `state` is the picker's own, and is passed
    /// to both. Only as what this very `pick` returns: then `call_finished` comes in any case, else
    /// the state is lost.
    pub complete_tracked:
        Option<unsafe extern "C" fn(backend: u64, state: *mut c_void) -> steer_choice>,
    /// Says what is broken: as a choice, or before a hook returns other than 0.
    pub fault: Option<unsafe extern "C" fn(message: steer_str) -> steer_choice>,

    /// A JSON value's kind: a `steer_json_kind`.
    pub json_kind: Option<unsafe extern "C" fn(json: *const steer_json) -> i32>,
    /// The value as JSON text.
    pub json_text: Option<unsafe extern "C" fn(json: *const steer_json) -> steer_str>,
    /// 1 if it is `true` or `false`, which is then in `*value` as 1 or 0.
    pub json_bool: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut i32) -> i32>,
    /// 1 if it is a number, which is then in `*value`.
    pub json_number: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut f64) -> i32>,
    /// 1 if it is a whole number that fits, which is then in `*value`.
    pub json_integer: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut i64) -> i32>,
    /// 1 if it is a string, which is then in `*value`.
    pub json_string:
        Option<unsafe extern "C" fn(json: *const steer_json, value: *mut steer_str) -> i32>,
    /// How many values an array or an object has; 0 for others.
    pub json_size: Option<unsafe extern "C" fn(json: *const steer_json) -> usize>,
    /// The value at this place of an array or an object; NULL when there is none.
    pub json_at:
        Option<unsafe extern "C" fn(json: *const steer_json, index: usize) -> *const steer_json>,
    /// The key at this place of an object.
    pub json_key: Option<unsafe extern "C" fn(json: *const steer_json, index: usize) -> steer_str>,
    /// The value of this key of an object; NULL when there is none.
    pub json_get:
        Option<unsafe extern "C" fn(json: *const steer_json, key: steer_str) -> *const steer_json>,
    /// Says what is wrong with a field of the config, named by its path (`a.b[3]`; empty: the
    /// config as a whole).
    pub config_fault:
        Option<unsafe extern "C" fn(faults: *mut steer_faults, field: steer_str, error: steer_str)>,

    /// Holds backends longer than the picker that they were given to.
    pub backends_hold: Option<unsafe extern "C" fn(backends: *const steer_backends)>,
    /// Gives that up.
    pub backends_release: Option<unsafe extern "C" fn(backends: *const steer_backends)>,
    /// Holds a channel longer than the instance and the pickers that it was given to.
    pub channel_hold: Option<unsafe extern "C" fn(channel: *const steer_channel)>,
    /// Gives that up.
    pub channel_release: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// Writes a line to gRPC's log; `severity` is a `steer_severity`.
    pub log: Option<
        unsafe extern "C" fn(channel: *const steer_channel, severity: i32, message: steer_str),
    >,
    /// Nanoseconds since an arbitrary moment; never goes back.
    pub now: Option<unsafe extern "C" fn(channel: *const steer_channel) -> u64>,
    /// 64 random bits.
    pub random: Option<unsafe extern "C" fn(channel: *const steer_channel) -> u64>,
    /// *Serialised.* Starts a timer; its number, never 0, comes with the hook `timer`. One that is
    /// started before the first update begins to run with that. 0: too late.
    pub timer_start:
        Option<unsafe extern "C" fn(channel: *const steer_channel, after_ns: u64) -> u64>,
    /// *Serialised.* Takes that back. A timer that runs out all the same does no harm.
    pub timer_cancel: Option<unsafe extern "C" fn(channel: *const steer_channel, timer: u64)>,
    /// *Serialised.* Asks for a new picker, once the hook under way is over: for picker types, when
    /// something other than the backends has changed.
    pub rebuild: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// *Serialised.* Makes an endpoint for the one at this place of the latest update: its number,
    /// never 0 and never used again. It reports its state soon after, and does not connect before
    /// it is asked to. 0: it cannot be made. For policies, as are those below.
    pub endpoint_new:
        Option<unsafe extern "C" fn(channel: *const steer_channel, index: usize) -> u64>,
    /// *Serialised.* Whether the endpoint is the very one that `endpoint_new` would make for this
    /// place of the latest update.
    pub endpoint_matches: Option<
        unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64, index: usize) -> i32,
    >,
    /// *Serialised.* Asks for a connection, when there is none and none is being made.
    pub endpoint_connect:
        Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// *Serialised.* Forgets its backoff.
    pub endpoint_reset_backoff:
        Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// *Serialised.* Drops it. Pickers keep its connection.
    pub endpoint_free: Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// *Serialised.* Publishes. A `steer_status`: STEER_INVALID_ARGUMENT when an endpoint is not READY.
    pub publish: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            publication: *const steer_publication,
        ) -> i32,
    >,
    /// *Serialised.* Asks the resolver to resolve again, when it sees fit.
    pub request_reresolution: Option<unsafe extern "C" fn(channel: *const steer_channel)>,
}
