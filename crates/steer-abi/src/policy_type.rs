//! `steer_policy_type`: a custom policy, which also decides about connections.

use std::ffi::c_void;

use super::{
    steer_backends, steer_call, steer_call_end, steer_channel, steer_choice, steer_faults,
    steer_json, steer_str, steer_wants,
};

/// A resolver's answer, for a policy. Valid during the hook. `steer_api.backends_hold` keeps
/// `endpoints` longer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_resolved {
    /// `sizeof(steer_resolved)`, as the engine knows it.
    pub struct_size: usize,
    /// The policy's config, as `config_new` made it, valid until the next update.
    pub config: *const c_void,
    /// The endpoints in the resolver's order; empty if there are none.
    pub endpoints: *const steer_backends,
    /// A gRPC status code. Other than 0 (OK) if the resolver failed; then `endpoints` is empty.
    pub code: i32,
    /// The resolver's error message.
    pub message: steer_str,
    /// Context for people. Include it in the status if there are no endpoints.
    pub resolution_note: steer_str,
}

/// What a policy publishes: its state, and a picker for all calls from now on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_publication {
    /// `sizeof(steer_publication)`.
    pub struct_size: usize,
    /// A `steer_state`.
    pub state: i32,
    /// In STEER_TRANSIENT_FAILURE: the gRPC status code that calls fail with.
    pub code: i32,
    /// In STEER_TRANSIENT_FAILURE: the status message.
    pub message: steer_str,
    /// The picker, passed to `pick`. The engine owns it from now on, even if `publish` fails. NULL:
    /// calls wait, or fail with `code` in STEER_TRANSIENT_FAILURE.
    pub picker: *mut c_void,
    /// The endpoints that `pick` chooses among, all of them READY. A choice's `value` is an index
    /// into this array.
    pub endpoints: *const u64,
    /// The number of endpoints.
    pub endpoint_count: usize,
    /// The parts of a call that the picker reads.
    pub wants: *const steer_wants,
}

/// A policy type. Unlike a `steer_picker_type`, it decides which connections there are and which
/// state they add up to, by `steer_api.endpoint_new` and the functions after it. Otherwise the same
/// rules hold.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_policy_type {
    /// `sizeof(steer_policy_type)`.
    pub struct_size: usize,
    /// As in `steer_picker_type`.
    pub name: steer_str,
    /// As in `steer_picker_type`.
    pub ctx: *mut c_void,
    /// As in `steer_picker_type`.
    pub ctx_free: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// As in `steer_picker_type`.
    pub config_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            json: *const steer_json,
            faults: *mut steer_faults,
            config: *mut *mut c_void,
        ) -> i32,
    >,
    /// As in `steer_picker_type`.
    pub config_free: Option<unsafe extern "C" fn(config: *mut c_void)>,
    /// *Serialised.* A channel begins to use this policy. Before its first update the policy may
    /// only use the channel's log, clock and random numbers. Required.
    pub policy_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            channel: *mut steer_channel,
            policy: *mut *mut c_void,
        ) -> i32,
    >,
    /// Frees the policy, when the channel does not use it any more. Endpoints that it has left are
    /// dropped. Called where serialised hooks are called, but functions marked *Serialised* do
    /// nothing for it any more. May be NULL.
    pub policy_free: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// *Serialised.* The resolver has answered. Returns the gRPC status code for the resolver: 0 if
    /// the update was accepted. Required.
    pub update:
        Option<unsafe extern "C" fn(policy: *mut c_void, resolved: *const steer_resolved) -> i32>,
    /// *Serialised.* An endpoint's state is now this `steer_state`. `code` and `message` say why it
    /// failed. Required.
    pub endpoint_report: Option<
        unsafe extern "C" fn(
            policy: *mut c_void,
            endpoint: u64,
            state: i32,
            code: i32,
            message: steer_str,
        ),
    >,
    /// *Serialised.* A call came while the policy was IDLE. May be NULL.
    pub exit_idle: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// *Serialised.* Resets connection backoffs. If NULL, the engine resets those of all endpoints.
    pub reset_backoff: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// *Serialised.* A timer has expired. May be NULL.
    pub timer: Option<unsafe extern "C" fn(policy: *mut c_void, timer: u64)>,
    /// As in `steer_picker_type`, for a `steer_publication.picker`.
    pub picker_free: Option<unsafe extern "C" fn(picker: *mut c_void)>,
    /// As in `steer_picker_type`. Required.
    pub pick: Option<
        unsafe extern "C" fn(picker: *const c_void, call: *const steer_call) -> steer_choice,
    >,
    /// As in `steer_picker_type`.
    pub call_started:
        Option<unsafe extern "C" fn(picker: *const c_void, backend: u64, state: *mut c_void)>,
    /// As in `steer_picker_type`.
    pub call_finished: Option<
        unsafe extern "C" fn(
            picker: *const c_void,
            backend: u64,
            state: *mut c_void,
            end: *const steer_call_end,
        ),
    >,
    /// As in `steer_picker_type`.
    pub on_fault: i32,
    /// As in `steer_picker_type`.
    pub faults_per_minute: u32,
}
