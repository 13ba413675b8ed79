//! Custom pickers and policies: the arguments and results of hooks, what is freed, and what happens
//! with nonsense.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "a hook calls several functions of the engine"
)]

mod children;
mod choices;
mod configs;
mod late;
mod loads;
mod metrics;
mod pickers;
mod plugins;
mod reentry;
mod tables;
mod tracked;
mod wakes;
mod whole_list;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use steer_abi::*;

use super::*;

/// Counts what the hooks of a test's picker type do. It is the `ctx` and each instance.
#[derive(Default)]
struct World {
    configs: AtomicUsize,
    instances: AtomicUsize,
    backends: AtomicUsize,
    pickers: AtomicUsize,
    started: AtomicUsize,
    finished: AtomicUsize,
    abandoned: AtomicUsize,
    latency: AtomicUsize,
    qps: AtomicUsize,
    timers: AtomicUsize,
    /// The attribute of the first backend of the latest picker.
    attribute: AtomicUsize,
    data: AtomicUsize,
    freed: AtomicBool,
}

impl World {
    fn count(&self, counter: fn(&World) -> &AtomicUsize) -> usize {
        counter(self).load(Ordering::Relaxed)
    }
}

/// A config: the behaviour of its pickers.
struct Does(String);

fn world<'a>(pointer: *const c_void) -> &'a World {
    // SAFETY: each ctx of these tests is a World that is never freed.
    unsafe { &*pointer.cast::<World>() }
}

fn api() -> &'static steer_api {
    // SAFETY: the table is static.
    unsafe { &*steer_api_get() }
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn world_freed(ctx: *mut c_void) {
    assert!(!world(ctx).freed.swap(true, Ordering::Relaxed), "freed twice");
}

unsafe extern "C" fn config_new(
    ctx: *mut c_void,
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
) -> i32 {
    let api = api();
    let mut does = steer_str::borrow("complete");
    // SAFETY: `json` came from the engine for this hook.
    let field = unsafe { api.json_get.unwrap()(json, steer_str::borrow("do")) };
    // SAFETY: `field` came from the engine for this hook.
    if !field.is_null() && unsafe { api.json_string.unwrap()(field, &mut does) } == 0 {
        for error in ["must be a string", "and is none"] {
            let (field, error) = (steer_str::borrow("do"), steer_str::borrow(error));
            // SAFETY: the texts are static, and `faults` came from the engine for this hook.
            unsafe { api.config_fault.unwrap()(faults, field, error) };
        }
        return 0;
    }
    let does = text(does);
    if does == "refuse" {
        // SAFETY: the text is static.
        unsafe { api.fault.unwrap()(steer_str::borrow("no such config today")) };
        return 1;
    }
    count(&world(ctx).configs);
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { config.write(Box::into_raw(Box::new((ctx.addr(), Does(does)))).cast()) };
    0
}

unsafe extern "C" fn config_free(config: *mut c_void) {
    // SAFETY: made by `config_new`.
    let (ctx, _) = *unsafe { Box::from_raw(config.cast::<(usize, Does)>()) };
    world(ptr::with_exposed_provenance(ctx)).configs.fetch_sub(1, Ordering::Relaxed);
}

unsafe extern "C" fn instance_new(
    ctx: *mut c_void,
    _: *mut steer_channel,
    instance: *mut *mut c_void,
) -> i32 {
    count(&world(ctx).instances);
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { instance.write(ctx) };
    0
}

unsafe extern "C" fn instance_free(instance: *mut c_void) {
    world(instance).instances.fetch_sub(1, Ordering::Relaxed);
}

unsafe extern "C" fn backend_new(
    instance: *mut c_void,
    _: *const steer_backend,
    data: *mut *mut c_void,
) -> i32 {
    let made = world(instance).backends.fetch_add(1, Ordering::Relaxed) + 1;
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { data.write(Box::into_raw(Box::new((instance.addr(), made))).cast()) };
    0
}

unsafe extern "C" fn backend_free(data: *mut c_void) {
    // SAFETY: made by `backend_new`.
    let (instance, _) = *unsafe { Box::from_raw(data.cast::<(usize, usize)>()) };
    count(&world(ptr::with_exposed_provenance(instance)).data);
}

/// A picker: its world, its behaviour and its backends.
struct Mine(usize, String, *const steer_backends);

unsafe extern "C" fn picker_new(
    instance: *mut c_void,
    config: *const c_void,
    backends: *const steer_backends,
    wants: *mut steer_wants,
    picker: *mut *mut c_void,
) -> i32 {
    // SAFETY: made by `config_new`.
    let does = unsafe { &(*config.cast::<(usize, Does)>()).1.0 };
    // SAFETY: the engine passes valid backends with valid pointers.
    let list = unsafe { backends.read() };
    // SAFETY: the engine passes valid backends with valid pointers.
    let first = unsafe { list.items.read() };
    // SAFETY: the engine passes valid backends with valid pointers.
    let first = unsafe { first.read() };
    if first.attribute_count > 0 {
        // SAFETY: the engine passes valid backends with valid pointers.
        let attribute = unsafe { first.attributes.read() };
        // SAFETY: the engine passes valid backends with valid pointers.
        let attribute = unsafe { attribute.read() };
        world(instance).attribute.store(attribute.integer as usize, Ordering::Relaxed);
    }
    static HEADER: [steer_str; 1] = [steer_str::borrow("x-mine")];
    static BAD: [steer_str; 1] = [steer_str::borrow("X Mine")];
    // SAFETY: the engine passes a `steer_wants` to fill in.
    let wants = unsafe { &mut *wants };
    match does.as_str() {
        "header" => {
            wants.bits = STEER_WANTS_HEADERS | STEER_WANTS_PATH;
            (wants.headers, wants.header_count) = (HEADER.as_ptr(), 1);
        }
        "bad header" => (wants.headers, wants.header_count) = (BAD.as_ptr(), 1),
        "endless headers" => wants.header_count = usize::MAX,
        "unknown bits" => wants.bits = 1 << 20,
        "no picker" => {
            // SAFETY: the text is static.
            unsafe { api().fault.unwrap()(steer_str::borrow("not today")) };
            return 7;
        }
        "track" => wants.bits = STEER_WANTS_METRICS,
        _ => {}
    }
    count(&world(instance).pickers);
    let mine = Mine(instance.expose_provenance(), does.clone(), backends);
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { picker.write(Box::into_raw(Box::new(mine)).cast()) };
    0
}

unsafe extern "C" fn picker_free(picker: *mut c_void) {
    // SAFETY: made by `picker_new`.
    let mine = unsafe { Box::from_raw(picker.cast::<Mine>()) };
    world(ptr::with_exposed_provenance(mine.0)).pickers.fetch_sub(1, Ordering::Relaxed);
}

unsafe extern "C" fn pick(picker: *const c_void, call: *const steer_call) -> steer_choice {
    // SAFETY: `picker_new` made it, and it is not freed.
    let mine = unsafe { &*picker.cast::<Mine>() };
    let api = api();
    let choice = |kind: i64, value| steer_choice { kind, value };
    // SAFETY: all texts are valid, and the call and the backends are those of this pick.
    unsafe {
        match mine.1.as_str() {
            "last" => choice(0, (*mine.2).count as u64 - 1),
            "out of range" => choice(0, 17),
            "garbage" => choice(-5, 0),
            "queue" => choice(1, 0),
            "fail" => api.fail.unwrap()(14, steer_str::borrow("mine")),
            "drop" => api.drop.unwrap()(3, steer_str::borrow("not for a data plane")),
            "fail by hand" => choice(2, 0),
            "fail and complete" => {
                api.fail.unwrap()(14, steer_str::borrow("not to be heard"));
                choice(0, 0)
            }
            "the first of two" => {
                let first = api.fail.unwrap()(14, steer_str::borrow("first"));
                api.fail.unwrap()(10, steer_str::borrow("second"));
                first
            }
            "the first of two backends" => {
                let first = api.complete_tracked.unwrap()(1, ptr::null_mut());
                api.complete_tracked.unwrap()(0, ptr::null_mut());
                first
            }
            "the first of two faults" => {
                let first = api.fault.unwrap()(steer_str::borrow("the first fault"));
                api.fault.unwrap()(steer_str::borrow("the second fault"));
                first
            }
            "one that is too old" => {
                let first = api.fail.unwrap()(14, steer_str::borrow("first"));
                for _ in 0..16 {
                    api.fail.unwrap()(14, steer_str::borrow("later"));
                }
                first
            }
            "track by hand" => choice(4, 0),
            "fault" => api.fault.unwrap()(steer_str::borrow("I am broken")),
            "track" | "finish fault" => api.complete_tracked.unwrap()(1, ptr::null_mut()),
            "track out of range" => api.complete_tracked.unwrap()(9, ptr::null_mut()),
            "track and queue" => {
                api.complete_tracked.unwrap()(0, ptr::null_mut());
                choice(1, 0)
            }
            "header" => {
                let mut value = steer_str::empty();
                let call = &*call;
                let header = call.header.unwrap();
                assert_eq!(header(call.ctx, steer_str::borrow("x-other"), &mut value), 0);
                let found = header(call.ctx, steer_str::borrow("x-mine"), &mut value) != 0;
                let added =
                    call.add_header.unwrap()(call.ctx, steer_str::borrow("x-added"), value) != 0;
                let words = format!("{found} {added} {} {}", text(value), text(call.path));
                api.fail.unwrap()(14, steer_str::borrow(&words))
            }
            _ => choice(0, 0),
        }
    }
}

unsafe extern "C" fn call_started(picker: *const c_void, backend: u64, _: *mut c_void) {
    // SAFETY: `picker_new` made it, and it is not freed.
    let mine = unsafe { &*picker.cast::<Mine>() };
    assert_eq!(backend, 1);
    count(&world(ptr::with_exposed_provenance(mine.0)).started);
}

unsafe extern "C" fn call_finished(
    picker: *const c_void,
    _: u64,
    _: *mut c_void,
    end: *const steer_call_end,
) {
    // SAFETY: `picker_new` made it, and it is not freed.
    let mine = unsafe { &*picker.cast::<Mine>() };
    // SAFETY: the engine passes a valid end.
    let end = unsafe { end.read() };
    let world = world(ptr::with_exposed_provenance(mine.0));
    if end.outcome == steer_call_outcome::STEER_CALL_ABANDONED as i32 {
        count(&world.abandoned);
        return;
    }
    count(&world.finished);
    world.latency.store(end.latency_ns as usize, Ordering::Relaxed);
    // SAFETY: the metrics are NULL or valid during the hook.
    if let Some(metrics) = unsafe { end.metrics.as_ref() } {
        world.qps.store(metrics.qps as usize, Ordering::Relaxed);
    }
    if mine.1 == "finish fault" {
        // SAFETY: the text is static.
        unsafe { api().fault.unwrap()(steer_str::borrow("cannot take it")) };
    }
}

unsafe extern "C" fn timer_ran_out(instance: *mut c_void, _: u64) {
    count(&world(instance).timers);
}

/// A picker type without optional hooks. Its picks wait.
fn bare_picker_type(name: &'static str) -> steer_picker_type {
    steer_picker_type {
        struct_size: size_of::<steer_picker_type>(),
        name: steer_str::borrow(name),
        ctx: ptr::null_mut(),
        ctx_free: None,
        config_new: None,
        config_free: None,
        instance_new: None,
        instance_free: None,
        backend_new: None,
        backend_free: None,
        picker_new: Some(bare_picker_new),
        picker_free: None,
        pick: Some(bare_pick),
        call_started: None,
        call_finished: None,
        timer: None,
        on_fault: 0,
        faults_per_minute: 0,
        load_report: None,
    }
}

/// A policy type without optional hooks. Its required ones are missing, except for `pick`.
fn bare_policy_type(name: &'static str) -> steer_policy_type {
    steer_policy_type {
        struct_size: size_of::<steer_policy_type>(),
        name: steer_str::borrow(name),
        ctx: ptr::null_mut(),
        ctx_free: None,
        config_new: None,
        config_free: None,
        policy_new: None,
        policy_free: None,
        update: None,
        endpoint_report: None,
        exit_idle: None,
        reset_backoff: None,
        timer: None,
        picker_free: None,
        pick: Some(bare_pick),
        call_started: None,
        call_finished: None,
        on_fault: 0,
        faults_per_minute: 0,
        load_report: None,
        child_changed: None,
    }
}

unsafe extern "C" fn bare_picker_new(
    _: *mut c_void,
    _: *const c_void,
    _: *const steer_backends,
    _: *mut steer_wants,
    _: *mut *mut c_void,
) -> i32 {
    0
}

unsafe extern "C" fn bare_pick(_: *const c_void, _: *const steer_call) -> steer_choice {
    steer_choice { kind: steer_choice_kind::STEER_CHOICE_QUEUE as i64, value: 0 }
}

fn picker_type(name: &'static str, world: &'static World) -> steer_picker_type {
    steer_picker_type {
        ctx: ptr::with_exposed_provenance_mut(ptr::from_ref(world).expose_provenance()),
        ctx_free: Some(world_freed),
        config_new: Some(config_new),
        config_free: Some(config_free),
        instance_new: Some(instance_new),
        instance_free: Some(instance_free),
        backend_new: Some(backend_new),
        backend_free: Some(backend_free),
        picker_new: Some(picker_new),
        picker_free: Some(picker_free),
        pick: Some(pick),
        call_started: Some(call_started),
        call_finished: Some(call_finished),
        timer: Some(timer_ran_out),
        ..bare_picker_type(name)
    }
}

/// A World that is never freed, because registered types stay.
fn new_world() -> &'static World {
    static WORLDS: Mutex<Vec<&'static World>> = Mutex::new(Vec::new());
    let world = Box::leak(Box::default());
    WORLDS.lock().unwrap().push(world);
    world
}

fn last_error() -> String {
    text(steer_last_error())
}

fn registered(name: &'static str) -> &'static World {
    let world = new_world();
    let table = picker_type(name, world);
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    world
}

/// A channel with two READY backends and a picker with this behaviour.
fn doing(name: &'static str, does: &str) -> Fixture {
    let config = parse(name, &format!(r#"{{"do": "{does}"}}"#)).unwrap();
    let fixture = Fixture::new(name);
    let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
    let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
    let (status, ..) = fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    assert_eq!(status, STEER_OK);
    // SAFETY: the config was made above, and the policy has copied it.
    unsafe { steer_config_free(config) };
    fixture.ready(0);
    if fixture.seen().endpoints.len() == 2 {
        fixture.ready(1);
    }
    fixture
}

/// A plugin's block.
fn plugin(
    name: &'static str,
    entry: unsafe extern "C" fn(*const steer_api) -> i32,
) -> steer_plugin {
    steer_plugin {
        magic: STEER_PLUGIN_MAGIC,
        struct_size: size_of::<steer_plugin>(),
        abi_version: STEER_ABI_VERSION,
        pointer_size: size_of::<usize>() as u32,
        api_size: size_of::<steer_api>(),
        picker_type_size: size_of::<steer_picker_type>(),
        policy_type_size: size_of::<steer_policy_type>(),
        name: steer_str::borrow(name),
        version: steer_str::borrow("1"),
        build: steer_str::borrow("by hand"),
        entry: Some(entry),
    }
}
