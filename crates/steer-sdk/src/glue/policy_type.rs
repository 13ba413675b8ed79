//! `steer_policy_type`: a policy's factory as a table of hooks.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::config::{Stored, config_new, free};
use super::endpoint::Dropped;
use super::panics::{guard, guard_status};
use super::picks::{Made, call_finished, call_started, pick};
use super::{Backends, Channel, ChildId, EndpointId, Metrics, PolicyHelper, TimerId, engine, text};
use crate::abi::{
    steer_channel, steer_child_config, steer_faults, steer_json, steer_metrics, steer_policy_type,
    steer_resolved, steer_str,
};
use crate::{Code, Policy, PolicyFactory, State, Status, Update};

type PickerOf<F> = <<F as PolicyFactory>::Policy as Policy>::Picker;

/// The policy of one channel.
struct Instance<F: PolicyFactory> {
    policy: F::Policy,
    channel: Channel,
    latest: Backends,
    /// The `childPolicy` of the latest config. NULL before the first update.
    child_policy: *const steer_child_config,
    dropped: Dropped,
}

/// Registers the factory with the engine.
pub(crate) fn register_policy<F: PolicyFactory>(factory: F) -> Result<(), String> {
    let table = steer_policy_type {
        struct_size: size_of::<steer_policy_type>(),
        name: steer_str::borrow(F::NAME),
        ctx: Box::into_raw(Box::new(factory)).cast(),
        ctx_free: Some(free::<F>),
        config_new: Some(factory_config_new::<F>),
        config_free: Some(free::<Stored<F::Config>>),
        policy_new: Some(policy_new::<F>),
        policy_free: Some(free::<Instance<F>>),
        update: Some(update::<F>),
        endpoint_report: Some(endpoint_report::<F>),
        exit_idle: Some(exit_idle::<F>),
        // NULL: the engine resets the backoffs of all endpoints.
        reset_backoff: None,
        timer: Some(timer::<F>),
        picker_free: Some(free::<Made<PickerOf<F>>>),
        pick: Some(pick::<PickerOf<F>>),
        call_started: Some(call_started::<PickerOf<F>>),
        call_finished: Some(call_finished::<PickerOf<F>>),
        on_fault: F::ON_FAULT.number(),
        faults_per_minute: F::ON_FAULT.faults_per_minute(),
        load_report: Some(load_report::<F>),
        child_changed: Some(child_changed::<F>),
    };
    // SAFETY: every hook is the one of that name, for `F`. The engine frees `ctx` even if
    // registering fails.
    unsafe { engine::register_policy(&table) }
}

unsafe extern "C" fn factory_config_new<F: PolicyFactory>(
    ctx: *mut c_void,
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
) -> i32 {
    // SAFETY: the table's `ctx`, shared.
    let factory = unsafe { &*ctx.cast::<F>() };
    // SAFETY: the hook's own arguments.
    unsafe {
        config_new::<F::Config>(json, faults, config, F::TAKES_CHILD, |config, faults| {
            factory.check_config(config, faults);
        })
    }
}

unsafe extern "C" fn policy_new<F: PolicyFactory>(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    policy: *mut *mut c_void,
) -> i32 {
    guard_status(|| {
        // SAFETY: the table's `ctx`, shared.
        let factory = unsafe { &*ctx.cast::<F>() };
        let channel = NonNull::new(channel).expect("a policy has a channel");
        // SAFETY: alive as long as the policy.
        let channel = unsafe { Channel::hold(channel) };
        let made: Box<Instance<F>> = Box::new(Instance {
            policy: factory.new_policy(&channel),
            channel,
            latest: Backends::none(),
            child_policy: ptr::null(),
            dropped: Dropped::default(),
        });
        // SAFETY: the hook's output.
        unsafe { policy.write(Box::into_raw(made).cast()) };
        0
    })
}

/// Runs one hook of the policy. Frees the endpoints that were dropped before it and in it.
///
/// # Safety
/// Called within a serialised hook. `policy_new` of this table made `instance`.
unsafe fn turn<F: PolicyFactory, R>(
    instance: *mut c_void,
    body: impl FnOnce(&mut F::Policy, &PolicyHelper<'_, PickerOf<F>>) -> R,
) -> R {
    // SAFETY: the caller's contract; serialised hooks do not overlap.
    let instance = unsafe { &mut *instance.cast::<Instance<F>>() };
    let Instance { policy, channel, latest, child_policy, dropped } = instance;
    // SAFETY: within a serialised hook.
    unsafe { dropped.tell(channel) };
    // SAFETY: within a serialised hook, of this table.
    let helper = unsafe { PolicyHelper::new(channel, latest, *child_policy, dropped) };
    let answer = body(policy, &helper);
    // SAFETY: within a serialised hook.
    unsafe { dropped.tell(channel) };
    answer
}

unsafe extern "C" fn update<F: PolicyFactory>(
    instance: *mut c_void,
    resolved: *const steer_resolved,
) -> i32 {
    let mut accepted = Code::Internal;
    guard(|| {
        // SAFETY: the hook's argument, valid during it.
        let resolved = unsafe { &*resolved };
        // SAFETY: a config of this table, valid until the next update.
        let stored = unsafe { &*resolved.config.cast::<Stored<F::Config>>() };
        let config = &stored.own;
        // SAFETY: valid during the hook.
        let failure = unsafe { engine::status(resolved.code, resolved.message) };
        // SAFETY: valid during the hook.
        let note = unsafe { text::lossy(resolved.resolution_note) };
        let latest = match NonNull::new(resolved.endpoints.cast_mut()) {
            // SAFETY: alive during the hook; a policy's endpoints have no state.
            Some(endpoints) => unsafe { Backends::new(endpoints) },
            None => Backends::none(),
        };
        // SAFETY: what `policy_new` made; serialised hooks do not overlap.
        let mine = unsafe { &mut *instance.cast::<Instance<F>>() };
        (mine.latest, mine.child_policy) = (latest.clone(), stored.child);
        let endpoints = if failure.is_ok() { Ok(&latest) } else { Err(&failure) };
        let update = Update::new(config, endpoints, &note);
        // SAFETY: within a serialised hook of this table.
        let answer =
            unsafe { turn::<F, _>(instance, |policy, helper| policy.update(&update, helper)) };
        if let Err(refusal) = answer {
            accepted = refusal.code;
            // This passes the message to the engine.
            engine::fail(&refusal);
        } else {
            accepted = Code::Ok;
        }
    });
    accepted as i32
}

unsafe extern "C" fn endpoint_report<F: PolicyFactory>(
    instance: *mut c_void,
    endpoint: u64,
    state: i32,
    code: i32,
    message: steer_str,
) {
    guard(|| {
        let Some(state) = State::from_number(state) else { return };
        // SAFETY: valid during the hook.
        let status: Status = unsafe { engine::status(code, message) };
        let endpoint = EndpointId(endpoint);
        // SAFETY: within a serialised hook of this table.
        unsafe {
            turn::<F, _>(instance, |policy, helper| {
                policy.endpoint_report(endpoint, state, &status, helper);
            });
        }
    });
}

unsafe extern "C" fn child_changed<F: PolicyFactory>(instance: *mut c_void, child: u64) {
    guard(|| {
        // SAFETY: within a serialised hook of this table.
        unsafe {
            turn::<F, _>(instance, |policy, helper| policy.child_changed(ChildId(child), helper));
        }
    });
}

unsafe extern "C" fn exit_idle<F: PolicyFactory>(instance: *mut c_void) {
    guard(|| {
        // SAFETY: within a serialised hook of this table.
        unsafe { turn::<F, _>(instance, |policy, helper| policy.exit_idle(helper)) }
    });
}

unsafe extern "C" fn load_report<F: PolicyFactory>(
    instance: *mut c_void,
    endpoint: u64,
    report: *const steer_metrics,
) {
    guard(|| {
        // SAFETY: the engine passes a report that is valid during the hook.
        let report = unsafe { &*report };
        // SAFETY: its fields point to memory of the engine, which is valid as long.
        let report = unsafe { Metrics::new(report) };
        let endpoint = EndpointId(endpoint);
        // SAFETY: within a serialised hook of this table.
        unsafe {
            turn::<F, _>(instance, |policy, helper| policy.load_report(endpoint, &report, helper));
        }
    });
}

unsafe extern "C" fn timer<F: PolicyFactory>(instance: *mut c_void, timer: u64) {
    guard(|| {
        // SAFETY: within a serialised hook of this table.
        unsafe {
            turn::<F, _>(instance, |policy, helper| match timer {
                0 => policy.woken(helper),
                timer => policy.timer(TimerId(timer), helper),
            });
        }
    });
}
