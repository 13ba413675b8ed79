//! The callbacks of `steer_host`.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use steer::ffi::*;

use super::account::{Account, Shared};
use super::picker::HeldPicker;
use crate::bytes::read;
use crate::callbacks;

/// Runs a callback of this name, after checks.
fn account<R>(callback: &str, ctx: *mut c_void, body: impl FnOnce(&mut Account) -> R) -> R {
    // SAFETY: ctx is the reference that `for_host` made. The engine does not use it after ctx_free.
    let shared = unsafe { &*ctx.cast::<Shared>() };
    shared.turn.came(callback);
    shared.with(|account| {
        assert!(!account.context_freed, "a callback came after ctx_free");
        body(account)
    })
}

unsafe extern "C" fn ctx_free(ctx: *mut c_void) {
    // SAFETY: as for `account`. The engine calls this once, so this ends the reference.
    let shared = unsafe { Arc::from_raw(ctx.cast::<Shared>()) };
    callbacks::came("ctx_free");
    shared.with(|account| {
        assert!(!account.context_freed, "ctx was freed twice");
        assert!(account.policy_freed && account.picker.is_none());
        assert!(account.endpoints.is_empty(), "endpoints were not freed");
        assert!(account.connections.is_empty(), "connections were not given back");
        account.context_freed = true;
    });
}

unsafe extern "C" fn endpoint_new(
    ctx: *mut c_void,
    endpoint: u64,
    index: u32,
    handle: *mut *mut c_void,
) -> i32 {
    account("endpoint_new", ctx, |account| {
        let address = account.list[index as usize];
        // Refused, as gRPC does for addresses that it cannot make a subchannel for.
        if address % 16 == 15 {
            return STEER_ENDPOINT_REFUSED as i32;
        }
        let number = account.number();
        assert!(
            account.numbers.last().is_none_or(|last| *last < endpoint),
            "a number was used twice"
        );
        account.alive.insert(endpoint);
        account.endpoints.insert(number, endpoint);
        account.numbers.push(endpoint);
        // SAFETY: the engine passes a valid pointer for the handle.
        unsafe { handle.write(ptr::without_provenance_mut(number)) };
        STEER_OK as i32
    })
}

unsafe extern "C" fn endpoint_connect(ctx: *mut c_void, handle: *mut c_void) {
    account("endpoint_connect", ctx, |account| account.check_alive(handle));
}

unsafe extern "C" fn endpoint_reset_backoff(ctx: *mut c_void, handle: *mut c_void) {
    account("endpoint_reset_backoff", ctx, |account| account.check_alive(handle));
}

unsafe extern "C" fn endpoint_free(ctx: *mut c_void, handle: *mut c_void) {
    account("endpoint_free", ctx, |account| {
        let number = account.endpoints.remove(&handle.addr()).expect("an endpoint was freed twice");
        account.alive.remove(&number);
    });
}

unsafe extern "C" fn connection_free(ctx: *mut c_void, connection: *mut c_void) {
    account("connection_free", ctx, |account| {
        assert!(account.connections.remove(&connection.addr()), "a connection was freed twice");
    });
}

unsafe extern "C" fn update_state(
    ctx: *mut c_void,
    state: i32,
    code: i32,
    message: steer_str,
    picker: *mut steer_picker,
) {
    assert!((0..=3).contains(&state) && (state == 3) == (code != 0), "state {state}, code {code}");
    read(message);
    // SAFETY: as for `account`. This makes another reference, for the picker.
    unsafe { Arc::increment_strong_count(ctx.cast::<Shared>()) };
    // SAFETY: this takes the reference that was just made.
    let shared = unsafe { Arc::from_raw(ctx.cast::<Shared>()) };
    let picker = Arc::new(HeldPicker { picker, shared });
    let former = account("update_state", ctx, |account| {
        account.state = state;
        account.picker.replace(picker)
    });
    drop(former);
}

unsafe extern "C" fn request_reresolution(ctx: *mut c_void) {
    account("request_reresolution", ctx, |_| ());
}

unsafe extern "C" fn run_later(ctx: *mut c_void) {
    account("run_later", ctx, |account| account.later += 1);
}

unsafe extern "C" fn timer_start(ctx: *mut c_void, timer: u64, after_ns: u64) {
    account("timer_start", ctx, |account| {
        let due = account.now.saturating_add(Duration::from_nanos(after_ns));
        assert!(account.timers.insert(timer, due).is_none(), "a timer's number was used twice");
    });
}

unsafe extern "C" fn timer_cancel(ctx: *mut c_void, timer: u64) {
    account("timer_cancel", ctx, |account| account.timers.remove(&timer));
}

unsafe extern "C" fn now(ctx: *mut c_void) -> u64 {
    account("now", ctx, |account| account.now.as_nanos() as u64)
}

unsafe extern "C" fn random(ctx: *mut c_void) -> u64 {
    account("random", ctx, |account| {
        // Weyl's sequence: any numbers that differ.
        account.random = account.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        account.random
    })
}

unsafe extern "C" fn log(_: *mut c_void, _: i32, message: steer_str) {
    read(message);
}

/// The table of a host, which owns a reference to `shared` until `ctx_free`.
pub(super) fn for_host(shared: &Arc<Shared>) -> steer_host {
    // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
    let mut table: steer_host = unsafe { std::mem::zeroed() };
    table.struct_size = size_of::<steer_host>();
    table.ctx = Arc::into_raw(Arc::clone(shared)).cast_mut().cast();
    table.ctx_free = Some(ctx_free);
    table.endpoint_new = Some(endpoint_new);
    table.endpoint_connect = Some(endpoint_connect);
    table.endpoint_reset_backoff = Some(endpoint_reset_backoff);
    table.endpoint_free = Some(endpoint_free);
    table.connection_free = Some(connection_free);
    table.update_state = Some(update_state);
    table.request_reresolution = Some(request_reresolution);
    table.run_later = Some(run_later);
    table.timer_start = Some(timer_start);
    table.timer_cancel = Some(timer_cancel);
    table.now = Some(now);
    table.random = Some(random);
    table.log = Some(log);
    table
}
