//! Custom policies with children, and custom pickers as children.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::*;

/// A policy with one child. Its config is the child's, and its picker is the Wrap itself.
#[derive(Default)]
struct Wrap {
    channel: AtomicPtr<steer_channel>,
    child: AtomicU64,
    /// The latest config.
    config: AtomicPtr<c_void>,
    /// The places of the child's endpoints. Empty: all.
    part: Mutex<Vec<usize>>,
    weights: Mutex<Vec<u32>>,
    /// What its picks return. 0: it leaves all calls to the child.
    choice: AtomicU64,
    changed: AtomicUsize,
    started: Mutex<Vec<u64>>,
    /// The backend and the outcome of each call that has ended.
    finished: Mutex<Vec<(u64, i32)>>,
}

const LEAVE: u64 = 0;
const FOLLOW: u64 = 1;
const BLOCK: u64 = 2;
const NO_SUCH: u64 = 3;
const FOLLOW_NO_SUCH: u64 = 4;

fn wrap<'a>(pointer: *const c_void) -> &'a Wrap {
    // SAFETY: each ctx of these tests is a Wrap that is never freed.
    unsafe { &*pointer.cast::<Wrap>() }
}

unsafe extern "C" fn config_of_child(
    _: *mut c_void,
    json: *const steer_json,
    faults: *mut steer_faults,
    config: *mut *mut c_void,
) -> i32 {
    let (api, field) = (api(), steer_str::borrow("childPolicy"));
    // SAFETY: the arguments came from the engine for this hook.
    unsafe {
        let list = api.json_get.unwrap()(json, field);
        let text = api.json_text.unwrap()(list);
        config.write(api.config_child.unwrap()(faults, field, text).cast_mut().cast());
    }
    0
}

unsafe extern "C" fn policy_new(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    policy: *mut *mut c_void,
) -> i32 {
    wrap(ctx).channel.store(channel, Relaxed);
    // SAFETY: the engine passes its channel, and a pointer that can be written to.
    unsafe {
        let child = api().child_new.unwrap()(channel, steer_str::borrow("the child"));
        assert_ne!(child, 0);
        wrap(ctx).child.store(child, Relaxed);
        policy.write(ctx);
    }
    0
}

unsafe extern "C" fn update_child(policy: *mut c_void, resolved: *const steer_resolved) -> i32 {
    let mine = wrap(policy);
    // SAFETY: the engine passes what it has resolved.
    let config = unsafe { (*resolved).config };
    mine.config.store(config.cast_mut(), Relaxed);
    let (part, weights) = (mine.part.lock().unwrap(), mine.weights.lock().unwrap());
    let update = steer_child_update {
        struct_size: size_of::<steer_child_update>(),
        config: config.cast(),
        endpoints: if part.is_empty() { ptr::null() } else { part.as_ptr() },
        endpoint_count: part.len(),
        weights: if weights.is_empty() { ptr::null() } else { weights.as_ptr() },
    };
    let (channel, child) = (mine.channel.load(Relaxed), mine.child.load(Relaxed));
    // SAFETY: within a serialised hook, with the config of this update.
    unsafe {
        assert_eq!(api().child_update.unwrap()(channel, child + 1, &update), Code::Internal as i32);
        api().child_update.unwrap()(channel, child, &update)
    }
}

unsafe extern "C" fn publish_with_child(policy: *mut c_void, child: u64) {
    let mine = wrap(policy);
    assert_eq!(mine.child.load(Relaxed), child);
    count(&mine.changed);
    let publication = |children: &u64| steer_publication {
        struct_size: size_of::<steer_publication>(),
        state: -1,
        code: 0,
        message: steer_str::empty(),
        picker: policy,
        endpoints: ptr::null(),
        endpoint_count: 0,
        wants: ptr::null(),
        children,
        child_count: 1,
    };
    let channel = mine.channel.load(Relaxed);
    // SAFETY: within a serialised hook, with publications that are valid during the calls.
    unsafe {
        let unknown = api().publish.unwrap()(channel, &publication(&(child + 1)));
        assert_eq!(unknown, STEER_INVALID_ARGUMENT as i32);
        assert!(api().child_state.unwrap()(channel, child) >= 0);
        let status = api().publish.unwrap()(channel, &publication(&child));
        assert_eq!(status, STEER_OK as i32, "{}", last_error());
    }
}

unsafe extern "C" fn pick_child(picker: *const c_void, _: *const steer_call) -> steer_choice {
    let kind = steer_choice_kind::STEER_CHOICE_CHILD as i64;
    // SAFETY: the text is static, and the state is NULL.
    unsafe {
        match wrap(picker).choice.load(Relaxed) {
            FOLLOW => api().child_tracked.unwrap()(0, ptr::null_mut()),
            BLOCK => api().drop.unwrap()(14, steer_str::borrow("blocked")),
            NO_SUCH => steer_choice { kind, value: 7 },
            FOLLOW_NO_SUCH => api().child_tracked.unwrap()(7, ptr::null_mut()),
            _ => steer_choice { kind, value: 0 },
        }
    }
}

unsafe extern "C" fn call_started(picker: *const c_void, backend: u64, _: *mut c_void) {
    wrap(picker).started.lock().unwrap().push(backend);
}

unsafe extern "C" fn call_finished(
    picker: *const c_void,
    backend: u64,
    _: *mut c_void,
    end: *const steer_call_end,
) {
    // SAFETY: the engine passes the end of a call.
    let outcome = unsafe { (*end).outcome };
    wrap(picker).finished.lock().unwrap().push((backend, outcome));
}

/// Registers a policy that passes everything on to its child.
fn filter(name: &'static str) -> (&'static Wrap, steer_policy_type) {
    let mine: &'static Wrap = Box::leak(Box::default());
    let table = steer_policy_type {
        ctx: ptr::from_ref(mine).cast_mut().cast(),
        config_new: Some(config_of_child),
        policy_new: Some(policy_new),
        update: Some(update_child),
        pick: None,
        ..bare_policy_type(name)
    };
    (mine, table)
}

/// The same, with a picker that chooses what to do with calls.
fn wrapper(name: &'static str) -> &'static Wrap {
    let (mine, table) = filter(name);
    register(&steer_policy_type {
        child_changed: Some(publish_with_child),
        pick: Some(pick_child),
        call_started: Some(call_started),
        call_finished: Some(call_finished),
        ..table
    });
    mine
}

fn register(table: &steer_policy_type) {
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_policy(table) }, STEER_OK, "{}", last_error());
}

/// Hands in a config and a list.
fn configure(fixture: &Fixture, name: &str, config: &str, addresses: &[&str]) -> i32 {
    let config = parse(name, config).unwrap();
    let texts: Vec<steer_str> = addresses.iter().map(|text| steer_str::borrow(text)).collect();
    let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
    let (status, code, _) = fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: the config was made above, and the policy has copied it.
    unsafe { steer_config_free(config) };
    assert_eq!(status, STEER_OK);
    code
}

fn all_ready(fixture: &Fixture) {
    (0..fixture.seen().endpoints.len()).for_each(|endpoint| fixture.ready(endpoint));
}

/// The connections that six picks go to.
fn picked(fixture: &Fixture) -> std::collections::BTreeSet<usize> {
    (0..6).map(|_| fixture.pick()).collect()
}

#[test]
fn a_policy_may_leave_all_to_its_child() {
    let (mine, table) = filter("children_filter");
    register(&table);
    let fixture = Fixture::new("children_filter");
    assert_eq!(configure(&fixture, "children_filter", "{}", &["a", "b", "c"]), 0);
    assert_eq!(fixture.seen().endpoints.len(), 3);
    all_ready(&fixture);
    assert_eq!(picked(&fixture), [100, 101, 102].into());
    // A part of the list.
    *mine.part.lock().unwrap() = vec![2, 0];
    fixture.seen().matches = 1;
    assert_eq!(configure(&fixture, "children_filter", "{}", &["a", "b", "c"]), 0);
    let ids =
        |index: u32| fixture.seen().endpoints.iter().position(|(_, at)| *at == index).unwrap();
    assert_eq!(picked(&fixture), [100 + ids(0), 100 + ids(2)].into());
    // The child answers for the resolver.
    mine.part.lock().unwrap().clear();
    let code = configure(&fixture, "children_filter", "{}", &[]);
    assert_eq!(code, Code::Unavailable as i32);
}

#[test]
fn faults_of_a_childs_config_have_the_whole_path() {
    let (_, table) = filter("children_faults");
    register(&table);
    let error = |config: &str| parse("children_faults", config).unwrap_err().1;
    let inner = r#"{"childPolicy": [{"steer_subset": {"subsetSize": "x"}}]}"#;
    let outer =
        format!(r#"{{"childPolicy": [{{"unknown": {{}}}}, {{"children_faults": {inner}}}]}}"#);
    let text = error(&outer);
    let path =
        "children_faults.childPolicy[1].children_faults.childPolicy[0].steer_subset.subsetSize";
    assert!(text.contains(path), "{text}");
    let text = error(r#"{"childPolicy": [{"unknown": {}}]}"#);
    assert!(text.contains("children_faults.childPolicy error:names no policy"), "{text}");
    let text = error(r#"{"childPolicy": 7}"#);
    assert!(text.contains("field:children_faults.childPolicy error:"), "{text}");
    let text = error(r#"{"childPolicy": [{"steer_round_robin": {}, "b": {}}]}"#);
    assert!(text.contains("children_faults.childPolicy[0] error:must have one field"), "{text}");
}

#[test]
fn a_picker_may_leave_calls_to_a_child_and_follow_them() {
    let mine = wrapper("children_wrap");
    let fixture = Fixture::new("children_wrap");
    let config = r#"{"childPolicy": [{"steer_least_request": {}}]}"#;
    assert_eq!(configure(&fixture, "children_wrap", config, &["a", "b"]), 0);
    assert_eq!(fixture.seen().states.last().unwrap().0, steer_state::STEER_CONNECTING as i32);
    mine.choice.store(FOLLOW, Relaxed);
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    let abandoned = (u64::MAX, steer_call_outcome::STEER_CALL_ABANDONED as i32);
    assert_eq!(std::mem::take(&mut *mine.finished.lock().unwrap()), [abandoned]);
    let place = fixture.seen().endpoints[1].1;
    fixture.ready(1);
    assert_eq!(fixture.seen().states.last().unwrap().0, steer_state::STEER_READY as i32);
    // The child follows the call, and so does the policy.
    let picked = fixture.pick_raw();
    assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64);
    let tracker = picked.value.cast();
    // SAFETY: the tracker is not freed before.
    unsafe {
        steer_call_tracker_start(tracker);
        let finish =
            steer_call_finish { struct_size: size_of::<steer_call_finish>(), ..std::mem::zeroed() };
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_free(tracker);
    }
    assert_eq!(*mine.started.lock().unwrap(), [u64::from(place)]);
    let finished = (u64::from(place), steer_call_outcome::STEER_CALL_FINISHED as i32);
    assert_eq!(*mine.finished.lock().unwrap(), [finished]);
    mine.choice.store(BLOCK, Relaxed);
    let blocked = (steer_pick_kind::STEER_PICK_DROP, 14, "blocked".to_owned());
    assert_eq!(fixture.no_pick(), blocked);
    mine.choice.store(LEAVE, Relaxed);
    let picked = fixture.pick_raw();
    assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64, "the child follows it");
    // SAFETY: the tracker is freed once.
    unsafe { steer_call_tracker_free(picked.value.cast()) };
    assert_eq!(mine.finished.lock().unwrap().len(), 1);
    // Failures have the child's status.
    for endpoint in 0..2 {
        let id = fixture.seen().endpoints[endpoint].0;
        let failed = report(steer_state::STEER_TRANSIENT_FAILURE as i32, ptr::null_mut());
        assert_eq!(fixture.report(id, &failed), STEER_OK);
    }
    let (state, code, message) = fixture.seen().states.last().unwrap().clone();
    assert_eq!((state, code), (steer_state::STEER_TRANSIENT_FAILURE as i32, 14));
    assert!(message.contains("connections to all backends failing"), "{message}");
}

#[test]
fn choices_of_children_that_do_not_exist_are_faults() {
    for (name, choice) in [("children_none", NO_SUCH), ("children_none_followed", FOLLOW_NO_SUCH)] {
        let mine = wrapper(name);
        let fixture = Fixture::new(name);
        assert_eq!(configure(&fixture, name, "{}", &["a"]), 0);
        fixture.ready(0);
        mine.choice.store(choice, Relaxed);
        let (kind, code, message) = fixture.no_pick();
        assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_FAIL, 13));
        assert!(message.contains("chose child 7 of 1"), "{message}");
        assert_eq!(mine.finished.lock().unwrap().len(), usize::from(choice == FOLLOW_NO_SUCH));
    }
}

#[test]
fn weights_of_the_policy_replace_those_of_the_resolver() {
    let mine = wrapper("children_weights");
    *mine.part.lock().unwrap() = vec![0, 1];
    *mine.weights.lock().unwrap() = vec![1, 3];
    let fixture = Fixture::new("children_weights");
    let config = r#"{"childPolicy": [{"steer_weighted_round_robin": {}}]}"#;
    assert_eq!(configure(&fixture, "children_weights", config, &["a", "b"]), 0);
    all_ready(&fixture);
    let second = 100 + fixture.seen().endpoints.iter().position(|(_, at)| *at == 1).unwrap();
    let calls = if cfg!(miri) { 40 } else { 400 };
    let picks = (0..calls).filter(|_| {
        let picked = fixture.pick_raw();
        if picked.kind == steer_pick_kind::STEER_PICK_COMPLETE as i64 {
            return picked.value.addr() == second;
        }
        let tracker = picked.value.cast();
        // SAFETY: the tracker is freed once, after this.
        unsafe {
            let connection = steer_call_tracker_connection(tracker).addr();
            steer_call_tracker_free(tracker);
            connection == second
        }
    });
    assert_eq!(picks.count(), calls * 3 / 4);
}

#[test]
fn policies_nest_and_a_child_that_fails_falls_back_alone() {
    let outer = wrapper("children_outer");
    let inner = wrapper("children_inner");
    let world = registered("children_leaf");
    let config = |does: &str| {
        let inner = format!(r#"{{"childPolicy": [{{"children_leaf": {{"do": "{does}"}}}}]}}"#);
        format!(r#"{{"childPolicy": [{{"children_inner": {inner}}}]}}"#)
    };
    let fixture = Fixture::new("children_outer");
    fixture.seen().matches = 1;
    assert_eq!(configure(&fixture, "children_outer", &config("last"), &["a", "b"]), 0);
    all_ready(&fixture);
    let last = 100 + fixture.seen().endpoints.iter().position(|(_, at)| *at == 1).unwrap();
    assert_eq!(picked(&fixture), [last].into());
    assert_eq!(world.count(|world| &world.pickers), 1);
    // The leaf's picker is broken. Round robin replaces it, and nothing else.
    assert_eq!(configure(&fixture, "children_outer", &config("fault"), &["a", "b"]), 0);
    assert_eq!(fixture.no_pick().1, 13);
    // SAFETY: the policy is not freed.
    unsafe { steer_policy_run(fixture.policy) };
    // Round robin makes the endpoints again.
    (2..4).for_each(|endpoint| fixture.ready(endpoint));
    assert_eq!(picked(&fixture), [102, 103].into());
    outer.choice.store(BLOCK, Relaxed);
    assert_eq!(fixture.no_pick().2, "blocked");
    outer.choice.store(LEAVE, Relaxed);
    inner.choice.store(BLOCK, Relaxed);
    assert_eq!(fixture.no_pick().2, "blocked");
    let mut faults = 1;
    // SAFETY: the policy is not freed.
    unsafe { steer_policy_faults(fixture.policy, &mut faults) };
    assert_eq!(faults, 0, "the outer policy is well");
}

#[test]
fn a_child_of_another_policy_takes_over_when_it_is_ready() {
    wrapper("children_switch");
    let fixture = Fixture::new("children_switch");
    fixture.seen().matches = 1;
    let config = |child: &str| format!(r#"{{"childPolicy": [{{"{child}": {{}}}}]}}"#);
    assert_eq!(configure(&fixture, "children_switch", &config("steer_round_robin"), &["a"]), 0);
    fixture.ready(0);
    assert_eq!(configure(&fixture, "children_switch", &config("steer_random"), &["a"]), 0);
    assert_eq!(fixture.pick(), 100, "the former child answers until the new one is READY");
    fixture.ready(1);
    assert_eq!((fixture.pick(), fixture.seen().freed_endpoints), (101, 1));
}

#[test]
fn policies_without_hooks_that_they_need_are_refused() {
    let (mine, table) = filter("children_needy");
    unsafe extern "C" fn ask(policy: *mut c_void, _: *const steer_resolved) -> i32 {
        let channel = wrap(policy).channel.load(Relaxed);
        let publication = steer_publication {
            struct_size: size_of::<steer_publication>(),
            state: steer_state::STEER_READY as i32,
            code: 0,
            message: steer_str::empty(),
            picker: policy,
            endpoints: ptr::null(),
            endpoint_count: 0,
            wants: ptr::null(),
            children: ptr::null(),
            child_count: 0,
        };
        // SAFETY: within a serialised hook.
        unsafe {
            assert_eq!(api().endpoint_new.unwrap()(channel, 0), 0);
            let refused = api().publish.unwrap()(channel, &publication);
            assert_eq!(refused, STEER_INVALID_ARGUMENT as i32);
            assert!(text(api().last_error.unwrap()()).contains("no pick"));
            assert_eq!(api().child_state.unwrap()(channel, 99), -1);
            let nothing = api().child_publish.unwrap()(channel, 99);
            assert_eq!(nothing, STEER_INVALID_ARGUMENT as i32);
            api().child_free.unwrap()(channel, 99);
        }
        0
    }
    register(&steer_policy_type { update: Some(ask), ..table });
    let fixture = Fixture::new("children_needy");
    assert_eq!(configure(&fixture, "children_needy", "{}", &["a"]), 0);
    let logs = &fixture.seen().logs;
    assert!(logs[0].contains("endpoint_new did nothing: the policy has no hook"), "{logs:?}");
    // Outside of serialised hooks.
    let channel = mine.channel.load(Relaxed);
    // SAFETY: the policy holds the channel.
    unsafe {
        assert_eq!(api().child_new.unwrap()(channel, steer_str::empty()), 0);
        assert_eq!(api().child_update.unwrap()(channel, 1, ptr::null()), Code::Internal as i32);
        assert_eq!(api().child_publish.unwrap()(channel, 1), STEER_INVALID_ARGUMENT as i32);
    }
}

/// Updates the child whenever it has published something.
unsafe extern "C" fn update_again(policy: *mut c_void, child: u64) {
    let mine = wrap(policy);
    count(&mine.changed);
    let config = mine.config.load(Relaxed);
    let update = steer_child_update {
        struct_size: size_of::<steer_child_update>(),
        config: config.cast(),
        endpoints: ptr::null(),
        endpoint_count: 0,
        weights: ptr::null(),
    };
    // SAFETY: within a serialised hook, with the config of the latest update.
    unsafe { api().child_update.unwrap()(mine.channel.load(Relaxed), child, &update) };
}

#[test]
#[cfg_attr(miri, ignore = "takes Miri half a minute")]
fn a_policy_that_never_settles_falls_back() {
    let (mine, table) = filter("children_restless");
    register(&steer_policy_type { child_changed: Some(update_again), ..table });
    let fixture = Fixture::new("children_restless");
    // Each empty list is published again.
    assert_eq!(configure(&fixture, "children_restless", "{}", &[]), Code::Unavailable as i32);
    assert!(mine.changed.load(Relaxed) >= 100);
    let logs = &fixture.seen().logs;
    assert!(logs[0].contains("it makes a child publish each time"), "{logs:?}");
}
