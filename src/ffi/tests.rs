//! The extern functions, called as C calls them: NULLs, sizes, nonsense, panics. Miri runs these.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use serde_json::Value;

use super::*;

#[path = "../../tests/support/callbacks.rs"]
mod callbacks;
mod custom;
mod engine;
mod late;
mod layout;
mod reentry;
use callbacks::{came, within};

use crate::calls::{Call, Metrics, Wants};
use crate::endpoints::EndpointDescriptor;
use crate::policy::{
    BuiltIn, Config, ConfigError, Fields, Helper, LeafFactory, Pick, Picker, PickerFactory, Policy,
    PolicyFactory, Ready,
};
use crate::{Code, Status};

/// What a host of C's sees and does.
#[derive(Default)]
struct Seen {
    endpoints: Vec<(u64, u32)>,
    freed_endpoints: usize,
    connects: usize,
    resets: usize,
    states: Vec<(i32, i32, String)>,
    picker: Option<*mut steer_picker>,
    freed_connections: usize,
    reresolutions: usize,
    runs_asked: usize,
    timers: Vec<(u64, u64)>,
    cancelled: Vec<u64>,
    logs: Vec<String>,
    load_periods: Vec<u64>,
    freed: bool,
    /// What endpoint_new answers.
    refusal: i32,
    /// What endpoint_matches answers.
    matches: i32,
    /// Hands in a list from within endpoint_matches, and what came of it.
    update_within: Option<(*mut steer_policy, steer_status)>,
    /// Picks from within update_state, as gRPC does for calls that wait.
    pick_within: bool,
    /// Frees the policy from within update_state.
    free_within: Option<*mut steer_policy>,
}

fn text(s: steer_str) -> String {
    // SAFETY: the tests hand in texts that are alive.
    unsafe { s.to_text() }.unwrap()
}

fn seen<'a>(ctx: *mut c_void) -> &'a mut Seen {
    // SAFETY: every ctx of these tests is a Seen that lives to the end of its test, and no
    // callback overlaps another's borrow.
    unsafe { &mut *ctx.cast::<Seen>() }
}

// The engine's functions, as the tests' host calls them: callbacks are checked for what they come
// within.

unsafe fn steer_policy_new(
    name: steer_str,
    host: *const steer_host,
    policy: *mut *mut steer_policy,
) -> steer_status {
    // SAFETY: the caller's promise.
    within("new", || unsafe { super::steer_policy_new(name, host, policy) })
}

unsafe fn steer_policy_update(
    policy: *mut steer_policy,
    update: *const steer_update,
    code: *mut i32,
    message: *mut *mut steer_string,
) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_update(policy, update, code, message) })
}

unsafe fn steer_policy_endpoint_report(
    policy: *mut steer_policy,
    endpoint: u64,
    report: *const steer_endpoint_report,
) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_endpoint_report(policy, endpoint, report) })
}

unsafe fn steer_policy_endpoint_load(
    policy: *mut steer_policy,
    endpoint: u64,
    metrics: *const steer_metrics,
) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_endpoint_load(policy, endpoint, metrics) })
}

unsafe fn steer_policy_exit_idle(policy: *mut steer_policy) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_exit_idle(policy) })
}

unsafe fn steer_policy_reset_backoff(policy: *mut steer_policy) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_reset_backoff(policy) })
}

unsafe fn steer_policy_timer(policy: *mut steer_policy, timer: u64) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_timer(policy, timer) })
}

unsafe fn steer_policy_run(policy: *mut steer_policy) -> steer_status {
    // SAFETY: the caller's promise.
    within("event", || unsafe { super::steer_policy_run(policy) })
}

unsafe fn steer_policy_free(policy: *mut steer_policy) {
    // SAFETY: the caller's promise.
    within("free", || unsafe { super::steer_policy_free(policy) });
}

unsafe fn steer_picker_pick(picker: *const steer_picker, call: *const steer_call) -> steer_picked {
    // SAFETY: the caller's promise.
    within("pick", || unsafe { super::steer_picker_pick(picker, call) })
}

unsafe fn steer_picker_free(picker: *mut steer_picker) {
    // SAFETY: the caller's promise.
    within("picker free", || unsafe { super::steer_picker_free(picker) });
}

unsafe fn steer_call_tracker_start(tracker: *mut steer_call_tracker) {
    // SAFETY: the caller's promise.
    within("tracker", || unsafe { super::steer_call_tracker_start(tracker) });
}

unsafe fn steer_call_tracker_finish(
    tracker: *mut steer_call_tracker,
    finish: *const steer_call_finish,
) {
    // SAFETY: the caller's promise.
    within("tracker", || unsafe { super::steer_call_tracker_finish(tracker, finish) });
}

unsafe fn steer_call_tracker_free(tracker: *mut steer_call_tracker) {
    // SAFETY: the caller's promise.
    within("tracker free", || unsafe { super::steer_call_tracker_free(tracker) });
}

unsafe extern "C" fn ctx_free(ctx: *mut c_void) {
    came("ctx_free");
    assert!(!std::mem::replace(&mut seen(ctx).freed, true), "ctx was freed twice");
}

unsafe extern "C" fn endpoint_new(
    ctx: *mut c_void,
    endpoint: u64,
    index: u32,
    handle: *mut *mut c_void,
) -> i32 {
    came("endpoint_new");
    let seen = seen(ctx);
    if seen.refusal == 0 {
        seen.endpoints.push((endpoint, index));
        // SAFETY: the engine hands in a place for it.
        unsafe { handle.write(ptr::without_provenance_mut(endpoint as usize)) };
    }
    seen.refusal
}

unsafe extern "C" fn endpoint_matches(ctx: *mut c_void, _: *mut c_void, _: u32) -> i32 {
    came("endpoint_matches");
    if let Some((policy, _)) = seen(ctx).update_within {
        let (update, code, message) = (update(&[]), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the policy is alive, as it asks.
        let status = unsafe { steer_policy_update(policy, &update, code, message) };
        seen(ctx).update_within = Some((policy, status));
    }
    seen(ctx).matches
}

unsafe extern "C" fn endpoint_connect(ctx: *mut c_void, _: *mut c_void) {
    came("endpoint_connect");
    seen(ctx).connects += 1;
}

unsafe extern "C" fn endpoint_reset_backoff(ctx: *mut c_void, _: *mut c_void) {
    came("endpoint_reset_backoff");
    seen(ctx).resets += 1;
}

unsafe extern "C" fn endpoint_free(ctx: *mut c_void, handle: *mut c_void) {
    came("endpoint_free");
    let id = handle.addr() as u64;
    let seen = seen(ctx);
    assert!(seen.endpoints.iter().any(|(known, _)| *known == id));
    seen.freed_endpoints += 1;
}

unsafe extern "C" fn connection_free(ctx: *mut c_void, _: *mut c_void) {
    came("connection_free");
    seen(ctx).freed_connections += 1;
}

unsafe extern "C" fn update_state(
    ctx: *mut c_void,
    state: i32,
    code: i32,
    message: steer_str,
    picker: *mut steer_picker,
) {
    came("update_state");
    let (former, policy) = {
        let seen = seen(ctx);
        seen.states.push((state, code, text(message)));
        (seen.picker.replace(picker), seen.free_within.take())
    };
    if seen(ctx).pick_within {
        // SAFETY: alive, and nobody else uses it.
        let picked = unsafe { steer_picker_pick(picker, ptr::null()) };
        assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_COMPLETE as i64);
    }
    // SAFETY: it was published before and nobody picks with it.
    unsafe { steer_picker_free(former.unwrap_or(ptr::null_mut())) };
    // SAFETY: the test leaves freeing it to this callback.
    unsafe { steer_policy_free(policy.unwrap_or(ptr::null_mut())) };
}

unsafe extern "C" fn request_reresolution(ctx: *mut c_void) {
    came("request_reresolution");
    seen(ctx).reresolutions += 1;
}

unsafe extern "C" fn run_later(ctx: *mut c_void) {
    came("run_later");
    seen(ctx).runs_asked += 1;
}

unsafe extern "C" fn timer_start(ctx: *mut c_void, timer: u64, after_ns: u64) {
    came("timer_start");
    seen(ctx).timers.push((timer, after_ns));
}

unsafe extern "C" fn timer_cancel(ctx: *mut c_void, timer: u64) {
    came("timer_cancel");
    seen(ctx).cancelled.push(timer);
}

unsafe extern "C" fn now(_: *mut c_void) -> u64 {
    came("now");
    7
}

unsafe extern "C" fn random(_: *mut c_void) -> u64 {
    came("random");
    9
}

unsafe extern "C" fn load_reports(ctx: *mut c_void, period_ns: u64) {
    came("load_reports");
    seen(ctx).load_periods.push(period_ns);
}

unsafe extern "C" fn log(ctx: *mut c_void, severity: i32, message: steer_str) {
    came("log");
    seen(ctx).logs.push(format!("{severity} {}", text(message)));
}

fn call_with(struct_size: usize, path: steer_str) -> steer_call {
    steer_call {
        struct_size,
        path,
        ctx: ptr::null_mut(),
        header: None,
        add_header: None,
        request_hash: 7,
        has_request_hash: 1,
        reserved: 0,
    }
}

fn table(ctx: *mut Seen) -> steer_host {
    steer_host {
        struct_size: size_of::<steer_host>(),
        ctx: ctx.cast(),
        ctx_free: Some(ctx_free),
        endpoint_new: Some(endpoint_new),
        endpoint_matches: Some(endpoint_matches),
        endpoint_connect: Some(endpoint_connect),
        endpoint_reset_backoff: Some(endpoint_reset_backoff),
        endpoint_free: Some(endpoint_free),
        connection_free: Some(connection_free),
        update_state: Some(update_state),
        request_reresolution: Some(request_reresolution),
        run_later: Some(run_later),
        timer_start: Some(timer_start),
        timer_cancel: Some(timer_cancel),
        now: Some(now),
        random: Some(random),
        log: Some(log),
        load_reports: Some(load_reports),
    }
}

/// A policy and what its host sees. Dropping it frees the policy and its picker, and checks that
/// everything came back.
struct Fixture {
    seen: *mut Seen,
    policy: *mut steer_policy,
}

impl Fixture {
    fn new(name: &str) -> Fixture {
        let seen = Box::into_raw(Box::default());
        let table = table(seen);
        let mut policy = ptr::null_mut();
        // SAFETY: all arguments are alive.
        let status = unsafe { steer_policy_new(steer_str::borrow(name), &table, &mut policy) };
        assert_eq!(status, STEER_OK);
        Fixture { seen, policy }
    }

    fn seen(&self) -> &mut Seen {
        seen(self.seen.cast())
    }

    fn update(&self, addresses: &[&str]) -> (steer_status, i32, String) {
        let texts: Vec<steer_str> = addresses.iter().map(|text| steer_str::borrow(text)).collect();
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        self.hand_in(&update(&endpoints))
    }

    fn hand_in(&self, update: &steer_update) -> (steer_status, i32, String) {
        let (mut code, mut message) = (-1, ptr::null_mut());
        // SAFETY: all arguments are alive.
        let status = unsafe { steer_policy_update(self.policy, update, &mut code, &mut message) };
        // SAFETY: NULL or just made.
        let words = text(unsafe { steer_string_text(message) });
        // SAFETY: NULL or just made, and read.
        unsafe { steer_string_free(message) };
        (status, code, words)
    }

    fn report(&self, endpoint: u64, report: &steer_endpoint_report) -> steer_status {
        // SAFETY: all arguments are alive.
        unsafe { steer_policy_endpoint_report(self.policy, endpoint, report) }
    }

    fn ready(&self, endpoint: usize) {
        let id = self.seen().endpoints[endpoint].0;
        let connection = ptr::without_provenance_mut(100 + endpoint);
        let status = self.report(id, &report(steer_state::STEER_READY as i32, connection));
        assert_eq!(status, STEER_OK);
    }

    /// A pick's kind, connection, code and message.
    fn pick_with(&self, call: *const steer_call) -> (i64, usize, i32, String) {
        let picker = self.seen().picker.unwrap();
        // SAFETY: all arguments are alive.
        let picked = unsafe { steer_picker_pick(picker, call) };
        match picked.kind {
            2 | 3 => {
                let failure = picked.value.cast::<steer_pick_failure>();
                // SAFETY: the kinds FAIL and DROP come with one.
                let failure = unsafe { failure.read() };
                assert_eq!(failure.struct_size, size_of::<steer_pick_failure>());
                (picked.kind, 0, failure.code, text(failure.message))
            }
            kind => (kind, picked.value.addr(), 0, String::new()),
        }
    }

    /// The address of the connection picked.
    fn pick(&self) -> usize {
        let (kind, connection, ..) = self.pick_with(ptr::null());
        assert_eq!(kind, steer_pick_kind::STEER_PICK_COMPLETE as i64);
        connection
    }

    /// Picks; a tracker in what this returns is the caller's.
    fn pick_raw(&self) -> steer_picked {
        let picker = self.seen().picker.unwrap();
        // SAFETY: the picker in use, and no call.
        unsafe { steer_picker_pick(picker, ptr::null()) }
    }

    /// Kind, code and message of a pick that chose no connection.
    fn no_pick(&self) -> (steer_pick_kind, i32, String) {
        let (kind, connection, code, message) = self.pick_with(ptr::null());
        assert_eq!(connection, 0);
        let kind = match kind {
            1 => steer_pick_kind::STEER_PICK_QUEUE,
            2 => steer_pick_kind::STEER_PICK_FAIL,
            3 => steer_pick_kind::STEER_PICK_DROP,
            other => panic!("kind {other}"),
        };
        (kind, code, message)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // SAFETY: not freed yet, or NULL.
        unsafe { steer_policy_free(self.policy) };
        let picker = self.seen().picker.take().unwrap_or(ptr::null_mut());
        // SAFETY: the host's to free, and nobody picks any more.
        unsafe { steer_picker_free(picker) };
        let seen = self.seen();
        assert_eq!(seen.freed_endpoints, seen.endpoints.len());
        assert!(seen.freed, "ctx_free is the last callback");
        // SAFETY: made by `new`; no callback comes after ctx_free.
        drop(unsafe { Box::from_raw(self.seen) });
    }
}

fn endpoint(address: &steer_str) -> steer_endpoint {
    steer_endpoint {
        struct_size: size_of::<steer_endpoint>(),
        addresses: address,
        address_count: 1,
        weight: 0,
        region: steer_str::empty(),
        zone: steer_str::empty(),
        sub_zone: steer_str::empty(),
        hash_key: steer_str::empty(),
        attributes: ptr::null(),
        attribute_count: 0,
    }
}

fn update(endpoints: &[steer_endpoint]) -> steer_update {
    steer_update {
        struct_size: size_of::<steer_update>(),
        config: ptr::null(),
        endpoints: endpoints.as_ptr(),
        endpoint_count: endpoints.len(),
        code: 0,
        message: steer_str::empty(),
        resolution_note: steer_str::borrow("why"),
        target: steer_str::borrow("dns:///here"),
        former: ptr::null(),
        former_count: 0,
        made_with: 0,
    }
}

fn report(state: i32, connection: *mut c_void) -> steer_endpoint_report {
    steer_endpoint_report {
        struct_size: size_of::<steer_endpoint_report>(),
        state,
        code: 14,
        message: steer_str::borrow("refused"),
        connection,
    }
}

const ROUND_ROBIN: &str = "steer_round_robin";
const NULL_STR: steer_str = steer_str { data: ptr::null(), length: 5 };

fn parse(name: &str, json: &str) -> Result<*mut steer_config, (steer_status, String)> {
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    let name = steer_str::borrow(name);
    // SAFETY: all arguments are alive.
    let status = unsafe {
        steer_config_parse(name, steer_str::borrow(json), &raw mut config, &raw mut error)
    };
    if status == STEER_OK {
        return Ok(config);
    }
    // SAFETY: NULL or just made.
    let words = text(unsafe { steer_string_text(error) });
    // SAFETY: NULL or just made, and read.
    unsafe { steer_string_free(error) };
    assert!(config.is_null(), "outputs are written only on success");
    Err((status, words))
}

#[test]
fn the_library_says_what_it_is() {
    assert_eq!(steer_abi_version(), STEER_ABI_VERSION);
    assert_eq!(text(steer_version()), env!("CARGO_PKG_VERSION"));
    for status in 0..=15 {
        assert!(!text(steer_status_text(status)).is_empty());
    }
    for status in [-1, 16, i32::MAX, i32::MIN] {
        assert_eq!(text(steer_status_text(status)), "a status of a later version");
    }
}

#[test]
fn policies_are_listed_by_name() {
    let mut names = Vec::new();
    loop {
        let mut name = ptr::null_mut();
        // SAFETY: `name` can be written to.
        match unsafe { steer_policy_name(names.len(), &mut name) } {
            STEER_OK => {
                // SAFETY: just made.
                names.push(text(unsafe { steer_string_text(name) }));
                // SAFETY: just made, and read.
                unsafe { steer_string_free(name) };
            }
            status => {
                assert_eq!((status, name), (STEER_UNKNOWN_POLICY, ptr::null_mut()));
                break;
            }
        }
    }
    assert!(names.contains(&ROUND_ROBIN.to_owned()));
    // SAFETY: NULL is fine.
    let status = unsafe { steer_policy_name(0, ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
}

#[test]
fn freeing_null_does_nothing() {
    // SAFETY: NULL is fine for each.
    unsafe { steer_string_free(ptr::null_mut()) };
    // SAFETY: the same.
    unsafe { steer_config_free(ptr::null_mut()) };
    // SAFETY: the same.
    unsafe { steer_policy_free(ptr::null_mut()) };
    // SAFETY: the same.
    unsafe { steer_picker_free(ptr::null_mut()) };
    // SAFETY: the same.
    assert_eq!(text(unsafe { steer_string_text(ptr::null()) }), "");
    // SAFETY: the same.
    assert_eq!(unsafe { steer_picker_wants(ptr::null()) }, 0);
}

#[test]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "tables of calls that take NULL")]
fn null_policies_and_arguments_are_refused() {
    let none = ptr::null_mut();
    let some_update = update(&[]);
    let some_report = report(0, ptr::null_mut());
    // SAFETY: NULL is fine for each.
    let statuses = unsafe {
        [
            steer_policy_update(none, &some_update, ptr::null_mut(), ptr::null_mut()),
            steer_policy_endpoint_report(none, 1, &some_report),
            steer_policy_exit_idle(none),
            steer_policy_reset_backoff(none),
            steer_policy_timer(none, 1),
            steer_policy_run(none),
            steer_policy_faults(none, &mut 0),
        ]
    };
    assert_eq!(statuses, [STEER_NULL_ARGUMENT; 7]);
    let fixture = Fixture::new(ROUND_ROBIN);
    // SAFETY: NULL is fine for each, and the policy is alive.
    let statuses = unsafe {
        [
            steer_policy_update(fixture.policy, ptr::null(), ptr::null_mut(), ptr::null_mut()),
            steer_policy_endpoint_report(fixture.policy, 1, ptr::null()),
            steer_policy_faults(fixture.policy, ptr::null_mut()),
        ]
    };
    assert_eq!(statuses, [STEER_NULL_ARGUMENT; 3]);
}

#[test]
fn a_policy_is_made_of_a_known_name_and_a_complete_table() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let good = table(seen);
    let mut policy = ptr::null_mut();
    let name = steer_str::borrow(ROUND_ROBIN);
    let mut new = |name, host: *const steer_host| {
        // SAFETY: NULL or alive.
        unsafe { steer_policy_new(name, host, &mut policy) }
    };
    assert_eq!(new(name, ptr::null()), STEER_NULL_ARGUMENT);
    assert_eq!(new(steer_str::borrow("no"), &good), STEER_UNKNOWN_POLICY);
    assert_eq!(new(steer_str::empty(), &good), STEER_UNKNOWN_POLICY);
    assert_eq!(new(NULL_STR, &good), STEER_INVALID_ARGUMENT);
    for size in [0, 8, std::mem::offset_of!(steer_host, load_reports) - 1] {
        let short = steer_host { struct_size: size, ..good };
        assert_eq!(new(name, &short), STEER_BAD_STRUCT_SIZE);
    }
    for incomplete in [
        steer_host { endpoint_new: None, ..good },
        steer_host { endpoint_connect: None, ..good },
        steer_host { endpoint_free: None, ..good },
        steer_host { connection_free: None, ..good },
        steer_host { update_state: None, ..good },
        steer_host { request_reresolution: None, ..good },
    ] {
        assert_eq!(new(name, &incomplete), STEER_MISSING_CALLBACK);
    }
    // SAFETY: NULL is fine.
    let status = unsafe { steer_policy_new(name, &good, ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
    assert!(policy.is_null(), "outputs are written only on success");
    assert!(!super::tests::seen(seen.cast()).freed, "the host keeps ctx when nothing was made");
    // SAFETY: made above, and nothing else has it.
    drop(unsafe { Box::from_raw(seen) });
}

/// A table of a later version: longer than the engine knows.
#[repr(C)]
struct LaterHost {
    known: steer_host,
    more: [usize; 4],
}

#[test]
fn a_longer_struct_of_a_later_version_is_read_as_far_as_it_is_known() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let mut later = LaterHost { known: table(seen), more: [usize::MAX; 4] };
    later.known.struct_size = size_of::<LaterHost>();
    let mut policy = ptr::null_mut();
    let name = steer_str::borrow(ROUND_ROBIN);
    // SAFETY: all arguments are alive.
    let status = unsafe { steer_policy_new(name, (&raw const later).cast(), &mut policy) };
    assert_eq!(status, STEER_OK);
    drop(Fixture { seen, policy });
}

#[test]
fn optional_callbacks_may_be_missing() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let bare = steer_host {
        endpoint_matches: None,
        endpoint_reset_backoff: None,
        run_later: None,
        timer_start: None,
        timer_cancel: None,
        now: None,
        random: None,
        log: None,
        ..table(seen)
    };
    let mut policy = ptr::null_mut();
    let name = steer_str::borrow("test_timers");
    register_test_policies();
    // SAFETY: all arguments are alive.
    let status = unsafe { steer_policy_new(name, &bare, &mut policy) };
    assert_eq!(status, STEER_OK);
    let fixture = Fixture { seen, policy };
    fixture.update(&["ipv4:127.0.0.1:1", "ipv4:127.0.0.1:2"]);
    assert_eq!(fixture.seen().states.len(), 1);

    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a", "b"]);
    fixture.seen().matches = 1;
    fixture.update(&["a", "b"]);
    assert_eq!(fixture.seen().endpoints.len(), 2);
    fixture.seen().matches = 0;
    fixture.update(&["a", "b"]);
    assert_eq!(fixture.seen().endpoints.len(), 4, "the host says that they are others");
}

#[test]
fn without_endpoint_matches_descriptors_are_compared() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let bare = steer_host { endpoint_matches: None, ..table(seen) };
    let mut policy = ptr::null_mut();
    // SAFETY: all arguments are alive.
    let status = unsafe { steer_policy_new(steer_str::borrow(ROUND_ROBIN), &bare, &mut policy) };
    assert_eq!(status, STEER_OK);
    let fixture = Fixture { seen, policy };
    fixture.update(&["a", "b"]);
    fixture.update(&["b", "a"]);
    assert_eq!(fixture.seen().endpoints.len(), 2);
    let address = steer_str::borrow("a");
    let weighted = steer_endpoint { weight: 3, ..endpoint(&address) };
    assert_eq!(fixture.hand_in(&update(&[weighted])).0, STEER_OK);
    assert_eq!(fixture.seen().endpoints.len(), 3);
}

#[test]
fn an_update_leads_to_endpoints_and_reports_to_pickers() {
    let fixture = Fixture::new(ROUND_ROBIN);
    assert_eq!(fixture.update(&["a", "b"]), (STEER_OK, 0, String::new()));
    assert_eq!(fixture.seen().states, [(1, 0, String::new())]);
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    let id = fixture.seen().endpoints[0].0;
    assert_eq!(fixture.report(id, &report(0, ptr::null_mut())), STEER_OK);
    assert_eq!(fixture.seen().connects, 1);
    fixture.ready(0);
    fixture.ready(1);
    let mut picked: Vec<usize> = (0..4).map(|_| fixture.pick()).collect();
    picked.sort();
    assert_eq!(picked, [100, 100, 101, 101]);
    assert_eq!(fixture.report(id, &report(3, ptr::null_mut())), STEER_OK);
    assert_eq!(fixture.seen().reresolutions, 1);
    // SAFETY: the policy is alive.
    let status = unsafe { steer_policy_reset_backoff(fixture.policy) };
    assert_eq!(status, STEER_OK);
    assert_eq!(fixture.seen().resets, 2);
    // SAFETY: the same.
    assert_eq!(unsafe { steer_policy_exit_idle(fixture.policy) }, STEER_OK);
    // SAFETY: the same.
    assert_eq!(unsafe { steer_policy_timer(fixture.policy, 77) }, STEER_OK);
    // SAFETY: the same.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    assert_eq!(fixture.seen().freed_connections, 1);
}

#[test]
fn updates_without_endpoints_are_told_to_the_resolver() {
    let fixture = Fixture::new(ROUND_ROBIN);
    assert_eq!(fixture.update(&[]), (STEER_OK, 14, "empty address list: why".to_owned()));
    let why = "empty address list: why".to_owned();
    assert_eq!(fixture.no_pick(), (steer_pick_kind::STEER_PICK_FAIL, 14, why));
    let error = steer_update { code: 5, message: steer_str::borrow("no name"), ..update(&[]) };
    assert_eq!(fixture.hand_in(&error), (STEER_OK, 5, "no name".to_owned()));
    // Outputs are optional.
    // SAFETY: NULL is fine for them.
    let status =
        unsafe { steer_policy_update(fixture.policy, &error, ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(status, STEER_OK);
}

#[test]
fn a_policys_own_failures_keep_to_the_codes_of_a_data_plane() {
    let fixture = Fixture::new(ROUND_ROBIN);
    let error = steer_update { code: 5, message: steer_str::borrow("no name"), ..update(&[]) };
    fixture.hand_in(&error);
    assert_eq!(fixture.seen().states.last().unwrap().1, 5);
    let (_, code, message) = fixture.no_pick();
    assert_eq!(code, Code::Internal as i32);
    assert!(message.ends_with("NOT_FOUND: no name"), "{message}");
}

#[test]
fn bad_updates_change_nothing() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    let states = fixture.seen().states.len();
    let address = steer_str::borrow("b");
    let good = endpoint(&address);
    let nameless = steer_attribute {
        struct_size: size_of::<steer_attribute>(),
        key: steer_str::borrow("k"),
        kind: 9,
        text: steer_str::empty(),
        integer: 0,
    };
    let attributed = |attribute: &steer_attribute| steer_endpoint {
        attributes: attribute,
        attribute_count: 1,
        ..good
    };
    let bad_key = steer_attribute { kind: 0, key: NULL_STR, ..nameless };
    let short_attribute = steer_attribute { struct_size: 8, kind: 0, ..nameless };
    let cases = [
        (STEER_BAD_STRUCT_SIZE, steer_endpoint { struct_size: 0, ..good }),
        (STEER_BAD_STRUCT_SIZE, steer_endpoint { struct_size: good.struct_size - 1, ..good }),
        (STEER_INVALID_ARGUMENT, steer_endpoint { address_count: 0, ..good }),
        (STEER_NULL_ARGUMENT, steer_endpoint { addresses: ptr::null(), ..good }),
        (STEER_INVALID_ARGUMENT, steer_endpoint { address_count: usize::MAX, ..good }),
        (STEER_INVALID_ARGUMENT, steer_endpoint { zone: NULL_STR, ..good }),
        (STEER_NULL_ARGUMENT, steer_endpoint { attribute_count: 1, ..good }),
        (STEER_INVALID_ARGUMENT, attributed(&nameless)),
        (STEER_INVALID_ARGUMENT, attributed(&bad_key)),
        (STEER_BAD_STRUCT_SIZE, attributed(&short_attribute)),
    ];
    for (status, bad) in cases {
        assert_eq!(fixture.hand_in(&update(&[bad])), (status, -1, String::new()));
        // The same as the second element of a list.
        let endpoints = [good, bad];
        let second = fixture.hand_in(&update(&endpoints)).0;
        assert_eq!(second, status);
    }
    let null_list = steer_update { endpoints: ptr::null(), endpoint_count: 1, ..update(&[]) };
    assert_eq!(fixture.hand_in(&null_list).0, STEER_NULL_ARGUMENT);
    let short = steer_update { struct_size: 8, ..update(&[]) };
    assert_eq!(fixture.hand_in(&short).0, STEER_BAD_STRUCT_SIZE);
    let no_note = steer_update { resolution_note: NULL_STR, ..update(&[good]) };
    assert_eq!(fixture.hand_in(&no_note).0, STEER_INVALID_ARGUMENT);
    let no_message = steer_update { code: 14, message: NULL_STR, ..update(&[]) };
    assert_eq!(fixture.hand_in(&no_message).0, STEER_INVALID_ARGUMENT);
    assert_eq!(fixture.seen().states.len(), states);
    assert_eq!(fixture.seen().endpoints.len(), 1);
}

#[test]
fn a_list_may_say_what_is_still_there() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.seen().matches = 1;
    let again = |former: &[u32], new: &[&str]| {
        let texts: Vec<steer_str> = new.iter().map(|text| steer_str::borrow(text)).collect();
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        let (former, former_count) = (former.as_ptr(), former.len());
        fixture.hand_in(&steer_update { former, former_count, ..update(&endpoints) }).0
    };
    let before = std::cell::Cell::new(0);
    let made = || {
        let made = fixture.seen().endpoints.iter().skip(before.get()).map(|(_, index)| *index);
        let made: Vec<u32> = made.collect();
        before.set(before.get() + made.len());
        made
    };
    assert_eq!(again(&[u32::MAX, u32::MAX, u32::MAX], &["a", "b", "c"]), STEER_OK);
    assert_eq!(made(), [0, 1, 2]);
    assert_eq!(again(&[0, 1, 2], &[]), STEER_OK);
    assert!(made().is_empty());
    assert_eq!(again(&[2, u32::MAX, 0], &["d"]), STEER_OK);
    assert_eq!(made(), [1]);

    // Nothing comes of these.
    let cases: [(&[u32], &[&str]); 5] = [
        (&[3], &[]),
        (&[0, u32::MAX - 1], &[]),
        (&[0, u32::MAX], &[]),
        (&[0], &["e"]),
        (&[u32::MAX], &["e", "f"]),
    ];
    for (former, new) in cases {
        assert_eq!(again(former, new), STEER_INVALID_ARGUMENT);
    }
    let null = steer_update { former_count: 3, ..update(&[]) };
    assert_eq!(fixture.hand_in(&null).0, STEER_NULL_ARGUMENT);
    let endless = steer_update { former: [0].as_ptr(), former_count: usize::MAX, ..update(&[]) };
    assert_eq!(fixture.hand_in(&endless).0, STEER_INVALID_ARGUMENT);
    let failed = steer_update { code: 14, ..update(&[]) };
    assert_eq!(fixture.hand_in(&failed).0, STEER_OK);

    // Those of the latest list are c, d and a still. What is listed twice is two endpoints.
    assert_eq!(again(&[2, 0, 2, 2], &[]), STEER_OK);
    assert_eq!(made(), [2, 3]);
    assert_eq!(again(&[], &[]), STEER_OK);
    assert_eq!(again(&[0], &[]), STEER_INVALID_ARGUMENT);
}

#[test]
fn the_host_is_asked_of_what_is_said_to_be_the_same() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a", "b"]);
    let former = [1, 0];
    let moved = steer_update { former: former.as_ptr(), former_count: 2, ..update(&[]) };
    fixture.seen().matches = 0;
    assert_eq!(fixture.hand_in(&moved).0, STEER_OK);
    let made: Vec<u32> = fixture.seen().endpoints.iter().map(|(_, index)| *index).collect();
    assert_eq!(made, [0, 1, 0, 1]);
}

#[test]
fn the_host_may_say_that_it_need_not_be_asked() {
    let fixture = Fixture::new(ROUND_ROBIN);
    // Always asked, it would have all made anew.
    fixture.seen().matches = 0;
    let made = |made_with, former: &[u32]| {
        let (former, former_count) = (former.as_ptr(), former.len());
        let texts = ["a", "b"].map(steer_str::borrow);
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        let new = if former_count == 0 { &endpoints[..] } else { &[] };
        let before = fixture.seen().endpoints.len();
        let update = steer_update { former, former_count, made_with, ..update(new) };
        assert_eq!(fixture.hand_in(&update).0, STEER_OK);
        fixture.seen().endpoints.len() - before
    };
    assert_eq!(made(7, &[]), 2);
    assert_eq!(made(7, &[0, 1]), 0);
    assert_eq!(made(7, &[1, 0]), 0);
    assert_eq!(made(7, &[0, 0]), 1, "the second is a new one");
    assert_eq!(made(8, &[0]), 1, "other args");
    assert_eq!(made(8, &[0]), 0);
    assert_eq!(made(0, &[0]), 1, "it does not say");
    assert_eq!(made(0, &[0]), 1);
    assert_eq!(made(9, &[]), 2, "described anew, it may be another one");
}

#[test]
fn what_the_resolver_knows_arrives() {
    register_test_policies();
    let fixture = Fixture::new("test_descriptors");
    let addresses = [steer_str::borrow("ipv4:10.0.0.1:80"), steer_str::borrow("unix:x")];
    let not_utf8 = [0x66u8, 0xff];
    let broken = steer_str { data: not_utf8.as_ptr().cast(), length: 2 };
    let attributes = [
        steer_attribute {
            struct_size: size_of::<steer_attribute>(),
            key: steer_str::borrow("s"),
            kind: steer_attribute_kind::STEER_ATTRIBUTE_TEXT as i32,
            text: broken,
            integer: 0,
        },
        steer_attribute {
            struct_size: size_of::<steer_attribute>(),
            key: steer_str::borrow("i"),
            kind: steer_attribute_kind::STEER_ATTRIBUTE_INTEGER as i32,
            text: steer_str::empty(),
            integer: -5,
        },
    ];
    let described = steer_endpoint {
        addresses: addresses.as_ptr(),
        address_count: 2,
        weight: 8,
        region: steer_str::borrow("r"),
        zone: steer_str::borrow("z"),
        sub_zone: steer_str::borrow("sz"),
        hash_key: steer_str::borrow("h"),
        attributes: attributes.as_ptr(),
        attribute_count: 2,
        ..endpoint(&addresses[0])
    };
    fixture.hand_in(&update(&[described]));
    fixture.ready(0);
    let (_, _, words) = fixture.no_pick();
    for part in [
        "[\"ipv4:10.0.0.1:80\", \"unix:x\"]",
        "weight: 8",
        "region: \"r\"",
        "zone: \"z\"",
        "sub_zone: \"sz\"",
        "hash_key: \"h\"",
        "Text(\"f\u{fffd}\")",
        "Integer(-5)",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[test]
fn bad_reports_change_nothing_and_give_the_connection_back() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    let id = fixture.seen().endpoints[0].0;
    let states = fixture.seen().states.len();
    let connection = ptr::without_provenance_mut(1);
    for (state, status) in [
        (-1, STEER_INVALID_ARGUMENT),
        (4, STEER_INVALID_ARGUMENT),
        (i32::MAX, STEER_INVALID_ARGUMENT),
    ] {
        assert_eq!(fixture.report(id, &report(state, connection)), status);
    }
    assert_eq!(fixture.seen().freed_connections, 3);
    assert_eq!(fixture.report(id, &report(2, ptr::null_mut())), STEER_INVALID_ARGUMENT);
    for stale in [0, id + 1_000_000, u64::MAX] {
        assert_eq!(fixture.report(stale, &report(2, connection)), STEER_UNKNOWN_ENDPOINT);
    }
    assert_eq!(fixture.seen().freed_connections, 6);
    let short = steer_endpoint_report { struct_size: 39, ..report(1, ptr::null_mut()) };
    assert_eq!(fixture.report(id, &short), STEER_BAD_STRUCT_SIZE);
    let no_words = steer_endpoint_report { message: NULL_STR, ..report(3, ptr::null_mut()) };
    assert_eq!(fixture.report(id, &no_words), STEER_INVALID_ARGUMENT);
    assert_eq!(fixture.seen().states.len(), states);
    // A connection that comes with another state is not kept.
    assert_eq!(fixture.report(id, &report(1, connection)), STEER_OK);
    assert_eq!(fixture.seen().freed_connections, 7);
}

#[test]
fn a_host_that_refuses_endpoints_has_an_empty_list() {
    let fixture = Fixture::new(ROUND_ROBIN);
    for nonsense in [STEER_ENDPOINT_REFUSED as i32, -1, 12345] {
        fixture.seen().refusal = nonsense;
        let (status, code, _) = fixture.update(&["a"]);
        assert_eq!((status, code), (STEER_OK, 14));
    }
    assert_eq!(fixture.seen().logs.len(), 3);
    assert!(fixture.seen().logs[0].contains("status 10"), "{:?}", fixture.seen().logs);
    fixture.seen().refusal = 0;
    assert_eq!(fixture.update(&["a"]).1, 0);
}

#[test]
fn configs_are_parsed_checked_and_tied_to_their_policy() {
    for json in ["", "null", "{}", r#"{"unknown": [1, {"x": null}]}"#] {
        let config = parse(ROUND_ROBIN, json).unwrap();
        let fixture = Fixture::new(ROUND_ROBIN);
        let address = steer_str::borrow("a");
        let endpoints = [endpoint(&address)];
        let with = steer_update { config, ..update(&endpoints) };
        assert_eq!(fixture.hand_in(&with).0, STEER_OK);
        // SAFETY: not freed yet; the policy has what it needs.
        unsafe { steer_config_free(config) };
        fixture.ready(0);
        assert_eq!(fixture.pick(), 100);
    }
    let error = parse(ROUND_ROBIN, "5").unwrap_err();
    let words = "errors validating steer_round_robin LB policy config: \
                 [field:steer_round_robin error:is not an object]";
    assert_eq!(error, (STEER_INVALID_CONFIG, words.to_owned()));
    let (status, words) = parse(ROUND_ROBIN, "{").unwrap_err();
    assert_eq!(status, STEER_INVALID_CONFIG);
    assert!(words.starts_with("the config of steer_round_robin is not JSON: "), "{words}");
    let (status, words) = parse("nobody", "{}").unwrap_err();
    assert_eq!(status, STEER_UNKNOWN_POLICY);
    assert!(words.contains("\"nobody\"") && words.contains(ROUND_ROBIN), "{words}");
    let depth = if cfg!(miri) { 200 } else { 100_000 };
    let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(ROUND_ROBIN, &deep).unwrap_err().0, STEER_INVALID_CONFIG);

    register_test_policies();
    let other = parse("test_timers", "{}").unwrap();
    let fixture = Fixture::new(ROUND_ROBIN);
    let with = steer_update { config: other, ..update(&[]) };
    assert_eq!(fixture.hand_in(&with).0, STEER_WRONG_CONFIG);
    // SAFETY: not freed yet.
    unsafe { steer_config_free(other) };
    assert_eq!(fixture.seen().states, []);
    let (status, words) = parse("test_panics", "{}").unwrap_err();
    assert_eq!(status, STEER_INVALID_CONFIG);
    assert!(words.contains("panicked"), "{words}");
}

#[test]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "tables of calls that take NULL")]
fn config_parse_takes_nulls() {
    let name = steer_str::borrow(ROUND_ROBIN);
    let json = steer_str::empty();
    let none = ptr::null_mut();
    let mut config = ptr::null_mut();
    // SAFETY: NULL is fine for each.
    let statuses = unsafe {
        [
            steer_config_parse(name, json, none, ptr::null_mut()),
            steer_config_parse(NULL_STR, json, &mut config, ptr::null_mut()),
            steer_config_parse(name, NULL_STR, &mut config, ptr::null_mut()),
            steer_config_parse(name, steer_str::borrow("5"), &mut config, ptr::null_mut()),
        ]
    };
    assert_eq!(
        statuses,
        [STEER_NULL_ARGUMENT, STEER_INVALID_ARGUMENT, STEER_INVALID_ARGUMENT, STEER_INVALID_CONFIG]
    );
    assert!(config.is_null());
}

#[test]
fn picks_check_their_arguments() {
    register_test_policies();
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let picker = fixture.seen().picker.unwrap();
    let pick = |picker, call| {
        // SAFETY: NULL or alive.
        let picked = unsafe { steer_picker_pick(picker, call) };
        (picked.kind, picked.value.is_null())
    };
    let refused = |status: steer_status| (-(status as i64), true);
    assert_eq!(pick(ptr::null(), ptr::null()), refused(STEER_NULL_ARGUMENT));
    assert_eq!(pick(picker, ptr::null()), (steer_pick_kind::STEER_PICK_DROP as i64, false));
    let path = steer_str::borrow("/s/m");
    let short = call_with(8, path);
    assert_eq!(pick(picker, &short), refused(STEER_BAD_STRUCT_SIZE));
    let lost = call_with(size_of::<steer_call>(), NULL_STR);
    assert_eq!(pick(picker, &lost), refused(STEER_INVALID_ARGUMENT));
}

#[test]
fn a_picker_that_wants_the_path_says_so_and_gets_it() {
    register_test_policies();
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let picker = fixture.seen().picker.unwrap();
    // SAFETY: alive.
    assert_eq!(unsafe { steer_picker_wants(picker) }, STEER_WANTS_PATH);
    let path = steer_str::borrow("/s/m");
    let call = call_with(size_of::<steer_call>(), path);
    let (kind, _, _, message) = fixture.pick_with(&call);
    assert_eq!(kind, steer_pick_kind::STEER_PICK_DROP as i64);
    assert_eq!((message.as_str(), fixture.no_pick().2.as_str()), ("path /s/m", "path "));
}

#[test]
fn a_picker_that_wants_the_request_hash_says_so_and_gets_it() {
    register_test_policies();
    let fixture = Fixture::new("test_reports");
    fixture.update(&["a"]);
    fixture.ready(0);
    // SAFETY: alive.
    let wants = unsafe { steer_picker_wants(fixture.seen().picker.unwrap()) };
    assert_eq!(wants, STEER_WANTS_REQUEST_HASH);
    let mut call = call_with(size_of::<steer_call>(), steer_str::empty());
    assert_eq!(fixture.pick_with(&call).3, "hash Some(7)");
    call.has_request_hash = 0;
    assert_eq!(fixture.pick_with(&call).3, "hash None");
    // A host of version 2 has no such fields.
    let call = call_with(std::mem::offset_of!(steer_call, request_hash), steer_str::empty());
    assert_eq!(fixture.pick_with(&call).3, "hash None");
}

#[test]
fn load_reports_are_asked_for_and_come_in() {
    register_test_policies();
    let fixture = Fixture::new("test_reports");
    fixture.update(&["a"]);
    assert_eq!(fixture.seen().load_periods, [3_000_000]);
    let cost = steer_metric {
        struct_size: size_of::<steer_metric>(),
        name: steer_str::borrow("rows"),
        value: 0.5,
    };
    let metrics = steer_metrics {
        struct_size: size_of::<steer_metrics>(),
        cpu_utilization: 1.5,
        mem_utilization: 0.0,
        application_utilization: 0.0,
        qps: 20.0,
        eps: 0.0,
        request_cost: ptr::null(),
        request_cost_count: 0,
        utilization: ptr::null(),
        utilization_count: 0,
        named: &cost,
        named_count: 1,
    };
    let endpoint = fixture.seen().endpoints[0].0;
    // SAFETY: all arguments are alive.
    let load = |endpoint, metrics| unsafe {
        steer_policy_endpoint_load(fixture.policy, endpoint, metrics)
    };
    assert_eq!(load(endpoint, &metrics), STEER_OK);
    let logged = fixture.seen().logs.pop().unwrap();
    for part in ["1 a ", "cpu_utilization: 1.5", "rps_fractional: 20.0", "{\"rows\": 0.5}"] {
        assert!(logged.contains(part), "{logged}");
    }
    assert_eq!(load(endpoint + 1, &metrics), STEER_UNKNOWN_ENDPOINT);
    assert_eq!(load(endpoint, ptr::null()), STEER_NULL_ARGUMENT);
    assert_eq!(load(endpoint, &steer_metrics { struct_size: 8, ..metrics }), STEER_BAD_STRUCT_SIZE);
    let broken = steer_metrics { named: ptr::null(), ..metrics };
    assert_eq!(load(endpoint, &broken), STEER_NULL_ARGUMENT);
    // SAFETY: NULL.
    let status = unsafe { steer_policy_endpoint_load(ptr::null_mut(), endpoint, &metrics) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
}

#[test]
fn timers_reach_the_host_and_come_back() {
    register_test_policies();
    let fixture = Fixture::new("test_timers");
    fixture.update(&["a"]);
    let timers = fixture.seen().timers.clone();
    assert_eq!(timers.iter().map(|(_, after)| *after).collect::<Vec<_>>(), [5, u64::MAX]);
    assert_eq!(fixture.seen().cancelled, [timers[1].0]);
    // SAFETY: alive.
    let status = unsafe { steer_policy_timer(fixture.policy, timers[0].0) };
    assert_eq!(status, STEER_OK);
    assert!(fixture.seen().logs.iter().any(|log| log.contains("timer 1 at 7ns, random 9")));
}

#[test]
fn a_picker_that_panics_is_replaced_when_the_host_runs_the_policy() {
    register_test_policies();
    let fixture = Fixture::new("test_panics");
    let address = steer_str::borrow("a");
    let with = [endpoint(&address)];
    let mut faults = 0;
    // The config's parser panics, so there is no default either.
    assert_eq!(fixture.hand_in(&update(&with)).0, STEER_PANIC);
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let boom = steer_str::borrow("/boom");
    let call = call_with(size_of::<steer_call>(), boom);
    let (kind, _, code, message) = fixture.pick_with(&call);
    assert_eq!(kind, steer_pick_kind::STEER_PICK_FAIL as i64);
    assert_eq!((code, message.as_str()), (13, "test_path: pick panicked: boom"));
    assert_eq!(fixture.seen().runs_asked, 1);
    // SAFETY: alive.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    // SAFETY: alive.
    let status = unsafe { steer_policy_faults(fixture.policy, &mut faults) };
    assert_eq!(status, STEER_OK);
    assert_eq!(faults, 1);
    fixture.ready(1);
    assert_eq!(fixture.pick_with(&call).1, 101);
}

#[test]
fn an_update_before_that_gives_the_fallback_its_endpoints() {
    register_test_policies();
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let boom = steer_str::borrow("/boom");
    fixture.pick_with(&call_with(size_of::<steer_call>(), boom));
    fixture.seen().matches = 1;
    fixture.update(&["a"]);
    let states: Vec<i32> = fixture.seen().states.iter().map(|(state, ..)| *state).collect();
    assert!(!states.contains(&(steer_state::STEER_TRANSIENT_FAILURE as i32)), "{states:?}");
    assert_eq!(fixture.seen().endpoints.len() - fixture.seen().freed_endpoints, 1);
}

#[test]
fn a_list_does_not_change_while_the_host_is_asked_about_it() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    fixture.ready(0);
    fixture.seen().matches = 1;
    fixture.seen().update_within = Some((fixture.policy, STEER_OK));
    fixture.update(&["a", "b"]);
    assert_eq!(fixture.seen().update_within.take().unwrap().1, STEER_INVALID_ARGUMENT);
    assert_eq!(fixture.seen().endpoints.len(), 2);
    assert_eq!(fixture.seen().freed_endpoints, 0);
}

#[test]
fn a_policy_may_be_freed_from_within_its_own_callback() {
    let mut fixture = Fixture::new(ROUND_ROBIN);
    fixture.seen().free_within = Some(fixture.policy);
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    fixture.policy = ptr::null_mut();
    assert_eq!(fixture.seen().freed_endpoints, 1);
}

#[test]
fn pickers_outlive_their_policy_with_their_connections() {
    let mut fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    fixture.ready(0);
    // SAFETY: alive, and NULL from now on.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
    assert_eq!(fixture.pick(), 100);
    assert_eq!((fixture.seen().freed_connections, fixture.seen().freed), (0, false));
}

/// Policies for these tests, registered once in the process.
fn register_test_policies() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let policies: [Arc<dyn PolicyFactory>; 5] = [
            Arc::new(LeafFactory::<Descriptors>::new()),
            Arc::new(LeafFactory::<Paths>::new()),
            Arc::new(LeafFactory::<Reports>::new()),
            Arc::new(Timers),
            Arc::new(Panics),
        ];
        for policy in policies {
            crate::policies::registry().register(policy).unwrap();
        }
    });
}

/// Fails picks with what is known of the first backend.
struct Descriptors;

struct Words(String);

impl Picker for Words {
    fn pick<'a>(&'a self, _: &Call<'_>) -> Pick<'a> {
        Pick::fail(Status::unavailable(self.0.clone()))
    }
}

impl BuiltIn for Descriptors {
    const NAME: &'static str = "test_descriptors";

    fn parse(_: &mut Fields<'_>) {}

    fn new(_: &dyn Helper) -> Self {
        Descriptors
    }
}

impl PickerFactory for Descriptors {
    type Config = ();

    fn build(&mut self, _: &Arc<()>, ready: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(Words(format!("{:?}", ready.backends().next().unwrap().descriptor)))
    }
}

/// Drops calls with their path, and panics at one.
struct Paths;

impl Picker for Paths {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        assert!(call.path != "/boom", "boom");
        Pick::drop(Status::unavailable(format!("path {}", call.path)))
    }

    fn wants(&self) -> Wants {
        Wants { path: true, ..Wants::default() }
    }
}

impl BuiltIn for Paths {
    const NAME: &'static str = "test_path";

    fn parse(_: &mut Fields<'_>) {}

    fn new(_: &dyn Helper) -> Self {
        Paths
    }
}

impl PickerFactory for Paths {
    type Config = ();

    fn build(&mut self, _: &Arc<()>, _: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(Paths)
    }
}

/// Wants load reports, which it logs, and request hashes, with which it drops calls.
struct Reports;

impl Picker for Reports {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        Pick::drop(Status::unavailable(format!("hash {:?}", call.request_hash)))
    }

    fn wants(&self) -> Wants {
        Wants { request_hash: true, ..Wants::default() }
    }
}

impl BuiltIn for Reports {
    const NAME: &'static str = "test_reports";

    fn parse(_: &mut Fields<'_>) {}

    fn new(_: &dyn Helper) -> Self {
        Reports
    }
}

impl PickerFactory for Reports {
    type Config = ();

    fn configure(&mut self, _: &Arc<()>, helper: &Arc<dyn Helper>) {
        helper.request_load_reports(Some(std::time::Duration::from_millis(3)));
    }

    fn load_report(&mut self, of: &EndpointDescriptor, metrics: &Metrics, helper: &dyn Helper) {
        let text = format!("{} {metrics:?}", of.addresses[0]);
        helper.log(crate::Severity::Info, &text);
    }

    fn build(&mut self, _: &Arc<()>, _: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(Reports)
    }
}

/// Starts two timers at an update and cancels the second.
struct Timers;

struct TimersPolicy(Arc<dyn Helper>);

impl PolicyFactory for Timers {
    fn name(&self) -> &str {
        "test_timers"
    }

    fn parse_config(&self, _: &Value) -> Result<Config, ConfigError> {
        Ok(Arc::new(()))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(TimersPolicy(helper))
    }
}

impl Policy for TimersPolicy {
    fn update(&mut self, _: &crate::policy::Update) -> Result<(), Status> {
        self.0.start_timer(std::time::Duration::from_nanos(5));
        let second = self.0.start_timer(std::time::Duration::MAX);
        self.0.cancel_timer(second);
        let picker = Box::new(crate::policy::QueuePicker);
        let connecting = crate::endpoints::Connectivity::Connecting;
        self.0.update_state(connecting, &Status::OK, picker);
        Ok(())
    }

    fn endpoint_report(
        &mut self,
        _: crate::endpoints::EndpointId,
        _: crate::endpoints::Report,
    ) -> bool {
        false
    }

    fn reset_backoff(&mut self) {}

    fn timer(&mut self, timer: crate::policy::TimerId) {
        let words = format!("timer {} at {:?}, random {}", timer.0, self.0.now(), self.0.random());
        self.0.log(crate::Severity::Info, &words);
    }
}

/// Panics when it parses its config.
struct Panics;

impl PolicyFactory for Panics {
    fn name(&self) -> &str {
        "test_panics"
    }

    fn parse_config(&self, _: &Value) -> Result<Config, ConfigError> {
        panic!("the config")
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(TimersPolicy(helper))
    }
}
