//! `steer_policy_type`: a custom policy, which decides about connections too.

use std::ffi::c_void;

use super::{
    steer_backends, steer_call, steer_call_end, steer_channel, steer_child_config, steer_choice,
    steer_faults, steer_json, steer_metrics, steer_str, steer_wants,
};

/// A resolver's answer, for a policy. Valid during the hook. `endpoints` can be held longer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_resolved {
    /// `sizeof(steer_resolved)`, as the engine knows it.
    pub struct_size: usize,
    /// The policy's config, as `config_new` made it. Valid until the next update.
    pub config: *const c_void,
    /// The endpoints in the resolver's order. Empty when there are none.
    pub endpoints: *const steer_backends,
    /// A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is empty.
    pub code: i32,
    /// The resolver's text for `code`.
    pub message: steer_str,
    /// Context for people. The policy adds it to its status when there are no endpoints.
    pub resolution_note: steer_str,
}

/// A child's part of an update, for `steer_api.child_update`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_child_update {
    /// `sizeof(steer_child_update)`.
    pub struct_size: usize,
    /// The child's policy and its config.
    pub config: *const steer_child_config,
    /// The child's endpoints in its order, as places in the latest list. NULL, with
    /// `endpoint_count` 0: all of them.
    pub endpoints: *const usize,
    /// The number of endpoints.
    pub endpoint_count: usize,
    /// A weight for each of `endpoints`. NULL: their own.
    pub weights: *const u32,
}

/// What a policy publishes: its state, and a picker for calls from now on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_publication {
    /// `sizeof(steer_publication)`.
    pub struct_size: usize,
    /// A `steer_state`. -1, with children: the state of the first one, with its code and message.
    pub state: i32,
    /// In STEER_TRANSIENT_FAILURE, the gRPC status code that calls fail with.
    pub code: i32,
    /// In STEER_TRANSIENT_FAILURE, the text for `code`.
    pub message: steer_str,
    /// The picker that `pick` receives. From now on it belongs to the engine, whatever `publish`
    /// returns. NULL: calls wait. In STEER_TRANSIENT_FAILURE they fail with `code`.
    pub picker: *mut c_void,
    /// The endpoints that `pick` chooses among. All are READY. A choice's `value` is an index into
    /// this array.
    pub endpoints: *const u64,
    /// The number of endpoints.
    pub endpoint_count: usize,
    /// The parts of each call that the picker reads. NULL: none.
    pub wants: *const steer_wants,
    /// The children that `pick` may leave calls to, by STEER_CHOICE_CHILD and
    /// `steer_api.child_tracked`: with their pickers of now. All have published something. This
    /// field and the next are since version 10.
    pub children: *const u64,
    /// The number of children.
    pub child_count: usize,
}

/// A policy type. As `steer_picker_type`, and it also decides which connections there are, and
/// which state they amount to, by `steer_api.endpoint_new` and the functions after it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_policy_type {
    /// `sizeof(steer_policy_type)`.
    pub struct_size: usize,
    /// As in `steer_picker_type`.
    pub name: steer_str,
    /// As in `steer_picker_type`.
    pub ctx: *mut c_void,
    /// `[any thread]`
    /// As in `steer_picker_type`.
    pub ctx_free: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// `[any thread]`
    /// As in `steer_picker_type`.
    pub config_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            json: *const steer_json,
            faults: *mut steer_faults,
            config: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[any thread]`
    /// As in `steer_picker_type`.
    pub config_free: Option<unsafe extern "C" fn(config: *mut c_void)>,
    /// `[serialised]`
    /// A channel begins to use this policy. Before its first update the policy may use only the
    /// channel's log, clock, random numbers and timers. Required.
    pub policy_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            channel: *mut steer_channel,
            policy: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[serialised]`
    /// Frees the policy. The channel does not use it any more, and drops the endpoints that it
    /// still has. Functions of `steer_api` with the tag `[serialised]`, and those that lead to a
    /// hook, are refused here. May be NULL.
    pub policy_free: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// `[serialised]`
    /// The resolver has answered. Returns 0 when the policy accepts the update, otherwise the gRPC
    /// status code for the resolver. Required.
    pub update:
        Option<unsafe extern "C" fn(policy: *mut c_void, resolved: *const steer_resolved) -> i32>,
    /// `[serialised]`
    /// An endpoint's state is now this `steer_state`. `code` and `message` say why it failed.
    /// Required for policies that make endpoints. Before version 10: required.
    pub endpoint_report: Option<
        unsafe extern "C" fn(
            policy: *mut c_void,
            endpoint: u64,
            state: i32,
            code: i32,
            message: steer_str,
        ),
    >,
    /// `[serialised]`
    /// The channel is to leave IDLE: a call waits, or the application waits for a connection. If
    /// all endpoints are IDLE after it, the engine connects the one that was made first. May be
    /// NULL.
    pub exit_idle: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// `[serialised]`
    /// Ends backoffs. NULL: the engine ends the backoff of each endpoint.
    pub reset_backoff: Option<unsafe extern "C" fn(policy: *mut c_void)>,
    /// `[serialised]`
    /// A timer has expired. 0: `steer_api.wake` was called. May be NULL.
    pub timer: Option<unsafe extern "C" fn(policy: *mut c_void, timer: u64)>,
    /// `[any thread]`
    /// As in `steer_picker_type`, for a `steer_publication.picker`.
    pub picker_free: Option<unsafe extern "C" fn(picker: *mut c_void)>,
    /// `[any thread]`
    /// As in `steer_picker_type`. Required for policies that publish pickers. Before version 10:
    /// required.
    pub pick: Option<
        unsafe extern "C" fn(picker: *const c_void, call: *const steer_call) -> steer_choice,
    >,
    /// `[any thread]`
    /// As in `steer_picker_type`.
    pub call_started:
        Option<unsafe extern "C" fn(picker: *const c_void, backend: u64, state: *mut c_void)>,
    /// `[any thread]`
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
    /// `[serialised]`
    /// An endpoint has sent a load report out of band: see `steer_api.load_reports`. `report` is
    /// valid during the call. Since version 8. May be NULL.
    pub load_report: Option<
        unsafe extern "C" fn(policy: *mut c_void, endpoint: u64, report: *const steer_metrics),
    >,
    /// `[serialised]`
    /// A child of `steer_api.child_new` has published a state and a picker, after the hook in which
    /// it did. NULL: the engine publishes the same for the policy. Since version 10.
    pub child_changed: Option<unsafe extern "C" fn(policy: *mut c_void, child: u64)>,
}
