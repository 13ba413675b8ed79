//! `steer_policy_type`: a policy of one's own, which decides about connections too.

use std::ffi::c_void;

use super::{
    steer_backends, steer_call, steer_call_end, steer_channel, steer_choice, steer_faults,
    steer_json, steer_str, steer_wants,
};

/// A resolver's answer, for a policy. Valid during the hook; `endpoints` can be held longer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_resolved {
    /// `sizeof(steer_resolved)`, as the engine knows it.
    pub struct_size: usize,
    /// The policy's config, as `config_new` made it, valid until the next update.
    pub config: *const c_void,
    /// The endpoints in the resolver's order; empty when there are none.
    pub endpoints: *const steer_backends,
    /// A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is empty.
    pub code: i32,
    /// The resolver's words for that.
    pub message: steer_str,
    /// Context for people, to be part of the status when there are no endpoints.
    pub resolution_note: steer_str,
}

/// What a policy publishes: its state, and a picker for calls from now on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_publication {
    /// `sizeof(steer_publication)`.
    pub struct_size: usize,
    /// A `steer_state`.
    pub state: i32,
    /// In STEER_TRANSIENT_FAILURE: what calls fail with, a gRPC status code.
    pub code: i32,
    /// In STEER_TRANSIENT_FAILURE: its text.
    pub message: steer_str,
    /// What `pick` is given, owned by the engine from now on, whatever comes. NULL: calls wait, or
    /// in STEER_TRANSIENT_FAILURE fail with `code`.
    pub picker: *mut c_void,
    /// The endpoints that `pick` chooses among, all of them READY: a choice's `value` is an index into this.
    pub endpoints: *const u64,
    /// How many.
    pub endpoint_count: usize,
    /// What the picker wants to know of each call.
    pub wants: *const steer_wants,
}

/// A kind of policy. As `steer_picker_type`, but it decides itself which connections there are, and
/// what state they amount to: by `steer_api.endpoint_new` and the functions after it.
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
    /// *Serialised.* A channel begins to use this policy. It must not ask the channel for anything
    /// but log, clock and chance before its first update. Required.
    pub policy_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            channel: *mut steer_channel,
            policy: *mut *mut c_void,
        ) -> i32,
    >,
    /// The channel is done with it, and the endpoints that it has left are dropped. Comes where the other
    /// hooks come, but the channel does nothing for it any more that is marked *Serialised*. May be NULL.
    pub policy_free: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// *Serialised.* The resolver has answered. Returns the gRPC status code that the resolver is to be told: 0
    /// when the update was accepted. Required.
    pub update:
        Option<unsafe extern "C" fn(policy: *mut c_void, resolved: *const steer_resolved) -> i32>,
    /// *Serialised.* An endpoint's state is now this `steer_state`; `code` and `message` say why it
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
    /// *Serialised.* Backoffs are to be forgotten. NULL: those of all endpoints are.
    pub reset_backoff: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// *Serialised.* A timer has run out. May be NULL.
    pub timer: Option<unsafe extern "C" fn(policy: *mut c_void, timer: u64)>,
    /// As in `steer_picker_type`, for what `steer_publication.picker` was.
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
