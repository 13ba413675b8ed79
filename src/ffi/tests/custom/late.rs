//! Functions of `steer_api` that are called where they are not allowed: in hooks that free
//! something, in a pick within a serialised call, and after the end. The engine refuses them, and
//! nothing changes. Those that work anywhere wait for the policy's next turn, which does not come
//! here.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU64};

use super::*;

/// The channel of a test's policy, and how often it asked where it must not.
#[derive(Default)]
struct Late {
    channel: AtomicPtr<steer_channel>,
    /// An endpoint that is READY.
    endpoint: AtomicU64,
    asked: AtomicUsize,
    pickers: AtomicUsize,
}

fn late<'a>(pointer: *const c_void) -> &'a Late {
    // SAFETY: each ctx of these tests is a Late that is not freed during the test.
    unsafe { &*pointer.cast::<Late>() }
}

impl Late {
    /// Calls each function of `steer_api`.
    fn ask(&self) {
        let channel = self.channel.load(Relaxed);
        if channel.is_null() {
            return;
        }
        self.asked.fetch_add(1, Relaxed);
        let (api, endpoint) = (api(), self.endpoint.load(Relaxed));
        self.pickers.fetch_add(1, Relaxed);
        let publication = steer_publication {
            struct_size: size_of::<steer_publication>(),
            state: steer_state::STEER_READY as i32,
            code: 0,
            message: steer_str::empty(),
            picker: ptr::from_ref(self).cast_mut().cast(),
            endpoints: &endpoint,
            endpoint_count: 1,
            wants: ptr::null(),
            children: ptr::null(),
            child_count: 0,
        };
        // SAFETY: the test holds the channel that the engine gave to it.
        unsafe {
            // Serialised functions are refused.
            api.request_reresolution.unwrap()(channel);
            assert_eq!(api.endpoint_new.unwrap()(channel, 0), 0);
            assert_eq!(api.endpoint_matches.unwrap()(channel, endpoint, 0), 0);
            api.endpoint_connect.unwrap()(channel, endpoint);
            api.endpoint_reset_backoff.unwrap()(channel, endpoint);
            api.endpoint_free.unwrap()(channel, endpoint);
            let refused = api.publish.unwrap()(channel, &publication);
            // A picker type has no endpoints.
            if endpoint == 0 {
                self.pickers.fetch_sub(1, Relaxed);
            }
            assert_eq!(refused, STEER_INVALID_ARGUMENT as i32);
            assert!(text(api.last_error.unwrap()()).contains("publish: "));
        }
        ask_anywhere(channel);
    }
}

/// Calls the functions that work anywhere.
fn ask_anywhere(channel: *mut steer_channel) {
    let (api, word) = (api(), steer_str::borrow("late"));
    // SAFETY: the test holds the channel that the engine gave to it.
    unsafe {
        let timer = api.timer_start.unwrap()(channel, 1);
        api.timer_cancel.unwrap()(channel, timer);
        api.rebuild.unwrap()(channel);
        api.wake.unwrap()(channel);
        api.log.unwrap()(channel, 0, word);
        assert_eq!(api.now.unwrap()(channel), 7);
        assert_eq!(api.random.unwrap()(channel), 12);
        api.channel_hold.unwrap()(channel);
        api.channel_release.unwrap()(channel);
        api.backends_hold.unwrap()(ptr::null());
        api.backends_release.unwrap()(ptr::null());
        let null = api.register_picker.unwrap()(ptr::null());
        assert_eq!(null, STEER_NULL_ARGUMENT as i32);
        let null = api.register_policy.unwrap()(ptr::null());
        assert_eq!(null, STEER_NULL_ARGUMENT as i32);
        assert_eq!(api.json_kind.unwrap()(ptr::null()), 0);
        assert_eq!(api.json_size.unwrap()(ptr::null()), 0);
        assert!(api.json_at.unwrap()(ptr::null(), 0).is_null());
        assert!(api.json_get.unwrap()(ptr::null(), word).is_null());
        api.config_fault.unwrap()(ptr::null_mut(), word, word);
        // The engine ignores these.
        api.fail.unwrap()(14, word);
        api.drop.unwrap()(14, word);
        api.complete_tracked.unwrap()(0, ptr::null_mut());
        api.fault.unwrap()(word);
    }
}

unsafe extern "C" fn config_new(
    ctx: *mut c_void,
    _: *const steer_json,
    _: *mut steer_faults,
    config: *mut *mut c_void,
) -> i32 {
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { config.write(ctx) };
    0
}

/// All hooks that free something, except the picker's. Each receives the Late.
unsafe extern "C" fn free_late(pointer: *mut c_void) {
    late(pointer).ask();
}

unsafe extern "C" fn picker_free(pointer: *mut c_void) {
    let late = late(pointer);
    late.pickers.fetch_sub(1, Relaxed);
    late.ask_unless_asking();
}

thread_local! {
    static ASKING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl Late {
    /// `publish` frees a refused picker, which calls this within `ask`.
    fn ask_unless_asking(&self) {
        if !ASKING.replace(true) {
            self.ask();
            ASKING.set(false);
        }
    }
}

unsafe extern "C" fn pick(picker: *const c_void, _: *const steer_call) -> steer_choice {
    late(picker).ask_unless_asking();
    steer_choice { kind: 0, value: 0 }
}

unsafe extern "C" fn hold(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    made: *mut *mut c_void,
) -> i32 {
    late(ctx).channel.store(channel, Relaxed);
    // SAFETY: the engine passes its channel and a pointer that can be written to.
    unsafe {
        api().channel_hold.unwrap()(channel);
        made.write(ctx);
    }
    0
}

// --- A policy ---

unsafe extern "C" fn policy_update(policy: *mut c_void, _: *const steer_resolved) -> i32 {
    let late = late(policy);
    if late.endpoint.load(Relaxed) == 0 {
        // SAFETY: the test holds the channel, and this is within a serialised hook.
        let made = unsafe { api().endpoint_new.unwrap()(late.channel.load(Relaxed), 0) };
        assert_ne!(made, 0);
        late.endpoint.store(made, Relaxed);
    } else {
        publish(late);
    }
    0
}

fn publish(late: &Late) {
    late.pickers.fetch_add(1, Relaxed);
    let endpoint = late.endpoint.load(Relaxed);
    let publication = steer_publication {
        struct_size: size_of::<steer_publication>(),
        state: steer_state::STEER_READY as i32,
        code: 0,
        message: steer_str::empty(),
        picker: ptr::from_ref(late).cast_mut().cast(),
        endpoints: &endpoint,
        endpoint_count: 1,
        wants: ptr::null(),
        children: ptr::null(),
        child_count: 0,
    };
    let channel = late.channel.load(Relaxed);
    // SAFETY: the test holds the channel, and this is within a serialised hook.
    let published = unsafe { api().publish.unwrap()(channel, &publication) };
    assert_eq!(published, STEER_OK as i32);
    // This hook is a serialised one again, after the host's call.
    // SAFETY: the test holds the channel, and this is within a serialised hook.
    assert_eq!(unsafe { api().endpoint_matches.unwrap()(channel, endpoint, 0) }, 1);
}

unsafe extern "C" fn policy_report(policy: *mut c_void, _: u64, state: i32, _: i32, _: steer_str) {
    if state == steer_state::STEER_READY as i32 {
        publish(late(policy));
    }
}

/// A Late that is never freed, because registered types stay.
fn new_late() -> &'static Late {
    Box::leak(Box::default())
}

fn policy_type(name: &'static str, late: &'static Late) -> steer_policy_type {
    steer_policy_type {
        struct_size: size_of::<steer_policy_type>(),
        name: steer_str::borrow(name),
        ctx: ptr::from_ref(late).cast_mut().cast(),
        ctx_free: Some(free_late),
        config_new: Some(config_new),
        config_free: Some(free_late),
        policy_new: Some(hold),
        policy_free: Some(free_late),
        update: Some(policy_update),
        endpoint_report: Some(policy_report),
        exit_idle: None,
        reset_backoff: None,
        timer: None,
        picker_free: Some(picker_free),
        pick: Some(pick),
        call_started: None,
        call_finished: None,
        on_fault: 0,
        faults_per_minute: 0,
        load_report: None,
        child_changed: None,
    }
}

/// What the host sees of the policy's requests.
fn wishes(seen: &Seen) -> (usize, usize, usize, usize, usize, usize, usize) {
    let Seen {
        endpoints, freed_endpoints, connects, resets, states, reresolutions, timers, ..
    } = seen;
    let (made, states, timers) = (endpoints.len(), states.len(), timers.len());
    (made, *freed_endpoints, *connects, *resets, states, *reresolutions, timers)
}

#[test]
fn a_policy_is_refused_outside_of_serialised_hooks() {
    let late = new_late();
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_policy(&policy_type("late_policy", late)) }, STEER_OK);
    let mut fixture = Fixture::new("late_policy");
    fixture.seen().matches = 1;
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    // A pick, and then the end of a picker, within a serialised hook.
    fixture.seen().pick_within = true;
    fixture.ready(0);
    assert_eq!(late.asked.load(Relaxed), 1);
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    assert_eq!(late.asked.load(Relaxed), 3);
    // A pick elsewhere.
    fixture.pick();
    assert_eq!(late.asked.load(Relaxed), 4);
    assert_eq!(wishes(fixture.seen()), (1, 0, 0, 0, 2, 0, 0));
    assert_eq!(late.pickers.load(Relaxed), 1, "the one in use");
    // policy_free.
    // SAFETY: the policy is freed once, and replaced by NULL.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
    assert_eq!(wishes(fixture.seen()), (1, 1, 0, 0, 2, 0, 0));
    let asked = late.asked.load(Relaxed);
    assert!(asked >= 5, "{asked}");
    // After the end: the last picker, and with it the config.
    let picker = fixture.seen().picker.take().unwrap();
    // SAFETY: the picker was taken out, so it is freed once.
    unsafe { steer_picker_free(picker) };
    late.ask();
    assert_eq!(late.pickers.load(Relaxed), 0);
    assert_eq!(wishes(fixture.seen()), (1, 1, 0, 0, 2, 0, 0));
    let refused = |line: &&String| line.contains("outside of the policy's serialised hooks");
    assert!(fixture.seen().logs.iter().any(|line| refused(&line)), "{:?}", fixture.seen().logs);
    // The channel keeps the host.
    // SAFETY: `hold` has added a reference.
    unsafe { api().channel_release.unwrap()(late.channel.swap(ptr::null_mut(), Relaxed)) };
}

// --- A picker type ---

unsafe extern "C" fn backend_new(
    instance: *mut c_void,
    _: *const steer_backend,
    data: *mut *mut c_void,
) -> i32 {
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { data.write(instance) };
    0
}

unsafe extern "C" fn picker_new(
    instance: *mut c_void,
    _: *const c_void,
    _: *const steer_backends,
    _: *mut steer_wants,
    picker: *mut *mut c_void,
) -> i32 {
    late(instance).pickers.fetch_add(1, Relaxed);
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { picker.write(instance) };
    0
}

#[test]
fn a_picker_type_is_refused_outside_of_serialised_hooks() {
    let late = new_late();
    let table = steer_picker_type {
        ctx: ptr::from_ref(late).cast_mut().cast(),
        ctx_free: Some(free_late),
        config_new: Some(config_new),
        config_free: Some(free_late),
        instance_new: Some(hold),
        instance_free: Some(free_late),
        backend_new: Some(backend_new),
        backend_free: Some(free_late),
        picker_new: Some(picker_new),
        picker_free: Some(picker_free),
        pick: Some(pick),
        ..bare_picker_type("late_pickers")
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK);
    let mut fixture = Fixture::new("late_pickers");
    fixture.seen().matches = 1;
    assert_eq!(fixture.update(&["a", "b"]).0, STEER_OK);
    fixture.seen().pick_within = true;
    fixture.ready(0);
    // With another picker, the former one is freed within a serialised call.
    fixture.ready(1);
    // A backend leaves, and its data is freed.
    assert_eq!(fixture.update(&["b"]).0, STEER_OK);
    assert!(late.asked.load(Relaxed) >= 6, "{}", late.asked.load(Relaxed));
    let mut faults = 1;
    // SAFETY: the policy and its picker are not freed.
    unsafe { steer_policy_faults(fixture.policy, &mut faults) };
    assert_eq!(faults, 0, "faults in hooks that free are ignored");
    let seen = fixture.seen();
    assert_eq!((seen.resets, seen.reresolutions, seen.timers.len()), (0, 0, 0));
    // SAFETY: the policy is freed once, and replaced by NULL.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
    let picker = fixture.seen().picker.take().unwrap();
    let asked = late.asked.load(Relaxed);
    // The last picker, and with it backends, instance and config.
    // SAFETY: the picker was taken out, so it is freed once.
    unsafe { steer_picker_free(picker) };
    assert!(late.asked.load(Relaxed) >= asked + 3, "{}", late.asked.load(Relaxed));
    let seen = fixture.seen();
    assert_eq!((seen.resets, seen.reresolutions, seen.timers.len()), (0, 0, 0));
    assert_eq!(seen.freed_connections, 2);
    // SAFETY: `hold` has added a reference.
    unsafe { api().channel_release.unwrap()(late.channel.swap(ptr::null_mut(), Relaxed)) };
}

#[test]
fn ctx_free_of_a_refused_table_has_no_channel() {
    let made = Box::into_raw(Box::<Late>::default());
    // SAFETY: it is freed at the end: the engine does not keep a refused table.
    let late: &'static Late = unsafe { &*made };
    late.channel.store(ptr::null_mut(), Relaxed);
    let table = policy_type("Not A Name", late);
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_policy(&table) }, STEER_BAD_NAME);
    // Without a channel, it cannot ask.
    assert_eq!(late.asked.load(Relaxed), 0);
    // SAFETY: it was made above, and nothing uses it any more.
    drop(unsafe { Box::from_raw(made) });
}
