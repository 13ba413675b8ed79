//! The callbacks of a host that notes what it sees.

use super::*;

/// What the callbacks see, and how they behave.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) endpoints: Vec<(u64, u32)>,
    pub(super) freed_endpoints: usize,
    pub(super) connects: usize,
    pub(super) resets: usize,
    pub(super) states: Vec<(i32, i32, String)>,
    pub(super) picker: Option<*mut steer_picker>,
    pub(super) freed_connections: usize,
    pub(super) reresolutions: usize,
    pub(super) runs_asked: usize,
    pub(super) timers: Vec<(u64, u64)>,
    pub(super) cancelled: Vec<u64>,
    pub(super) logs: Vec<String>,
    pub(super) load_periods: Vec<u64>,
    /// The index and the number of each further connection.
    pub(super) connections: Vec<(u32, u32)>,
    pub(super) freed: bool,
    /// The result of `endpoint_new`.
    pub(super) refusal: i32,
    /// The result of `endpoint_matches`.
    pub(super) matches: i32,
    /// Makes `endpoint_matches` update this policy, and has the status.
    pub(super) update_within: Option<(*mut steer_policy, steer_status)>,
    /// Makes `update_state` pick, as gRPC does for calls that wait.
    pub(super) pick_within: bool,
    /// Makes `update_state` free this policy.
    pub(super) free_within: Option<*mut steer_policy>,
}

pub(super) fn seen<'a>(ctx: *mut c_void) -> &'a mut Seen {
    // SAFETY: each ctx of these tests is a Seen that is valid until its test ends, and no callback
    // overlaps another's borrow.
    unsafe { &mut *ctx.cast::<Seen>() }
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
        // SAFETY: `handle` can be written to (rule of `steer_host`).
        unsafe { handle.write(ptr::without_provenance_mut(endpoint as usize)) };
    }
    seen.refusal
}

unsafe extern "C" fn endpoint_new_connection(
    ctx: *mut c_void,
    endpoint: u64,
    index: u32,
    connection: u32,
    handle: *mut *mut c_void,
) -> i32 {
    came("endpoint_new_connection");
    seen(ctx).connections.push((index, connection));
    // SAFETY: the arguments are those of this callback.
    unsafe { endpoint_new(ctx, endpoint, index, handle) }
}

unsafe extern "C" fn endpoint_matches(ctx: *mut c_void, _: *mut c_void, _: u32) -> i32 {
    came("endpoint_matches");
    if let Some((policy, _)) = seen(ctx).update_within {
        let (update, code, message) = (update(&[]), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the policy is not freed: it called this.
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
        // SAFETY: the picker is not freed, and nobody else uses it.
        let picked = unsafe { steer_picker_pick(picker, ptr::null()) };
        assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_COMPLETE as i64);
    }
    // SAFETY: the picker came with `update_state`, and nobody picks with it.
    unsafe { steer_picker_free(former.unwrap_or(ptr::null_mut())) };
    // SAFETY: the test does not free the policy itself.
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
    // So that lists of up to 4 endpoints begin with the first.
    12
}

unsafe extern "C" fn load_reports(ctx: *mut c_void, period_ns: u64) {
    came("load_reports");
    seen(ctx).load_periods.push(period_ns);
}

unsafe extern "C" fn log(ctx: *mut c_void, severity: i32, message: steer_str) {
    came("log");
    seen(ctx).logs.push(format!("{severity} {}", text(message)));
}

pub(super) fn table(ctx: *mut Seen) -> steer_host {
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
        lacks: 0,
        endpoint_new_connection: Some(endpoint_new_connection),
        words: 0,
        channel: 0,
    }
}
