//! `steer_picker_type`: a picker of one's own, the easy way to write a policy.

use std::ffi::c_void;

use super::{
    steer_backend, steer_backends, steer_call, steer_call_end, steer_channel, steer_choice,
    steer_faults, steer_json, steer_str,
};

/// What a picker wants to know of each call; what it does not ask for costs nothing. The engine
/// makes it, with zeros, for `picker_new` to fill in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_wants {
    /// `sizeof(steer_wants)`, as the engine knows it.
    pub struct_size: usize,
    /// An or of STEER_WANTS_….
    pub bits: u32,
    /// The headers that it reads, in lower case; read, and copied, when `picker_new` has returned.
    pub headers: *const steer_str,
    /// How many; at most 64.
    pub header_count: usize,
}

/// A kind of picker: given the READY backends, it chooses one per call, and Steer does the rest
/// (connections, states, updates, reading the config). The engine copies the table.
///
/// Hooks return 0, or another number when they failed: what failed is then said by
/// `steer_api.fault`, and `on_fault` says what becomes of the policy. Hooks that return nothing can
/// say so, too.
/// Hooks that free are not called for NULL. Hooks must not throw and not longjmp. Hooks marked *Serialised* never overlap for one channel; those marked *Any thread* come
/// from many threads at once.
///
/// From one to the next: a *config* is what `config_new` made; an *instance* is one channel's, so
/// that pickers can leave something to the ones after them; a *picker* is made for every change of
/// backends or config, and dies some time after it was replaced, once no pick uses it.
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
    /// *Any thread.* Frees `ctx`, after all that was made of this type; also when registering
    /// fails. May be NULL.
    pub ctx_free: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// *Any thread.* Reads a config: the JSON value beside the policy's name, `{}` when there is none.
    /// What is wrong with it goes to `steer_api.config_fault`, every fault by its field; then the
    /// config is rejected. `json` is valid during the call. NULL: there is nothing to configure, and
    /// configs are NULL.
    pub config_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            json: *const steer_json,
            faults: *mut steer_faults,
            config: *mut *mut c_void,
        ) -> i32,
    >,
    /// *Any thread.* Frees a config, when no policy uses it any more. May be NULL.
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
    /// *Serialised.* Makes what is to be remembered of a backend, `steer_backend.data`, as long as
    /// its addresses are in the channel's list: also over new pickers, lost connections and new
    /// lists. `backend` is valid during the call. NULL: nothing.
    pub backend_new: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            backend: *const steer_backend,
            data: *mut *mut c_void,
        ) -> i32,
    >,
    /// *Any thread.* Frees that, when the backend has left and no picker has it any more. May be NULL.
    pub backend_free: Option<unsafe extern "C" fn(data: *mut c_void)>,
    /// *Serialised.* Makes a picker for these READY backends, of which there is at least one.
    /// `config` and `backends` are valid until the picker is freed. `wants` is to be filled in.
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
    /// *Any thread*, when no pick of it is under way, and after all of its calls have ended. May be
    /// NULL.
    pub picker_free: Option<unsafe extern "C" fn(picker: *mut c_void)>,
    /// *Any thread.* Chooses for one call. Takes no lock and allocates nothing, if it can. Required.
    pub pick: Option<
        unsafe extern "C" fn(picker: *const c_void, call: *const steer_call) -> steer_choice,
    >,
    /// *Any thread.* A call of STEER_CHOICE_TRACKED starts. May be NULL.
    pub call_started:
        Option<unsafe extern "C" fn(picker: *const c_void, backend: u64, state: *mut c_void)>,
    /// *Any thread.* A call of STEER_CHOICE_TRACKED has ended, whether or not it ever started: the last that
    /// comes of it, exactly once, and the end of `state`. Required for that choice.
    pub call_finished: Option<
        unsafe extern "C" fn(
            picker: *const c_void,
            backend: u64,
            state: *mut c_void,
            end: *const steer_call_end,
        ),
    >,
    /// *Serialised.* A timer of `steer_api.timer_start` has run out. May be NULL.
    pub timer: Option<unsafe extern "C" fn(instance: *mut c_void, timer: u64)>,
    /// What a fault leads to: a `steer_on_fault`. Since version 4, as what follows.
    pub on_fault: i32,
    /// So many faults of `pick`, `call_started` and `call_finished` a minute fail the calls that
    /// meet them, and no more; then comes what `on_fault` says. 0: none with
    /// STEER_ON_FAULT_FALL_BACK, any number with STEER_ON_FAULT_FAIL.
    pub faults_per_minute: u32,
}

/// What a fault of a picker or policy leads to. It ends with another config, with a list of
/// backends that comes 10 seconds later or more, and with the plugin's next release: then the
/// policy is made anew.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_on_fault {
    /// Round robin takes the policy's place: calls go on, to any backend.
    STEER_ON_FAULT_FALL_BACK = 0,
    /// The call that meets the fault fails with INTERNAL, and the next one is the picker's again.
    /// When there are more faults than `faults_per_minute`, or a serialised hook fails, all calls
    /// fail: no call goes where the policy did not choose.
    STEER_ON_FAULT_FAIL = 1,
}
