//! `steer_api`: the engine's functions for custom pickers and custom policies.

use std::ffi::c_void;

use super::{
    steer_backends, steer_child_update, steer_choice, steer_counter, steer_custom_metric,
    steer_gauge, steer_histogram, steer_picker_type, steer_policy_type, steer_publication,
    steer_str,
};

/// A JSON value of a config. Valid during `config_new`, together with all values in it.
pub struct steer_json {
    _opaque: (),
}

/// Collects the faults of a config. Valid during `config_new`.
pub struct steer_faults {
    _opaque: (),
}

/// One channel, for one policy of it. Reference counted: see `steer_api.channel_hold`.
pub struct steer_channel {
    _opaque: (),
}

/// The policy of a child with its config, made by `steer_api.config_child`. Valid as long as the
/// config that it is part of.
pub struct steer_child_config {
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

/// The importance of a log line.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_severity {
    /// Details, for debugging.
    STEER_LOG_DEBUG = 0,
    /// An event that an operator may want to see.
    STEER_LOG_INFO = 1,
    /// Something is broken.
    STEER_LOG_ERROR = 2,
}

/// The engine's functions, for custom pickers and custom policies. `steer_api_get` returns it, and
/// a plugin's entry receives it. Static; never changes. No function pointer in it is NULL.
///
/// Functions with the tag `[any thread]` may be called from any thread. Functions with the tag
/// `[serialised]` may be called only within the serialised hooks of the channel's own policy. The
/// hooks that free something, `pick` and the hooks of calls are never serialised hooks, whichever
/// thread they run on. Elsewhere such a function only writes a line to the log, and returns 0 or a
/// status. `wake` leads from there to a serialised hook.
///
/// A NULL `json` counts as `null`. Functions do nothing for any other NULL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_api {
    /// `sizeof(steer_api)`, as the engine knows it.
    pub struct_size: usize,
    /// The number that `steer_abi_version` returns.
    pub abi_version: u32,

    /// `[any thread]`
    /// Registers a picker type. Register before the first channel or server: later, gRPC does not
    /// learn of it (STEER_TOO_LATE). A plugin that is loaded again under its name replaces what it
    /// registered before, for configs that are parsed from then on.
    ///
    /// Returns a `steer_status`. Unless it is STEER_OK, `last_error` has the reason.
    pub register_picker: Option<unsafe extern "C" fn(kind: *const steer_picker_type) -> i32>,
    /// `[any thread]`
    /// Registers a policy type, as `register_picker` does.
    pub register_policy: Option<unsafe extern "C" fn(kind: *const steer_policy_type) -> i32>,
    /// `[any thread]`
    /// Why the last function with a `steer_status` failed on this thread. Valid until the next one.
    pub last_error: Option<unsafe extern "C" fn() -> steer_str>,

    /// `[any thread]`
    /// Makes a choice: fail the call with this gRPC status code and text, unless the call waits for
    /// ready. gRFC A54 lists the codes that are allowed. Valid only as the result of the `pick`
    /// that made it. A `pick` may make up to 16 choices and return any of them.
    pub fail: Option<unsafe extern "C" fn(code: i32, message: steer_str) -> steer_choice>,
    /// `[any thread]`
    /// As `fail`, also for calls that wait for ready, and without retries.
    pub drop: Option<unsafe extern "C" fn(code: i32, message: steer_str) -> steer_choice>,
    /// `[any thread]`
    /// Makes a choice: send the call to the backend with this index, and report the call by
    /// `call_started` and `call_finished`. Both hooks receive `state`, which belongs to the picker.
    /// Valid only as the result of the `pick` that made it. If `pick` returns it, `call_finished`
    /// comes in any case. Otherwise the state is lost.
    pub complete_tracked:
        Option<unsafe extern "C" fn(backend: u64, state: *mut c_void) -> steer_choice>,
    /// `[any thread]`
    /// Reports a fault: as the choice that `pick` returns, or before a hook returns another number
    /// than 0.
    pub fault: Option<unsafe extern "C" fn(message: steer_str) -> steer_choice>,

    /// `[any thread]`
    /// Returns a JSON value's kind: a `steer_json_kind`.
    pub json_kind: Option<unsafe extern "C" fn(json: *const steer_json) -> i32>,
    /// `[any thread]`
    /// Returns the value as JSON text.
    pub json_text: Option<unsafe extern "C" fn(json: *const steer_json) -> steer_str>,
    /// `[any thread]`
    /// Returns 1 if the value is `true` or `false`, and writes 1 or 0 to `*value`.
    pub json_bool: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut i32) -> i32>,
    /// `[any thread]`
    /// Returns 1 if the value is a number, and writes it to `*value`.
    pub json_number: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut f64) -> i32>,
    /// `[any thread]`
    /// Returns 1 if the value is a whole number that fits, and writes it to `*value`.
    pub json_integer: Option<unsafe extern "C" fn(json: *const steer_json, value: *mut i64) -> i32>,
    /// `[any thread]`
    /// Returns 1 if the value is a string, and writes it to `*value`.
    pub json_string:
        Option<unsafe extern "C" fn(json: *const steer_json, value: *mut steer_str) -> i32>,
    /// `[any thread]`
    /// Returns the number of values in an array or object. 0 for other values.
    pub json_size: Option<unsafe extern "C" fn(json: *const steer_json) -> usize>,
    /// `[any thread]`
    /// Returns the value at this place of an array or object. NULL: there is none.
    pub json_at:
        Option<unsafe extern "C" fn(json: *const steer_json, index: usize) -> *const steer_json>,
    /// `[any thread]`
    /// Returns the key at this place of an object.
    pub json_key: Option<unsafe extern "C" fn(json: *const steer_json, index: usize) -> steer_str>,
    /// `[any thread]`
    /// Returns the value of this key of an object. NULL: there is none.
    pub json_get:
        Option<unsafe extern "C" fn(json: *const steer_json, key: steer_str) -> *const steer_json>,
    /// `[any thread]`
    /// Reports what is wrong with a field of the config. `field` is the field's path, such as
    /// `a.b[3]`. If it is empty, the fault is one of the whole config.
    pub config_fault:
        Option<unsafe extern "C" fn(faults: *mut steer_faults, field: steer_str, error: steer_str)>,

    /// `[any thread]`
    /// Adds a reference to backends, to use them longer than the picker that they were given to.
    pub backends_hold: Option<unsafe extern "C" fn(backends: *const steer_backends)>,
    /// `[any thread]`
    /// Gives up a reference of `backends_hold`.
    pub backends_release: Option<unsafe extern "C" fn(backends: *const steer_backends)>,
    /// `[any thread]`
    /// Adds a reference to a channel, to use it longer than the instance and the pickers that it
    /// was given to.
    pub channel_hold: Option<unsafe extern "C" fn(channel: *const steer_channel)>,
    /// `[any thread]`
    /// Gives up a reference of `channel_hold`.
    pub channel_release: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// `[any thread]`
    /// Writes a line to gRPC's log. `severity` is a `steer_severity`.
    pub log: Option<
        unsafe extern "C" fn(channel: *const steer_channel, severity: i32, message: steer_str),
    >,
    /// `[any thread]`
    /// Returns the nanoseconds since an arbitrary moment. Never goes back.
    pub now: Option<unsafe extern "C" fn(channel: *const steer_channel) -> u64>,
    /// `[any thread]`
    /// Returns 64 random bits.
    pub random: Option<unsafe extern "C" fn(channel: *const steer_channel) -> u64>,
    /// `[any thread]`
    /// Starts a timer and returns its number, which is never 0. The hook `timer` receives the
    /// number when the timer expires. A timer that is started before the first update begins to run
    /// with that update. Returns 0 when it is too late. Outside of the channel's serialised hooks,
    /// the timer begins to run in the host's work serializer, soon after; it counts from this call.
    /// Before version 10: `[serialised]`.
    pub timer_start:
        Option<unsafe extern "C" fn(channel: *const steer_channel, after_ns: u64) -> u64>,
    /// `[any thread]`
    /// Cancels a timer. If it expires anyway, nothing happens. Outside of the channel's serialised
    /// hooks, it may still come to the hook `timer` until it is cancelled, soon after. Before
    /// version 10: `[serialised]`.
    pub timer_cancel: Option<unsafe extern "C" fn(channel: *const steer_channel, timer: u64)>,
    /// `[any thread]`
    /// Asks for a new picker after the current hook. For picker types, when something other than
    /// the backends has changed. Outside of the channel's serialised hooks, for example at the end
    /// of a call or on a thread of the application: soon after, in the host's work serializer. One
    /// new picker follows, however many ask for it before. For policies, as `wake`. Before version
    /// 10: `[serialised]`.
    pub rebuild: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// `[serialised]`
    /// Makes an endpoint for the entry at this place of the latest update. Returns its number,
    /// which is never 0 and never used again. The endpoint reports its state soon after, and does
    /// not connect before `endpoint_connect`. Returns 0 when it cannot be made. For policies, as
    /// all functions below.
    pub endpoint_new:
        Option<unsafe extern "C" fn(channel: *const steer_channel, index: usize) -> u64>,
    /// `[serialised]`
    /// Returns whether `endpoint_new` would make exactly this endpoint for this place of the latest
    /// update.
    pub endpoint_matches: Option<
        unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64, index: usize) -> i32,
    >,
    /// `[serialised]`
    /// Asks for a connection, unless there is one or one is being made.
    pub endpoint_connect:
        Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// `[serialised]`
    /// Ends the endpoint's backoff.
    pub endpoint_reset_backoff:
        Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// `[serialised]`
    /// Drops the endpoint. Pickers keep its connection.
    pub endpoint_free: Option<unsafe extern "C" fn(channel: *const steer_channel, endpoint: u64)>,
    /// `[serialised]`
    /// Publishes a state and a picker. Returns a `steer_status`: STEER_INVALID_ARGUMENT when one of
    /// the endpoints is not READY.
    pub publish: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            publication: *const steer_publication,
        ) -> i32,
    >,
    /// `[serialised]`
    /// Asks the resolver to resolve again. The resolver decides when.
    pub request_reresolution: Option<unsafe extern "C" fn(channel: *const steer_channel)>,

    /// `[any thread]`
    /// Makes a series of a counter, which the statistics show from now on with the policy of this
    /// channel. `channel` NULL: with the plugin whose entry runs on this thread.
    /// `label_values` has a text for each label of `metric`, of at most 200 bytes. Later calls with
    /// the same name and labels return another handle of the same series. Takes a lock: make series
    /// before the picks that use them, in `instance_new`, `backend_new` or `picker_new`.
    ///
    /// Returns a `steer_status`. Unless it is STEER_OK, `last_error` has the reason, and nothing is
    /// written. STEER_TOO_MANY: there are as many series as `most_series` allows.
    /// STEER_INVALID_ARGUMENT: a field is out of its range, or the name is that of a metric with
    /// another type.
    pub counter_new: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            metric: *const steer_custom_metric,
            label_values: *const steer_str,
            counter: *mut *mut steer_counter,
        ) -> i32,
    >,
    /// `[any thread]`
    /// Makes a series of a gauge, as `counter_new` does of a counter.
    pub gauge_new: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            metric: *const steer_custom_metric,
            label_values: *const steer_str,
            gauge: *mut *mut steer_gauge,
        ) -> i32,
    >,
    /// `[any thread]`
    /// Makes a series of a histogram, as `counter_new` does of a counter.
    pub histogram_new: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            metric: *const steer_custom_metric,
            label_values: *const steer_str,
            histogram: *mut *mut steer_histogram,
        ) -> i32,
    >,
    /// `[serialised]`
    /// Asks all backends for load reports out of band (ORCA, gRFC A51), about once in this time.
    /// 0: for no more reports. They come to the hook `load_report`. Asked for before the first
    /// update, they begin with that update. Backends that do not offer such reports send none, and
    /// backends may send them less often. If several policies of a channel ask, the shortest time
    /// counts for all. gRPC 1.46 has no such reports, and before 1.53 they have the utilizations
    /// only: no `qps`, no `eps` and no `named`.
    pub load_reports: Option<unsafe extern "C" fn(channel: *const steer_channel, period_ns: u64)>,
    /// `[any thread]`
    /// Asks for the hook `timer` with the number 0, soon, in the host's work serializer: once,
    /// however many ask for it before. For example at the end of a call, or on a thread of the
    /// application that holds the channel. Everything that the caller wrote before is visible to
    /// the hook. A picker type without that hook gets a new picker. Before the first update, the
    /// hook comes after that update. Returns 1 if it will come, and 0 if it is too late, or if the
    /// host cannot call the policy later. Takes no lock and allocates nothing after the first
    /// update, as far as the engine is concerned. The host may take a lock.
    pub wake: Option<unsafe extern "C" fn(channel: *const steer_channel) -> i32>,

    /// `[any thread]`
    /// For `config_new` of a policy: reads the policy of a child. `json` is the JSON text of a
    /// list as `loadBalancingConfig` is, of which the first known entry counts. Empty or `null`:
    /// round robin. `field` is its path in the config, for faults, which have the whole path of a
    /// field of the child's config. Returns NULL after a fault. The result is valid as long as the
    /// config, which need not free it.
    pub config_child: Option<
        unsafe extern "C" fn(
            faults: *mut steer_faults,
            field: steer_str,
            json: steer_str,
        ) -> *const steer_child_config,
    >,
    /// `[serialised]`
    /// Makes a child of the policy: another policy, which is run as the policy of a channel is,
    /// with its own fallback and its own place in the statistics, where people read `name`. Returns
    /// its number, which is never 0 and never used again. Children end with the policy. For
    /// policies, as the functions below.
    pub child_new:
        Option<unsafe extern "C" fn(channel: *const steer_channel, name: steer_str) -> u64>,
    /// `[serialised]`
    /// Gives the child its config, and its part of the latest update. Within the hook `update`, a
    /// resolver's error goes to the child, too, whatever its part is. Later, it gets a part of the
    /// list in use. Returns 0 if the child accepts it, otherwise a gRPC status code, and
    /// `last_error` has its text: the policy's own `update` may return that code. If another config
    /// names another policy, that one takes over as soon as it publishes something other than
    /// CONNECTING.
    pub child_update: Option<
        unsafe extern "C" fn(
            channel: *const steer_channel,
            child: u64,
            update: *const steer_child_update,
        ) -> i32,
    >,
    /// `[serialised]`
    /// Returns the `steer_state` that the child has published. -1: none yet.
    pub child_state: Option<unsafe extern "C" fn(channel: *const steer_channel, child: u64) -> i32>,
    /// `[serialised]`
    /// Publishes what the child has published, unchanged. Returns a `steer_status`.
    pub child_publish:
        Option<unsafe extern "C" fn(channel: *const steer_channel, child: u64) -> i32>,
    /// `[serialised]`
    /// Ends the child. Its pickers live on.
    pub child_free: Option<unsafe extern "C" fn(channel: *const steer_channel, child: u64)>,
    /// `[any thread]`
    /// Makes a choice: as STEER_CHOICE_CHILD, and report the call by `call_started` and
    /// `call_finished`, as `complete_tracked` does. Both hooks get the place of the backend in the
    /// resolver's list when the picker was published. UINT64_MAX: it was not in the list. If the
    /// child sends the call to no backend, `call_finished` comes at once: the call was abandoned.
    pub child_tracked: Option<unsafe extern "C" fn(child: u64, state: *mut c_void) -> steer_choice>,
}
