//! Pickers and policies of one's own, by their tables: what hooks get and return, what is freed, and
//! what becomes of nonsense.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "what a hook does is one conversation with the engine"
)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use steer_abi::*;

use super::*;

/// What a test's type is made of, and what became of it. `ctx`, instance, and picker alike.
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
    /// The attribute and the data of the first backend of the latest picker.
    attribute: AtomicUsize,
    data: AtomicUsize,
    freed: AtomicBool,
}

impl World {
    fn count(&self, counter: fn(&World) -> &AtomicUsize) -> usize {
        counter(self).load(Ordering::Relaxed)
    }
}

/// A config: what a picker of it does.
struct Does(String);

fn world<'a>(pointer: *const c_void) -> &'a World {
    // SAFETY: every ctx of these tests is a World that is never freed.
    unsafe { &*pointer.cast::<World>() }
}

fn api() -> &'static steer_api {
    // SAFETY: static.
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
    // SAFETY: the engine's function, with what it gave.
    let field = unsafe { api.json_get.unwrap()(json, steer_str::borrow("do")) };
    // SAFETY: as above.
    if !field.is_null() && unsafe { api.json_string.unwrap()(field, &mut does) } == 0 {
        for error in ["must be a string", "and is none"] {
            let (field, error) = (steer_str::borrow("do"), steer_str::borrow(error));
            // SAFETY: as above.
            unsafe { api.config_fault.unwrap()(faults, field, error) };
        }
        return 0;
    }
    let does = text(does);
    if does == "refuse" {
        // SAFETY: as above.
        unsafe { api.fault.unwrap()(steer_str::borrow("no such config today")) };
        return 1;
    }
    count(&world(ctx).configs);
    // SAFETY: a place for it.
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
    // SAFETY: a place for it.
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
    // SAFETY: a place for it.
    unsafe { data.write(Box::into_raw(Box::new((instance.addr(), made))).cast()) };
    0
}

unsafe extern "C" fn backend_free(data: *mut c_void) {
    // SAFETY: made by `backend_new`.
    let (instance, _) = *unsafe { Box::from_raw(data.cast::<(usize, usize)>()) };
    count(&world(ptr::with_exposed_provenance(instance)).data);
}

/// A picker: its world and what it does.
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
    // SAFETY: as the engine gives it.
    let list = unsafe { backends.read() };
    // SAFETY: as the engine gives it.
    let first = unsafe { list.items.read() };
    // SAFETY: as the engine gives it.
    let first = unsafe { first.read() };
    if first.attribute_count > 0 {
        // SAFETY: as the engine gives it.
        let attribute = unsafe { first.attributes.read() };
        // SAFETY: as the engine gives it.
        let attribute = unsafe { attribute.read() };
        world(instance).attribute.store(attribute.integer as usize, Ordering::Relaxed);
    }
    static HEADER: [steer_str; 1] = [steer_str::borrow("x-mine")];
    static BAD: [steer_str; 1] = [steer_str::borrow("X Mine")];
    // SAFETY: the engine's, to be filled in.
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
            // SAFETY: the engine's function.
            unsafe { api().fault.unwrap()(steer_str::borrow("not today")) };
            return 7;
        }
        "track" => wants.bits = STEER_WANTS_METRICS,
        _ => {}
    }
    count(&world(instance).pickers);
    let mine = Mine(instance.expose_provenance(), does.clone(), backends);
    // SAFETY: a place for it.
    unsafe { picker.write(Box::into_raw(Box::new(mine)).cast()) };
    0
}

unsafe extern "C" fn picker_free(picker: *mut c_void) {
    // SAFETY: made by `picker_new`.
    let mine = unsafe { Box::from_raw(picker.cast::<Mine>()) };
    world(ptr::with_exposed_provenance(mine.0)).pickers.fetch_sub(1, Ordering::Relaxed);
}

unsafe extern "C" fn pick(picker: *const c_void, call: *const steer_call) -> steer_choice {
    // SAFETY: made by `picker_new`, and alive.
    let mine = unsafe { &*picker.cast::<Mine>() };
    let api = api();
    let choice = |kind: i64, value| steer_choice { kind, value };
    // SAFETY: the engine's functions, with texts that are alive.
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
    // SAFETY: made by `picker_new`, and alive.
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
    // SAFETY: made by `picker_new`, and alive.
    let mine = unsafe { &*picker.cast::<Mine>() };
    // SAFETY: the engine's.
    let end = unsafe { end.read() };
    let world = world(ptr::with_exposed_provenance(mine.0));
    if end.outcome == steer_call_outcome::STEER_CALL_ABANDONED as i32 {
        count(&world.abandoned);
        return;
    }
    count(&world.finished);
    world.latency.store(end.latency_ns as usize, Ordering::Relaxed);
    // SAFETY: NULL or the engine's.
    if let Some(metrics) = unsafe { end.metrics.as_ref() } {
        world.qps.store(metrics.qps as usize, Ordering::Relaxed);
    }
    if mine.1 == "finish fault" {
        // SAFETY: the engine's function.
        unsafe { api().fault.unwrap()(steer_str::borrow("cannot take it")) };
    }
}

unsafe extern "C" fn timer_ran_out(instance: *mut c_void, _: u64) {
    count(&world(instance).timers);
}

fn picker_type(name: &'static str, world: &'static World) -> steer_picker_type {
    steer_picker_type {
        struct_size: size_of::<steer_picker_type>(),
        name: steer_str::borrow(name),
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
        on_fault: 0,
        faults_per_minute: 0,
    }
}

/// Types that are registered stay, and so do their worlds.
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
    // SAFETY: a table of this file's.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    world
}

/// A channel with two READY backends and a picker that does so.
fn doing(name: &'static str, does: &str) -> Fixture {
    let config = parse(name, &format!(r#"{{"do": "{does}"}}"#)).unwrap();
    let fixture = Fixture::new(name);
    let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
    let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
    let (status, ..) = fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    assert_eq!(status, STEER_OK);
    // SAFETY: just made; the policy has what it needs.
    unsafe { steer_config_free(config) };
    fixture.ready(0);
    if fixture.seen().endpoints.len() == 2 {
        fixture.ready(1);
    }
    fixture
}

#[test]
fn a_picker_chooses_and_everything_made_is_freed() {
    let world = registered("mine_chooses");
    {
        let fixture = doing("mine_chooses", "last");
        assert_eq!(fixture.pick(), 101);
        assert_eq!(world.count(|world| &world.instances), 1);
        assert_eq!(world.count(|world| &world.backends), 2, "one for each address");
    }
    for counter in [
        (|world| &world.configs) as fn(&World) -> &AtomicUsize,
        |world| &world.instances,
        |world| &world.pickers,
    ] {
        assert_eq!(world.count(counter), 0);
    }
    assert_eq!(world.count(|world| &world.data), 2, "freed backends");
    assert!(!world.freed.load(Ordering::Relaxed), "a registered type stays");
}

#[test]
fn what_a_picker_says_other_than_complete() {
    registered("mine_says");
    let unavailable = |words: &str| (steer_pick_kind::STEER_PICK_FAIL, 14, words.to_owned());
    assert_eq!(doing("mine_says", "queue").no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    assert_eq!(doing("mine_says", "fail").no_pick(), unavailable("mine"));
    let (kind, code, words) = doing("mine_says", "drop").no_pick();
    assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_DROP, 13));
    assert!(words.ends_with("INVALID_ARGUMENT: not for a data plane"), "{words}");
}

#[test]
fn a_pick_may_make_several_choices_and_return_any_of_them() {
    registered("mine_chosen_from");
    let fixture = doing("mine_chosen_from", "the first of two");
    for _ in 0..40 {
        let first = (steer_pick_kind::STEER_PICK_FAIL, 14, "first".to_owned());
        assert_eq!(fixture.no_pick(), first);
    }
    let words = |does| doing("mine_chosen_from", does).no_pick().2;
    assert_eq!(words("the first of two faults"), "mine_chosen_from: pick failed: the first fault");
    assert_eq!(
        words("one that is too old"),
        "mine_chosen_from: pick failed: returned STEER_CHOICE_FAIL that steer_api.fail did not make"
    );
    let fixture = doing("mine_chosen_from", "the first of two backends");
    let picked = fixture.pick_raw();
    assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64);
    // SAFETY: the tracker of this very pick.
    unsafe { steer_call_tracker_free(picked.value.cast()) };
}

#[test]
fn what_a_fault_does_is_the_tables_to_say() {
    let world = new_world();
    let fails = steer_on_fault::STEER_ON_FAULT_FAIL as i32;
    let table = steer_picker_type { on_fault: fails, ..picker_type("mine_fails_closed", world) };
    // SAFETY: a table of this file's.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_fails_closed", "fault");
    for _ in 0..100 {
        let (kind, code, words) = fixture.no_pick();
        assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_FAIL, 13));
        assert_eq!(words, "mine_fails_closed: pick failed: I am broken");
    }
    let mut why = ptr::null_mut();
    // SAFETY: alive, and a place for it.
    assert_eq!(unsafe { steer_policy_fallback(fixture.policy, &mut why) }, STEER_OK);
    assert!(why.is_null());

    let two = steer_picker_type {
        on_fault: fails,
        faults_per_minute: 2,
        ..picker_type("mine_fails_closed_after_two", new_world())
    };
    // SAFETY: a table of this file's.
    assert_eq!(unsafe { steer_register_picker(&two) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_fails_closed_after_two", "fault");
    for _ in 0..3 {
        assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_FAIL);
    }
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    // SAFETY: alive.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    fixture.ready(2);
    fixture.ready(3);
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_FAIL);
    // SAFETY: alive, and a place for it.
    assert_eq!(unsafe { steer_policy_fallback(fixture.policy, &mut why) }, STEER_OK);
    // SAFETY: just made.
    assert_eq!(text(unsafe { steer_string_text(why) }), "pick failed: I am broken");
    // SAFETY: just made.
    unsafe { steer_string_free(why) };

    let other = steer_picker_type { on_fault: 2, ..picker_type("mine_other", new_world()) };
    // SAFETY: a table of this file's.
    assert_eq!(unsafe { steer_register_picker(&other) }, STEER_INVALID_ARGUMENT);
    assert!(last_error().contains("steer_picker_type.on_fault is 2"), "{}", last_error());

    // A table of version 3 ends before it.
    let old = steer_picker_type {
        struct_size: std::mem::offset_of!(steer_picker_type, on_fault),
        on_fault: 77,
        ..picker_type("mine_of_version_3", new_world())
    };
    // SAFETY: a table of this file's.
    assert_eq!(unsafe { steer_register_picker(&old) }, STEER_OK, "{}", last_error());
}

#[test]
fn nonsense_fails_the_call_and_round_robin_takes_over() {
    let world = registered("mine_nonsense");
    for (does, words) in [
        ("out of range", "chose backend 17 of 2"),
        ("garbage", "returned a choice of the kind -5, which there is not"),
        ("fail by hand", "returned STEER_CHOICE_FAIL that steer_api.fail did not make"),
        (
            "track by hand",
            "returned STEER_CHOICE_TRACKED that steer_api.complete_tracked did not make",
        ),
        ("track out of range", "chose backend 9 of 2"),
        ("fault", "I am broken"),
    ] {
        let fixture = doing("mine_nonsense", does);
        let (kind, code, said) = fixture.no_pick();
        assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_FAIL, 13));
        assert_eq!(said, format!("mine_nonsense: pick failed: {words}"));
        assert_eq!(fixture.seen().runs_asked, 1);
        assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
        let states = fixture.seen().states.len();
        // SAFETY: alive.
        assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
        assert_eq!(fixture.seen().states.len(), states, "CONNECTING is not told");
        fixture.ready(2);
        fixture.ready(3);
        let picked = [fixture.pick(), fixture.pick()];
        assert!(picked.contains(&102) && picked.contains(&103), "{picked:?}");
        let logs = &fixture.seen().logs;
        assert!(logs[0].contains(words) && logs[0].contains("round robin"), "{logs:?}");
    }
    assert_eq!(world.count(|world| &world.abandoned), 1, "of the choice that was out of range");
}

#[test]
fn a_picker_that_cannot_be_made_leaves_round_robin() {
    registered("mine_unmade");
    for (does, words) in [
        ("no picker", "picker_new failed: not today (1 fault so far)"),
        ("bad header", "steer_wants.headers[0] is \"X Mine\""),
        ("endless headers", "steer_wants.header_count is 18446744073709551615"),
        ("unknown bits", "steer_wants.bits is 0x100000"),
    ] {
        let fixture = doing("mine_unmade", does);
        fixture.ready(2);
        assert_eq!(fixture.pick(), 102);
        let logs = &fixture.seen().logs;
        assert!(logs[0].contains(words), "{logs:?}");
    }
}

#[test]
fn configs_are_refused_with_their_faults() {
    let world = registered("mine_configs");
    let refused = |json: &str| parse("mine_configs", json).unwrap_err().1;
    assert_eq!(
        refused(r#"{"do": 5}"#),
        "errors validating mine_configs LB policy config: \
         [field:mine_configs.do error:must be a string; field:mine_configs.do error:and is none]"
    );
    assert!(refused(r#"{"do": "refuse"}"#).contains("error:no such config today"));
    assert!(refused("[]").contains("is not an object"));
    assert_eq!(world.count(|world| &world.configs), 0);
}

#[test]
fn json_is_read() {
    let value: serde_json::Value =
        serde_json::from_str(r#"{"a": [1, 2.5, true, null, "x"], "b": -3}"#).unwrap();
    let json = ptr::from_ref(&value).cast::<steer_json>();
    let api = api();
    // SAFETY: the engine's functions, with a value that is alive.
    unsafe {
        assert_eq!(api.json_kind.unwrap()(json), 5);
        assert_eq!(
            (api.json_size.unwrap()(json), text(api.json_key.unwrap()(json, 1))),
            (2, "b".into())
        );
        let list = api.json_get.unwrap()(json, steer_str::borrow("a"));
        assert_eq!(text(api.json_text.unwrap()(list)), r#"[1,2.5,true,null,"x"]"#);
        let at = |index| api.json_at.unwrap()(list, index);
        let (mut integer, mut number, mut truth, mut word) = (0, 0.0, 0, steer_str::empty());
        assert_eq!((api.json_integer.unwrap()(at(0), &mut integer), integer), (1, 1));
        assert_eq!((api.json_number.unwrap()(at(1), &mut number), number), (1, 2.5));
        assert_eq!(api.json_integer.unwrap()(at(1), &mut integer), 0);
        assert_eq!((api.json_bool.unwrap()(at(2), &mut truth), truth), (1, 1));
        assert_eq!((api.json_kind.unwrap()(at(3)), api.json_kind.unwrap()(ptr::null())), (0, 0));
        assert_eq!((api.json_string.unwrap()(at(4), &mut word), text(word)), (1, "x".into()));
        assert!(at(5).is_null() && api.json_get.unwrap()(list, steer_str::borrow("a")).is_null());
    }
}

#[test]
fn tracked_calls_end_once() {
    let world = registered("mine_tracks");
    let fixture = doing("mine_tracks", "track");
    let picker = fixture.seen().picker.unwrap();
    // SAFETY: alive.
    assert_eq!(unsafe { steer_picker_wants(picker) }, STEER_WANTS_METRICS);
    let tracked = || {
        // SAFETY: alive; it wants nothing of the call itself.
        let picked = unsafe { steer_picker_pick(picker, ptr::null()) };
        assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64);
        picked.value.cast::<steer_call_tracker>()
    };
    let seen = || {
        let count = |counter| world.count(counter);
        (count(|w| &w.started), count(|w| &w.finished), count(|w| &w.abandoned))
    };
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code: 5,
        message: steer_str::borrow("gone"),
        // rps_fractional = 3.0
        metrics: steer_str { data: b"\x31\0\0\0\0\0\0\x08\x40".as_ptr().cast(), length: 9 },
    };
    // SAFETY: each is used by this thread alone and freed once.
    unsafe {
        let tracker = tracked();
        assert_eq!(steer_call_tracker_connection(tracker).addr(), 101);
        assert_eq!(steer_call_tracker_wants(tracker), STEER_WANTS_METRICS);
        steer_call_tracker_start(tracker);
        assert_eq!(seen(), (1, 0, 0));
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_free(tracker);
        assert_eq!(seen(), (1, 1, 0));
        let tracker = tracked();
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_free(tracker);
        assert_eq!(seen(), (2, 2, 0), "a host may know of no start");
        steer_call_tracker_free(tracked());
        assert_eq!(seen(), (2, 2, 1));
        steer_call_tracker_free(ptr::null_mut());
        steer_call_tracker_start(ptr::null_mut());
        steer_call_tracker_finish(ptr::null_mut(), &finish);
        assert!(steer_call_tracker_connection(ptr::null()).is_null());
    }
}

#[test]
fn a_tracked_call_outlives_its_picker_and_its_policy() {
    let world = registered("mine_outlived");
    let mut fixture = doing("mine_outlived", "track");
    let picker = fixture.seen().picker.take().unwrap();
    // SAFETY: alive.
    let picked = unsafe { steer_picker_pick(picker, ptr::null()) };
    // SAFETY: freed once, and replaced by NULL.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
    // SAFETY: freed once: it was taken.
    unsafe { steer_picker_free(picker) };
    assert_eq!(world.count(|world| &world.pickers), 1);
    // SAFETY: used by this thread alone and freed once.
    unsafe { steer_call_tracker_free(picked.value.cast::<steer_call_tracker>()) };
    assert_eq!(world.count(|world| &world.abandoned), 1);
    assert_eq!(world.count(|world| &world.pickers), 0);
    assert_eq!(fixture.seen().freed_connections, 2);
}

#[test]
fn what_one_picker_said_is_another_pickers_never() {
    registered("mine_said");
    assert_eq!(doing("mine_said", "fail and complete").pick(), 100);
    assert!(doing("mine_said", "fail by hand").no_pick().2.contains("did not make"));
}

#[test]
fn a_choice_that_was_to_be_tracked_is_another_pickers_never() {
    let world = registered("mine_unused");
    let queues = doing("mine_unused", "track and queue");
    assert_eq!(queues.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    let by_hand = doing("mine_unused", "track by hand");
    assert!(by_hand.no_pick().2.contains("did not make"));
    assert_eq!(world.count(|world| &world.abandoned), 0);
}

#[test]
fn a_fault_of_a_hook_that_returns_nothing_counts() {
    registered("mine_finish_fault");
    let fixture = doing("mine_finish_fault", "finish fault");
    // SAFETY: alive.
    let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code: 0,
        message: steer_str::empty(),
        metrics: steer_str::empty(),
    };
    let tracker = picked.value.cast::<steer_call_tracker>();
    // SAFETY: used by this thread alone.
    unsafe { steer_call_tracker_finish(tracker, &finish) };
    // SAFETY: freed once.
    unsafe { steer_call_tracker_free(tracker) };
    let logs = &fixture.seen().logs;
    assert!(logs[0].contains("call_finished failed: cannot take it"), "{logs:?}");
    assert_eq!(fixture.seen().runs_asked, 1);
}

unsafe extern "C" fn header_of(_: *mut c_void, name: steer_str, value: *mut steer_str) -> i32 {
    assert_eq!(text(name), "x-mine", "what is not declared is not asked for");
    // SAFETY: a place for it.
    unsafe { value.write(steer_str::borrow("v")) };
    1
}

unsafe extern "C" fn header_added(_: *mut c_void, name: steer_str, value: steer_str) -> i32 {
    assert_eq!((text(name), text(value)), ("x-added".into(), "v".into()));
    1
}

#[test]
fn headers_that_are_declared_are_read_and_others_added() {
    registered("mine_headers");
    let fixture = doing("mine_headers", "header");
    let picker = fixture.seen().picker.unwrap();
    // SAFETY: alive.
    let wants = unsafe { steer_picker_wants(picker) };
    assert_eq!(wants, STEER_WANTS_PATH | STEER_WANTS_HEADERS);
    let call = steer_call {
        header: Some(header_of),
        add_header: Some(header_added),
        ..call_with(size_of::<steer_call>(), steer_str::borrow("/s/m"))
    };
    assert_eq!(fixture.pick_with(&call).3, "true true v /s/m");
    // A host of the first version of the ABI.
    let path_alone = call_with(24, steer_str::borrow("/s/m"));
    assert_eq!(fixture.pick_with(&path_alone).3, "false false  /s/m");
}

#[test]
fn what_is_remembered_of_a_backend_lasts_as_long_as_its_address() {
    let world = registered("mine_remembers");
    let fixture = doing("mine_remembers", "complete");
    let config = parse("mine_remembers", "{}").unwrap();
    let addresses = [steer_str::borrow("b"), steer_str::borrow("c")];
    let attribute = steer_attribute {
        struct_size: size_of::<steer_attribute>(),
        key: steer_str::borrow("rack"),
        kind: steer_attribute_kind::STEER_ATTRIBUTE_INTEGER as i32,
        text: steer_str::empty(),
        integer: 42,
    };
    let described =
        steer_endpoint { attributes: &attribute, attribute_count: 1, ..endpoint(&addresses[0]) };
    let endpoints = [described, endpoint(&addresses[1])];
    fixture.seen().matches = 0;
    fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: just made; the policy has what it needs.
    unsafe { steer_config_free(config) };
    fixture.ready(2);
    fixture.ready(3);
    assert_eq!(world.count(|world| &world.attribute), 42);
    assert_eq!(world.count(|world| &world.backends), 3, "b stays, c is new");
    assert_eq!(world.count(|world| &world.data), 1, "a has left");
}

#[test]
fn tables_are_checked_before_they_are_registered() {
    let refused = |table: &steer_picker_type, status: steer_status, words: &str| {
        // SAFETY: a table of this file's.
        assert_eq!(unsafe { steer_register_picker(table) }, status);
        assert!(last_error().contains(words), "{}", last_error());
    };
    let good = |world| picker_type("mine_checked", world);
    let freed = |world: &World| world.freed.load(Ordering::Relaxed);
    // SAFETY: NULL is refused.
    assert_eq!(unsafe { steer_register_picker(ptr::null()) }, STEER_NULL_ARGUMENT);
    let world = new_world();
    let short = steer_picker_type { struct_size: 24, ..good(world) };
    refused(&short, STEER_BAD_STRUCT_SIZE, "struct_size is below that of ABI version 1");
    assert!(!freed(world), "what cannot be read is not taken over");
    let world = new_world();
    let none = steer_picker_type { pick: None, picker_new: None, ..good(world) };
    refused(
        &none,
        STEER_MISSING_CALLBACK,
        "mine_checked: steer_picker_type has no picker_new, pick",
    );
    assert!(freed(world));
    for (name, words) in [
        ("Mine", "lower-case letters"),
        ("", "lower-case letters"),
        ("steer_mine", "names that begin with \"steer_\" are Steer's own"),
        ("steer_round_robin", "names that begin with \"steer_\" are Steer's own"),
        ("round_robin", "gRPC has a policy of its own of this name"),
        ("priority_experimental", "gRPC has a policy of its own of this name"),
    ] {
        let world = new_world();
        refused(&picker_type(name, world), STEER_BAD_NAME, words);
        assert!(freed(world));
    }
    let bytes = steer_str { data: b"\xff\xfe".as_ptr().cast(), length: 2 };
    let unreadable = steer_picker_type { name: bytes, ..good(new_world()) };
    refused(&unreadable, STEER_BAD_NAME, "is not UTF-8");
    registered("mine_checked");
    let again = new_world();
    refused(&good(again), STEER_BAD_NAME, "\"mine_checked\" already, registered by the program");
    assert!(freed(again));
}

unsafe extern "C" fn entry_registers(api: *const steer_api) -> i32 {
    // SAFETY: the engine's.
    let api = unsafe { &*api };
    let table = picker_type("mine_plugged", new_world());
    // SAFETY: a table of this file's.
    unsafe { api.register_picker.unwrap()(&table) }
}

unsafe extern "C" fn entry_fails(api: *const steer_api) -> i32 {
    // SAFETY: the engine's.
    let api = unsafe { &*api };
    let table = picker_type("mine_half", new_world());
    // SAFETY: a table of this file's.
    assert_eq!(unsafe { api.register_picker.unwrap()(&table) }, 0);
    // SAFETY: the engine's function.
    unsafe { api.fault.unwrap()(steer_str::borrow("no licence")) };
    1
}

unsafe extern "C" fn entry_idles(_: *const steer_api) -> i32 {
    0
}

fn plugin(entry: unsafe extern "C" fn(*const steer_api) -> i32) -> steer_plugin {
    steer_plugin {
        magic: STEER_PLUGIN_MAGIC,
        struct_size: size_of::<steer_plugin>(),
        abi_version: STEER_ABI_VERSION,
        pointer_size: size_of::<usize>() as u32,
        api_size: size_of::<steer_api>(),
        picker_type_size: size_of::<steer_picker_type>(),
        policy_type_size: size_of::<steer_policy_type>(),
        name: steer_str::borrow("tests"),
        version: steer_str::borrow("1"),
        build: steer_str::borrow("by hand"),
        entry: Some(entry),
    }
}

#[test]
fn plugins_are_looked_at_before_they_are_run() {
    let refused = |plugin: &steer_plugin, status: steer_status, words: &[&str]| {
        // SAFETY: a block of this file's.
        assert_eq!(unsafe { steer_register_plugin(plugin) }, status);
        for words in words {
            assert!(last_error().contains(words), "{}", last_error());
        }
    };
    let good = plugin(entry_registers);
    let facts = ["plugin \"tests\" 1 built by by hand: ABI", "engine 0.1.0: ABI"];
    refused(&steer_plugin { magic: 1, ..good }, STEER_BAD_PLUGIN, &["begins with 0x"]);
    refused(&steer_plugin { struct_size: 16, ..good }, STEER_BAD_PLUGIN, &["has 16 bytes"]);
    let later = steer_plugin { abi_version: STEER_ABI_VERSION + 1, ..good };
    refused(&later, STEER_BAD_PLUGIN, &["a later version of the ABI", facts[0], facts[1]]);
    let small = steer_plugin { pointer_size: 2, ..good };
    refused(&small, STEER_BAD_PLUGIN, &["pointers have another size", facts[0], facts[1]]);
    let large = steer_plugin { picker_type_size: 1 << 20, ..good };
    refused(&large, STEER_BAD_PLUGIN, &["tables are larger", facts[0], facts[1]]);
    let unreadable = steer_str { data: b"\xff".as_ptr().cast(), length: 1 };
    for name in [steer_str::empty(), unreadable] {
        refused(&steer_plugin { name, ..good }, STEER_BAD_PLUGIN, &["is empty or not UTF-8"]);
    }
    refused(&steer_plugin { entry: None, ..good }, STEER_MISSING_CALLBACK, &["entry of \"tests\""]);
    refused(&plugin(entry_fails), STEER_PLUGIN_FAILED, &["\"tests\" failed: no licence"]);
    assert!(parse("mine_half", "{}").is_err(), "all or nothing");
    refused(&plugin(entry_idles), STEER_PLUGIN_FAILED, &["has registered nothing"]);
    // SAFETY: NULL is refused.
    assert_eq!(unsafe { steer_register_plugin(ptr::null()) }, STEER_NULL_ARGUMENT);
}

#[test]
fn the_next_release_of_a_plugin_takes_over_with_its_config() {
    let good = plugin(entry_registers);
    // SAFETY: a block of this file's.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_plugged", "last");
    let other = steer_plugin { name: steer_str::borrow("others"), ..good };
    // SAFETY: a block of this file's.
    assert_eq!(unsafe { steer_register_plugin(&other) }, STEER_PLUGIN_FAILED);
    assert!(last_error().contains("of the plugin \"tests\""), "{}", last_error());
    // SAFETY: a block of this file's.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let config = parse("mine_plugged", r#"{"do": "complete"}"#).unwrap();
    let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
    let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
    fixture.seen().matches = 1;
    fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: just made; the policy has what it needs.
    unsafe { steer_config_free(config) };
    assert_eq!(fixture.pick(), 100, "with the connections that there are");
    assert_eq!(fixture.seen().endpoints.len(), 2);
}

#[test]
fn what_breaks_after_it_was_replaced_does_not_replace_the_next_release() {
    let good = plugin(entry_registers);
    // SAFETY: a block of this file's.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_plugged", "finish fault");
    // SAFETY: alive.
    let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
    // SAFETY: a block of this file's.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let config = parse("mine_plugged", r#"{"do": "last"}"#).unwrap();
    let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
    let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
    fixture.seen().matches = 1;
    fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: just made; the policy has what it needs.
    unsafe { steer_config_free(config) };
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code: 0,
        message: steer_str::empty(),
        metrics: steer_str::empty(),
    };
    let tracker = picked.value.cast::<steer_call_tracker>();
    // SAFETY: used by this thread alone.
    unsafe { steer_call_tracker_finish(tracker, &finish) };
    // SAFETY: freed once.
    unsafe { steer_call_tracker_free(tracker) };
    assert!(fixture.seen().logs[0].contains("call_finished failed"), "it counts all the same");
    assert_eq!(fixture.seen().runs_asked, 0);
    // SAFETY: alive.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    assert_eq!([fixture.pick(), fixture.pick()], [101, 101], "round robin would alternate");
}

#[test]
fn libraries_that_are_none_are_refused() {
    if cfg!(miri) {
        return;
    }
    let load = |path: &str| {
        // SAFETY: nothing is there that could run.
        let status = unsafe { steer_load_plugin(steer_str::borrow(path)) };
        (status, last_error())
    };
    assert_eq!(load("").0, STEER_INVALID_ARGUMENT);
    let (status, words) = load("/nowhere/libmine.so");
    assert_eq!(status, STEER_BAD_PLUGIN);
    assert!(words.starts_with("/nowhere/libmine.so cannot be loaded: "), "{words}");
}
