//! The engine's functions for hosts. While they run, callbacks know within which function they
//! come, so that they can check the rules of `docs/ABI.md`.

use super::*;

pub(super) unsafe fn steer_policy_new(
    name: steer_str,
    host: *const steer_host,
    policy: *mut *mut steer_policy,
) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("new", || unsafe { crate::ffi::steer_policy_new(name, host, policy) })
}

pub(super) unsafe fn steer_policy_update(
    policy: *mut steer_policy,
    update: *const steer_update,
    code: *mut i32,
    message: *mut *mut steer_string,
) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe { crate::ffi::steer_policy_update(policy, update, code, message) })
}

pub(super) unsafe fn steer_policy_endpoint_report(
    policy: *mut steer_policy,
    endpoint: u64,
    report: *const steer_endpoint_report,
) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe {
        crate::ffi::steer_policy_endpoint_report(policy, endpoint, report)
    })
}

pub(super) unsafe fn steer_policy_endpoint_load(
    policy: *mut steer_policy,
    endpoint: u64,
    metrics: *const steer_metrics,
) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe { crate::ffi::steer_policy_endpoint_load(policy, endpoint, metrics) })
}

pub(super) unsafe fn steer_policy_exit_idle(policy: *mut steer_policy) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe { crate::ffi::steer_policy_exit_idle(policy) })
}

pub(super) unsafe fn steer_policy_reset_backoff(policy: *mut steer_policy) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe { crate::ffi::steer_policy_reset_backoff(policy) })
}

pub(super) unsafe fn steer_policy_timer(policy: *mut steer_policy, timer: u64) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe { crate::ffi::steer_policy_timer(policy, timer) })
}

pub(super) unsafe fn steer_policy_run(policy: *mut steer_policy) -> steer_status {
    // SAFETY: the caller's contract is that of the function.
    within("event", || unsafe { crate::ffi::steer_policy_run(policy) })
}

pub(super) unsafe fn steer_policy_free(policy: *mut steer_policy) {
    // SAFETY: the caller's contract is that of the function.
    within("free", || unsafe { crate::ffi::steer_policy_free(policy) });
}

pub(super) unsafe fn steer_picker_pick(
    picker: *const steer_picker,
    call: *const steer_call,
) -> steer_picked {
    // SAFETY: the caller's contract is that of the function.
    within("pick", || unsafe { crate::ffi::steer_picker_pick(picker, call) })
}

pub(super) unsafe fn steer_picker_free(picker: *mut steer_picker) {
    // SAFETY: the caller's contract is that of the function.
    within("picker free", || unsafe { crate::ffi::steer_picker_free(picker) });
}

pub(super) unsafe fn steer_call_tracker_start(tracker: *mut steer_call_tracker) {
    // SAFETY: the caller's contract is that of the function.
    within("tracker", || unsafe { crate::ffi::steer_call_tracker_start(tracker) });
}

pub(super) unsafe fn steer_call_tracker_finish(
    tracker: *mut steer_call_tracker,
    finish: *const steer_call_finish,
) {
    // SAFETY: the caller's contract is that of the function.
    within("tracker", || unsafe { crate::ffi::steer_call_tracker_finish(tracker, finish) });
}

pub(super) unsafe fn steer_call_tracker_free(tracker: *mut steer_call_tracker) {
    // SAFETY: the caller's contract is that of the function.
    within("tracker free", || unsafe { crate::ffi::steer_call_tracker_free(tracker) });
}
