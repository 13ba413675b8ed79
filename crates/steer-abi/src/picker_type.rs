//! `steer_picker_type`: a custom picker, the easy way to write a policy.

use std::ffi::c_void;

use super::{
    steer_backend, steer_backends, steer_call, steer_call_end, steer_channel, steer_choice,
    steer_faults, steer_json, steer_str,
};

/// Declares which parts of a call a picker reads. Parts that it does not declare cost nothing. The
/// engine passes this struct, filled with zeros, for `picker_new` to fill in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_wants {
    /// `sizeof(steer_wants)`, as the engine knows it.
    pub struct_size: usize,
    /// STEER_WANTS_… bits, combined by or.
    pub bits: u32,
    /// The names of the headers that the picker reads, in lower case. The engine copies them after
    /// `picker_new` has returned.
    pub headers: *const steer_str,
    /// The number of names; at most 64.
    pub header_count: usize,
}

/// A picker type: given the READY backends, its pickers choose one per call. Steer does the rest:
/// connections, states, updates and parsing the config. The engine copies the table.
///
/// Three kinds of objects: `config_new` makes a *config*. Each channel has an *instance*, which
/// carries state from one picker to the next. A *picker* is made for every change of backends or
/// config; it is freed after it was replaced, once no pick uses it and its calls have ended.
///
/// Errors: a hook returns 0, or another number if it failed. A hook that fails reports why by
/// `steer_api.fault`, as a hook without a result may do too. `on_fault` decides how the policy
/// continues. Hooks must not throw and must not longjmp. Hooks that free something are not called
/// with NULL.
///
/// Threads: hooks marked *Serialised* never overlap for one channel. Hooks marked *Any thread* may
/// be called by many threads at once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_picker_type {
    /// `sizeof(steer_picker_type)`.
    pub struct_size: usize,
    /// The name in `loadBalancingConfig`: lower-case letters, digits and '_', beginning with a
    /// letter and not with "steer_".
    pub name: steer_str,
    /// Passed to `config_new` and `instance_new`.
    pub ctx: *mut c_void,
    /// *Any thread.* Frees `ctx`, after everything that was made of this type; also if registering
    /// fails. May be NULL.
    pub ctx_free: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// *Any thread.* Parses a config: the JSON value beside the policy's name, or `{}` if there is
    /// none. Reports each error, with its field, by `steer_api.config_fault`; the config is then
    /// rejected. `json` is valid during the call. NULL if there is nothing to configure: then every
    /// config is NULL.
    pub config_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            json: *const steer_json,
            faults: *mut steer_faults,
            config: *mut *mut c_void,
        ) -> i32,
    >,
    /// *Any thread.* Frees a config when no policy uses it any more. May be NULL.
    pub config_free: Option<unsafe extern "C" fn(config: *mut c_void)>,
    /// *Serialised.* A channel begins to use this type. `channel` is valid until the instance and
    /// all its pickers are freed. NULL: the instance is `ctx`.
    pub instance_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            channel: *mut steer_channel,
            instance: *mut *mut c_void,
        ) -> i32,
    >,
    /// *Any thread.* Frees an instance, after its pickers. May be NULL.
    pub instance_free: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// *Serialised.* Makes the state of a backend, `steer_backend.data`. It is kept as long as the
    /// backend's addresses are in the channel's list, across new pickers, lost connections and new
    /// lists. `backend` is valid during the call. NULL if backends have no state.
    pub backend_new: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            backend: *const steer_backend,
            data: *mut *mut c_void,
        ) -> i32,
    >,
    /// *Any thread.* Frees the state of a backend, after the backend has left the list and no
    /// picker has it any more. May be NULL.
    pub backend_free: Option<unsafe extern "C" fn(data: *mut c_void)>,
    /// *Serialised.* Makes a picker for these READY backends; there is at least one. `config` and
    /// `backends` are valid until the picker is freed. Fills in `wants`. Required.
    pub picker_new: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            config: *const c_void,
            backends: *const steer_backends,
            wants: *mut steer_wants,
            picker: *mut *mut c_void,
        ) -> i32,
    >,
    /// *Any thread.* Frees a picker, when no pick uses it and all its tracked calls have ended. May
    /// be NULL.
    pub picker_free: Option<unsafe extern "C" fn(picker: *mut c_void)>,
    /// *Any thread.* Chooses a backend for one call. It should take no lock and allocate nothing.
    /// Required.
    pub pick: Option<
        unsafe extern "C" fn(picker: *const c_void, call: *const steer_call) -> steer_choice,
    >,
    /// *Any thread.* A call with STEER_CHOICE_TRACKED starts. May be NULL.
    pub call_started:
        Option<unsafe extern "C" fn(picker: *const c_void, backend: u64, state: *mut c_void)>,
    /// *Any thread.* A call with STEER_CHOICE_TRACKED has ended, whether or not it started. Called
    /// exactly once for each such call, as the last hook with its `state`, which it frees. Required
    /// for that choice.
    pub call_finished: Option<
        unsafe extern "C" fn(
            picker: *const c_void,
            backend: u64,
            state: *mut c_void,
            end: *const steer_call_end,
        ),
    >,
    /// *Serialised.* A timer of `steer_api.timer_start` has expired. May be NULL.
    pub timer: Option<unsafe extern "C" fn(instance: *mut c_void, timer: u64)>,
    /// How the policy continues after a fault: a `steer_on_fault`. Since ABI version 4, as are the
    /// fields after it.
    pub on_fault: i32,
    /// How many faults of `pick`, `call_started` and `call_finished` per minute only fail the calls
    /// that meet them. `on_fault` applies from the next fault on. 0 means no fault with
    /// STEER_ON_FAULT_FALL_BACK, and any number of faults with STEER_ON_FAULT_FAIL.
    pub faults_per_minute: u32,
}

/// How a policy continues after a fault of a picker or policy. The policy is made again, and tried
/// again, with another config, with a list of backends that comes at least 10 seconds later, and
/// with the plugin's next release.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_on_fault {
    /// Round robin replaces the policy: calls continue, to any backend.
    STEER_ON_FAULT_FALL_BACK = 0,
    /// The call that meets the fault fails with INTERNAL, and the picker chooses for the next call
    /// again. If there are more faults than `faults_per_minute`, or a serialised hook fails, all
    /// calls fail: no call goes to a backend that the policy did not choose.
    STEER_ON_FAULT_FAIL = 1,
}
