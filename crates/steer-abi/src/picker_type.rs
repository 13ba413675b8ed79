//! `steer_picker_type`: a custom picker, the easy way to write a policy.

use std::ffi::c_void;

use super::{
    steer_backend, steer_backends, steer_call, steer_call_end, steer_channel, steer_choice,
    steer_faults, steer_json, steer_metrics, steer_str,
};

/// The parts of a call that a picker reads. Parts that it does not ask for cost nothing. The engine
/// makes it, with zeros, and `picker_new` fills it in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_wants {
    /// `sizeof(steer_wants)`, as the engine knows it.
    pub struct_size: usize,
    /// STEER_WANTS_… bits.
    pub bits: u32,
    /// The headers that it reads, in lower case. The engine copies them after `picker_new`.
    pub headers: *const steer_str,
    /// The number of headers: at most 64.
    pub header_count: usize,
}

/// A picker type: it chooses a READY backend for each call. Steer does the rest: connections,
/// states, updates, reading the config. The engine copies the table.
///
/// Hooks return 0, or another number when they fail. A hook that fails reports the reason by
/// `steer_api.fault`, and `on_fault` decides about the policy. Hooks that return nothing may report
/// a fault, too. Hooks must not throw and must not longjmp. The engine does not call hooks that
/// free for NULL. Hooks with the tag `[serialised]` never overlap for one channel. Hooks with the
/// tag
/// `[any thread]` run on many threads at once.
///
/// Terms: a *config* is the pointer that `config_new` made. An *instance* belongs to one channel,
/// so that a picker can leave data to later pickers. A *picker* is made for each change of backends
/// or config. It is freed some time after it was replaced, when no pick uses it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_picker_type {
    /// `sizeof(steer_picker_type)`.
    pub struct_size: usize,
    /// The name in `loadBalancingConfig`: lower-case letters, digits and '_'. It begins with a
    /// letter, and not with "steer_".
    pub name: steer_str,
    /// Passed to `config_new` and `instance_new`.
    pub ctx: *mut c_void,
    /// `[any thread]`
    /// Frees `ctx`, after everything that was made of this type. Also called when registering
    /// fails. May be NULL.
    pub ctx_free: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// `[any thread]`
    /// Reads a config: the JSON value beside the policy's name, or `{}` when there is none. The
    /// fields that every policy takes (`attributes` and `reresolutionPeriod`) are not in it: the
    /// engine acts upon them. Reports each fault by `steer_api.config_fault`, with its field. The
    /// config is then rejected. The engine logs each field that was not asked for. `json` is valid
    /// during the call. NULL: there is nothing to configure, and configs are NULL.
    pub config_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            json: *const steer_json,
            faults: *mut steer_faults,
            config: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[any thread]`
    /// Frees a config, when no policy uses it. May be NULL.
    pub config_free: Option<unsafe extern "C" fn(config: *mut c_void)>,
    /// `[serialised]`
    /// A channel begins to use this type. `channel` is valid until the instance and all its pickers
    /// are freed. NULL: the instance is `ctx`.
    pub instance_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            channel: *mut steer_channel,
            instance: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[any thread]`
    /// Frees an instance, after its pickers. May be NULL.
    pub instance_free: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// `[serialised]`
    /// Makes the data for a backend, `steer_backend.data`. The data lasts as long as the backend's
    /// addresses are in the channel's list, also across new pickers, lost connections and new
    /// lists. `backend` is valid during the call. NULL: there is no data.
    pub backend_new: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            backend: *const steer_backend,
            data: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[any thread]`
    /// Frees the data of a backend that has left, when no picker has the backend. May be NULL.
    pub backend_free: Option<unsafe extern "C" fn(data: *mut c_void)>,
    /// `[serialised]`
    /// Makes a picker for these READY backends: at least one. `backends->all` has the others.
    /// Called after each change of the config, of the list or of a backend's state, while any is
    /// READY. `config` and `backends` are valid until the picker is freed. Fills in `wants`.
    /// Required.
    pub picker_new: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            config: *const c_void,
            backends: *const steer_backends,
            wants: *mut steer_wants,
            picker: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[any thread]`
    /// Frees a picker, when no pick uses it and after all of its calls have ended. May be NULL.
    pub picker_free: Option<unsafe extern "C" fn(picker: *mut c_void)>,
    /// `[any thread]`
    /// Chooses for one call. Should take no lock and allocate nothing. Required.
    pub pick: Option<
        unsafe extern "C" fn(picker: *const c_void, call: *const steer_call) -> steer_choice,
    >,
    /// `[any thread]`
    /// A call of STEER_CHOICE_TRACKED starts. May be NULL.
    pub call_started:
        Option<unsafe extern "C" fn(picker: *const c_void, backend: u64, state: *mut c_void)>,
    /// `[any thread]`
    /// A call of STEER_CHOICE_TRACKED has ended, whether it ever started or not. Comes exactly once
    /// and last, and frees `state`. Required for that choice.
    pub call_finished: Option<
        unsafe extern "C" fn(
            picker: *const c_void,
            backend: u64,
            state: *mut c_void,
            end: *const steer_call_end,
        ),
    >,
    /// `[serialised]`
    /// A timer of `steer_api.timer_start` has expired. 0: `steer_api.wake` was called. May be NULL.
    pub timer: Option<unsafe extern "C" fn(instance: *mut c_void, timer: u64)>,
    /// The effect of a fault: a `steer_on_fault`. This field and the next are since version 4.
    pub on_fault: i32,
    /// How many faults of `pick`, `call_started` and `call_finished` per minute only fail the calls
    /// that meet them. More faults lead to `on_fault`. 0 means none with STEER_ON_FAULT_FALL_BACK,
    /// and any number with STEER_ON_FAULT_FAIL.
    pub faults_per_minute: u32,
    /// `[serialised]`
    /// A backend has sent a load report out of band: see `steer_api.load_reports`. `backend` and
    /// `report` are valid during the call. Since version 8. May be NULL.
    pub load_report: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            backend: *const steer_backend,
            report: *const steer_metrics,
        ),
    >,
}

/// The effect of a fault of a picker or policy. It ends with another config, with a list of
/// backends that comes at least 10 seconds later, and with the plugin's next release. The engine
/// then makes the policy again.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_on_fault {
    /// Round robin replaces the policy. Calls continue, to any backend.
    STEER_ON_FAULT_FALL_BACK = 0,
    /// The call that meets the fault fails with INTERNAL, and the picker gets the next one. With
    /// more faults than `faults_per_minute`, or when a serialised hook fails, all calls fail. So no
    /// call goes to a backend that the policy did not choose.
    STEER_ON_FAULT_FAIL = 1,
}
