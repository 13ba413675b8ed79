//! The `steer_host` of a virtual host.
//!
//! A callback that breaks a rule of `steer_host` panics. A panic cannot leave an `extern "C"`
//! function, so it ends the process, after its message. That is what a test needs.

use std::borrow::Cow;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::host::{connectivity, steer_virtual_host};
use crate::endpoints::{EndpointDescriptor, EndpointId, Index};
use crate::ffi::host::steer_host;
use crate::ffi::picker::steer_picker;
use crate::ffi::steer_status::*;
use crate::ffi::text::{ReadText, steer_str};
use crate::policy::{Host, TimerId};
use crate::{Code, Severity, Status};

/// # Safety
/// `ctx` is that of a table of `steer_virtual_host_callbacks`: it points to a pointer to a host
/// that is not freed during `'a`.
unsafe fn host<'a>(ctx: *mut c_void) -> &'a steer_virtual_host {
    // SAFETY: `ctx` points to a pointer to a host (caller's contract).
    let host = unsafe { ctx.cast::<*const steer_virtual_host>().read() };
    // SAFETY: the host is not freed (caller's contract).
    let host = unsafe { steer_virtual_host::of(host) };
    host.expect("the ctx of the table does not point to a pointer to a virtual host")
}

/// The engine's texts are UTF-8.
///
/// # Safety
/// `text` is readable.
unsafe fn text(text: steer_str) -> String {
    // SAFETY: `text` is readable (caller's contract).
    match unsafe { text.to_cow() } {
        Some(Cow::Borrowed(text)) => text.to_owned(),
        _ => panic!("the engine wrote a text that is not UTF-8"),
    }
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn endpoint_new(
    ctx: *mut c_void,
    number: u64,
    index: u32,
    handle: *mut *mut c_void,
) -> i32 {
    // SAFETY: the arguments are those of this callback (rule of `steer_host`).
    unsafe { endpoint_new_connection(ctx, number, index, 0, handle) }
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn endpoint_new_connection(
    ctx: *mut c_void,
    number: u64,
    index: u32,
    connection: u32,
    handle: *mut *mut c_void,
) -> i32 {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    let host = unsafe { host(ctx) };
    let list = host.core.list();
    let Some(descriptor) = list.get(index as usize) else { return STEER_ENDPOINT_REFUSED as i32 };
    let id = EndpointId(number);
    let connected = host.core.is_connected(descriptor, connection);
    let descriptor = Arc::new(EndpointDescriptor {
        index: Index::of(descriptor),
        connection,
        ..EndpointDescriptor::clone(descriptor)
    });
    if host.core.endpoint_new(id, &descriptor).is_err() {
        return STEER_ENDPOINT_REFUSED as i32;
    }
    let made = {
        let mut handles = host.handles.lock();
        if connected {
            handles.connected.insert(id);
        }
        handles.give_out(id)
    };
    // SAFETY: the engine passes a place for the handle (rule of `steer_host`).
    unsafe { handle.write(made) };
    STEER_OK as i32
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn endpoint_connect(ctx: *mut c_void, handle: *mut c_void) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    let host = unsafe { host(ctx) };
    let id = host.handles.lock().find(handle);
    host.core.endpoint_connect(id);
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn endpoint_reset_backoff(ctx: *mut c_void, handle: *mut c_void) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    let host = unsafe { host(ctx) };
    let id = host.handles.lock().find(handle);
    host.core.endpoint_reset_backoff(id);
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn endpoint_free(ctx: *mut c_void, handle: *mut c_void) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    let host = unsafe { host(ctx) };
    let id = host.handles.lock().take_back(handle);
    host.core.endpoint_free(id);
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn connection_free(ctx: *mut c_void, connection: *mut c_void) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.connection_free(connection.addr());
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn update_state(
    ctx: *mut c_void,
    state: i32,
    code: i32,
    message: steer_str,
    picker: *mut steer_picker,
) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    let host = unsafe { host(ctx) };
    let published = connectivity(state).unwrap_or_else(|| panic!("the engine published {state}"));
    assert_eq!(state == 3, code != 0, "the engine published the state {state} with code {code}");
    // SAFETY: the message is valid during the call (rule of `steer_host`).
    let message = unsafe { text(message) };
    host.core.publish(published, &Status::new(Code::from_number(code), message));
    // SAFETY: `picker` came from `steer_picker::into_raw`, and the host owns it (rule of
    // `steer_host`).
    let picker = unsafe { Box::from_raw(picker) };
    let former = host.picker.lock().replace(Arc::from(picker));
    // Without the lock: its connections are given back.
    drop(former);
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn request_reresolution(ctx: *mut c_void) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.request_reresolution();
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn run_later(ctx: *mut c_void) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.run_later();
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn timer_start(ctx: *mut c_void, timer: u64, after_ns: u64) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.start_timer(TimerId(timer), Duration::from_nanos(after_ns));
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn timer_cancel(ctx: *mut c_void, timer: u64) {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.cancel_timer(TimerId(timer));
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn now(ctx: *mut c_void) -> u64 {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    let now = unsafe { host(ctx) }.core.now();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn random(ctx: *mut c_void) -> u64 {
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.random()
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn log(ctx: *mut c_void, severity: i32, message: steer_str) {
    let severity = match severity {
        0 => Severity::Debug,
        1 => Severity::Info,
        2 => Severity::Error,
        other => panic!("the engine logged with severity {other}"),
    };
    // SAFETY: the message is valid during the call (rule of `steer_host`).
    let message = unsafe { text(message) };
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.log(severity, &message);
}

// Unguarded: a panic here shall end the process.
unsafe extern "C" fn load_reports(ctx: *mut c_void, period_ns: u64) {
    let period = (period_ns != 0).then(|| Duration::from_nanos(period_ns));
    // SAFETY: the table's `ctx` (rule of `steer_virtual_host_callbacks`).
    unsafe { host(ctx) }.core.request_load_reports(period);
}

/// The table, which threads share.
struct Callbacks(steer_host);

// SAFETY: its only pointer, `ctx`, is NULL.
unsafe impl Sync for Callbacks {}

static CALLBACKS: Callbacks = Callbacks(steer_host {
    struct_size: size_of::<steer_host>(),
    ctx: ptr::null_mut(),
    ctx_free: None,
    endpoint_new: Some(endpoint_new),
    endpoint_matches: None,
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
});

/// `[any thread]`
/// Returns the callbacks of every virtual host. Static. `struct_size` is that of the engine.
///
/// Copy the part that you know, set its `struct_size` to that part's, and set `ctx` and, if needed,
/// `ctx_free`. `ctx` points to a `steer_virtual_host *`: usually the first field of a struct with
/// the test's own data. So a test can replace a callback, and pass the call on to this table.
/// `endpoint_matches` is NULL: the engine compares the descriptions.
// Unguarded: a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_virtual_host_callbacks() -> *const steer_host {
    &CALLBACKS.0
}
