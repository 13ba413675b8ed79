//! The callbacks of `steer_host`: they check the engine, and pass its calls on to the virtual host.

use std::ffi::c_void;
use std::sync::Arc;

use steer::ffi::*;

use super::account::{Account, Shared};
use super::picker::HeldPicker;
use crate::bytes::read;
use crate::callbacks;

/// Runs a part of a callback of this name, after checks.
fn account<R>(callback: &str, ctx: *mut c_void, body: impl FnOnce(&mut Account) -> R) -> R {
    // SAFETY: ctx is the reference that `for_host` made. The engine does not use it after ctx_free.
    let shared = unsafe { &*ctx.cast::<Shared>() };
    shared.turn.came(callback);
    shared.with(|account| {
        assert!(!account.context_freed, "a callback came after ctx_free");
        body(account)
    })
}

/// The callbacks of the virtual host.
fn virtual_host() -> &'static steer_host {
    // SAFETY: the table is static.
    unsafe { &*steer_virtual_host_callbacks() }
}

/// Defines callbacks that are only checked here.
macro_rules! checked {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {$(
        unsafe extern "C" fn $name(ctx: *mut c_void, $($argument: $kind),*) $(-> $result)? {
            account(stringify!($name), ctx, |_| ());
            let callback = virtual_host().$name.expect("the virtual host has it");
            // SAFETY: these are the engine's arguments.
            unsafe { callback(ctx, $($argument),*) }
        }
    )*};
}

checked! {
    endpoint_connect(handle: *mut c_void);
    endpoint_reset_backoff(handle: *mut c_void);
    endpoint_free(handle: *mut c_void);
    connection_free(connection: *mut c_void);
    request_reresolution();
    run_later();
    timer_start(timer: u64, after_ns: u64);
    now() -> u64;
    log(severity: i32, message: steer_str);
    load_reports(period_ns: u64);
}

unsafe extern "C" fn ctx_free(ctx: *mut c_void) {
    // SAFETY: as for `account`. The engine calls this once, so this ends the reference.
    let shared = unsafe { Arc::from_raw(ctx.cast::<Shared>()) };
    callbacks::came("ctx_free");
    assert_eq!(shared.held(), 0, "endpoints and connections were not given back");
    shared.with(|account| {
        assert!(!account.context_freed, "ctx was freed twice");
        assert!(account.policy_freed && account.picker.is_none());
        account.context_freed = true;
    });
}

/// Whether the host refuses this address, as gRPC does if it cannot make a subchannel for it.
fn refuses(callback: &'static str, ctx: *mut c_void, index: u32) -> bool {
    account(callback, ctx, |account| account.list[index as usize]) % 16 == 15
}

unsafe extern "C" fn endpoint_new(
    ctx: *mut c_void,
    endpoint: u64,
    index: u32,
    handle: *mut *mut c_void,
) -> i32 {
    if refuses("endpoint_new", ctx, index) {
        return STEER_ENDPOINT_REFUSED as i32;
    }
    let endpoint_new = virtual_host().endpoint_new.expect("the virtual host has it");
    // SAFETY: these are the engine's arguments.
    let status = unsafe { endpoint_new(ctx, endpoint, index, handle) };
    assert_eq!(status, STEER_OK as i32);
    status
}

unsafe extern "C" fn endpoint_new_connection(
    ctx: *mut c_void,
    endpoint: u64,
    index: u32,
    connection: u32,
    handle: *mut *mut c_void,
) -> i32 {
    assert!(connection > 0, "endpoint_new makes the first connection");
    if refuses("endpoint_new_connection", ctx, index) {
        return STEER_ENDPOINT_REFUSED as i32;
    }
    let make = virtual_host().endpoint_new_connection.expect("the virtual host has it");
    // SAFETY: these are the engine's arguments.
    let status = unsafe { make(ctx, endpoint, index, connection, handle) };
    assert_eq!(status, STEER_OK as i32);
    status
}

/// Does not pass the picker on, because here its last owner frees it, on any thread.
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
    let former = account("update_state", ctx, |account| account.picker.replace(picker));
    drop(former);
}

unsafe extern "C" fn timer_cancel(ctx: *mut c_void, timer: u64) {
    account("timer_cancel", ctx, |account| account.due.retain(|due| *due != timer));
    let timer_cancel = virtual_host().timer_cancel.expect("the virtual host has it");
    // SAFETY: these are the engine's arguments.
    unsafe { timer_cancel(ctx, timer) };
}

/// Not the virtual host's, so that the inputs of the corpus keep their meaning.
unsafe extern "C" fn random(ctx: *mut c_void) -> u64 {
    account("random", ctx, |account| {
        // Weyl's sequence: any numbers that differ.
        account.random = account.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        account.random
    })
}

/// The table of a host, which owns a reference to `shared` until `ctx_free`.
pub(super) fn for_host(shared: &Arc<Shared>) -> steer_host {
    steer_host {
        struct_size: size_of::<steer_host>(),
        ctx: Arc::into_raw(Arc::clone(shared)).cast_mut().cast(),
        ctx_free: Some(ctx_free),
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
    }
}
