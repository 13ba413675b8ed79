//! `steer_picker_type`: a factory as a table of hooks.

use std::any::TypeId;
use std::ffi::c_void;
use std::ptr::NonNull;

use super::config::{Stored, config_new, free};
use super::panics::{guard, guard_status};
use super::picks::{Made, call_finished, call_started, pick};
use super::{Backend, Backends, Channel, Helper, Metrics, TimerId, engine};
use crate::abi::{
    steer_backend, steer_backends, steer_channel, steer_faults, steer_json, steer_metrics,
    steer_picker_type, steer_str, steer_wants,
};
use crate::{Picker, StatefulPickerFactory};

/// [`StatefulPickerFactory::build`] as a function pointer. `P` is the type that the method returns;
/// it has no name, so it is inferred.
///
/// The arguments are declared `'static` although they live only during the call. That is sound: the
/// method is generic over their lifetimes, so it cannot use that they are `'static`, and its result
/// is `'static` for every lifetime, so it does not borrow from them.
type Build<F, P> = fn(
    &'static F,
    &'static <F as StatefulPickerFactory>::Config,
    Backends<<F as StatefulPickerFactory>::BackendState>,
    &'static mut <F as StatefulPickerFactory>::ChannelState,
    &'static Helper<'static>,
) -> P;

/// The table's `ctx`.
struct Kind<F: StatefulPickerFactory, P> {
    factory: F,
    build: Build<F, P>,
}

/// The instance of one channel.
struct Instance<F: StatefulPickerFactory, P> {
    /// Alive: the engine frees `ctx` after everything that was made of it.
    kind: NonNull<Kind<F, P>>,
    channel: Channel,
    state: F::ChannelState,
}

/// Registers the factory with the engine.
pub(crate) fn register_picker<F: StatefulPickerFactory>(factory: F) -> Result<(), String> {
    register(factory, |factory, config, backends, state, helper| {
        factory.build(config, backends, state, helper)
    })
}

fn register<F: StatefulPickerFactory, P: Picker>(
    factory: F,
    build: Build<F, P>,
) -> Result<(), String> {
    let kind = Box::into_raw(Box::new(Kind { factory, build }));
    // Without the hook, the state of a backend is `()`.
    let has_state = TypeId::of::<F::BackendState>() != TypeId::of::<()>();
    let table = steer_picker_type {
        struct_size: size_of::<steer_picker_type>(),
        name: steer_str::borrow(F::NAME),
        ctx: kind.cast(),
        ctx_free: Some(free::<Kind<F, P>>),
        config_new: Some(kind_config_new::<F, P>),
        config_free: Some(free::<Stored<F::Config>>),
        instance_new: Some(instance_new::<F, P>),
        instance_free: Some(free::<Instance<F, P>>),
        backend_new: if has_state { Some(backend_new::<F, P>) } else { None },
        backend_free: if has_state { Some(free::<F::BackendState>) } else { None },
        picker_new: Some(picker_new::<F, P>),
        picker_free: Some(free::<Made<P>>),
        pick: Some(pick::<P>),
        call_started: Some(call_started::<P>),
        call_finished: Some(call_finished::<P>),
        timer: Some(timer::<F, P>),
        on_fault: F::ON_FAULT.number(),
        faults_per_minute: F::ON_FAULT.faults_per_minute(),
        load_report: Some(load_report::<F, P>),
    };
    // SAFETY: every hook is the one of that name, for `F` and `P`. The engine frees `ctx` even if
    // registering fails.
    unsafe { engine::register_picker(&table) }
}

unsafe extern "C" fn kind_config_new<F: StatefulPickerFactory, P>(
    ctx: *mut c_void,
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
) -> i32 {
    // SAFETY: the table's `ctx`, shared.
    let kind = unsafe { &*ctx.cast::<Kind<F, P>>() };
    // SAFETY: the hook's own arguments.
    unsafe {
        config_new::<F::Config>(json, faults, config, false, |config, faults| {
            kind.factory.check_config(config, faults);
        })
    }
}

unsafe extern "C" fn instance_new<F: StatefulPickerFactory, P>(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    instance: *mut *mut c_void,
) -> i32 {
    guard_status(|| {
        let kind = NonNull::new(ctx).expect("the table has a ctx").cast::<Kind<F, P>>();
        // SAFETY: the table's `ctx`, shared.
        let factory = &unsafe { kind.as_ref() }.factory;
        let channel = NonNull::new(channel).expect("an instance has a channel");
        // SAFETY: alive as long as the instance.
        let channel = unsafe { Channel::hold(channel) };
        let state = factory.new_channel(&channel);
        let made = Box::new(Instance { kind, channel, state });
        // SAFETY: the hook's output.
        unsafe { instance.write(Box::into_raw(made).cast()) };
        0
    })
}

unsafe extern "C" fn backend_new<F: StatefulPickerFactory, P>(
    instance: *mut c_void,
    backend: *const steer_backend,
    data: *mut *mut c_void,
) -> i32 {
    guard_status(|| {
        // SAFETY: an instance of this table; serialised hooks do not overlap.
        let instance = unsafe { &mut *instance.cast::<Instance<F, P>>() };
        // SAFETY: it outlives its instances.
        let factory = &unsafe { instance.kind.as_ref() }.factory;
        let backend = NonNull::new(backend.cast_mut()).expect("there is a backend");
        // SAFETY: valid during the hook.
        let backend = unsafe { Backend::without_state(backend) };
        let state = factory.new_backend(&mut instance.state, &backend);
        // SAFETY: the hook's output.
        unsafe { data.write(Box::into_raw(Box::new(state)).cast()) };
        0
    })
}

unsafe extern "C" fn picker_new<F: StatefulPickerFactory, P: Picker>(
    instance: *mut c_void,
    config: *const c_void,
    backends: *const steer_backends,
    wants: *mut steer_wants,
    picker: *mut *mut c_void,
) -> i32 {
    guard_status(|| {
        // SAFETY: an instance of this table; serialised hooks do not overlap.
        let instance = unsafe { &mut *instance.cast::<Instance<F, P>>() };
        // SAFETY: it outlives its instances.
        let kind = unsafe { instance.kind.as_ref() };
        // SAFETY: a config of this table, alive during the hook.
        let config = &unsafe { &*config.cast::<Stored<F::Config>>() }.own;
        let backends = NonNull::new(backends.cast_mut()).expect("a picker has backends");
        // SAFETY: alive during the hook; their state is what `backend_new` made.
        let backends = unsafe { Backends::new(backends) };
        // SAFETY: within a serialised hook.
        let helper = unsafe { Helper::new(&instance.channel) };
        // SAFETY: alive during the call, which is enough: see `Build`.
        let helper: &'static Helper<'static> = unsafe { &*(&raw const helper).cast() };
        let state: *mut F::ChannelState = &mut instance.state;
        // SAFETY: as above; nothing else borrows the state during the call.
        let state = unsafe { &mut *state };
        let built = (kind.build)(&kind.factory, config, backends, state, helper);

        let made = Box::new(Made::new(built));
        // SAFETY: `wants` is the hook's output argument; nothing else uses it during the hook.
        made.fill_wants(unsafe { &mut *wants });
        // SAFETY: the hook's output.
        unsafe { picker.write(Box::into_raw(made).cast()) };
        0
    })
}

unsafe extern "C" fn load_report<F: StatefulPickerFactory, P>(
    instance: *mut c_void,
    backend: *const steer_backend,
    report: *const steer_metrics,
) {
    guard(|| {
        // SAFETY: an instance of this table; serialised hooks do not overlap.
        let instance = unsafe { &mut *instance.cast::<Instance<F, P>>() };
        // SAFETY: it outlives its instances.
        let factory = &unsafe { instance.kind.as_ref() }.factory;
        let backend = NonNull::new(backend.cast_mut()).expect("there is a backend");
        // SAFETY: valid during the hook; its state is what `backend_new` made.
        let backend = unsafe { Backend::of_hook(backend) };
        // SAFETY: the engine passes a report that is valid during the hook.
        let report = unsafe { &*report };
        // SAFETY: its fields point to memory of the engine, which is valid as long.
        let report = unsafe { Metrics::new(report) };
        // SAFETY: within a serialised hook.
        let helper = unsafe { Helper::new(&instance.channel) };
        factory.load_report(&backend, &report, &mut instance.state, &helper);
    });
}

unsafe extern "C" fn timer<F: StatefulPickerFactory, P>(instance: *mut c_void, timer: u64) {
    guard(|| {
        // SAFETY: an instance of this table; serialised hooks do not overlap.
        let instance = unsafe { &mut *instance.cast::<Instance<F, P>>() };
        // SAFETY: it outlives its instances.
        let factory = &unsafe { instance.kind.as_ref() }.factory;
        // SAFETY: within a serialised hook.
        let helper = unsafe { Helper::new(&instance.channel) };
        match timer {
            0 => factory.woken(&mut instance.state, &helper),
            timer => factory.timer(TimerId(timer), &mut instance.state, &helper),
        }
    });
}
