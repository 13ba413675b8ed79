//! `steer_virtual_host`: made, driven and freed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::endpoints::{Connectivity, EndpointId};
use crate::ffi::endpoint::{endpoints_from_c, steer_endpoint, steer_endpoint_report, steer_state};
use crate::ffi::last_error::{status_guard, worded_guard};
use crate::ffi::picker::steer_picker;
use crate::ffi::policy::{steer_policy, steer_policy_endpoint_report};
use crate::ffi::steer_status::*;
use crate::ffi::text::{steer_str, steer_string};
use crate::ffi::{guard, steer_status};
use crate::virtual_host::{Chance, Request, VirtualClock, VirtualHost};

/// A host in memory, for tests: endpoints and their states, connections, timers, clock, random
/// numbers, log. It does nothing by itself. Its owner makes the reports, moves the clock, and takes
/// the engine's requests. A callback or call that breaks a rule of `steer_host` ends the process.
pub struct steer_virtual_host {
    pub(super) core: VirtualHost,
    pub(super) handles: Mutex<Handles>,
    pub(super) picker: Mutex<Option<Arc<steer_picker>>>,
    pub(super) requests: Mutex<Requests>,
}

/// The handles of live endpoints.
#[derive(Default)]
pub(super) struct Handles {
    /// How many were given out.
    made: usize,
    live: BTreeMap<usize, EndpointId>,
    /// Endpoints whose address had a connection when they were made.
    pub(super) connected: BTreeSet<EndpointId>,
}

impl Handles {
    /// A handle that no other endpoint had. Not a pointer to memory, so that a wrong one is found
    /// without a sanitizer.
    pub(super) fn give_out(&mut self, id: EndpointId) -> *mut c_void {
        self.made += 1;
        // Counts down, so that no connection has the same.
        let handle = usize::MAX - self.made;
        self.live.insert(handle, id);
        std::ptr::without_provenance_mut(handle)
    }

    /// The endpoint of a handle.
    pub(super) fn find(&self, handle: *mut c_void) -> EndpointId {
        let found = self.live.get(&handle.addr());
        *found.expect("the engine used the handle of an endpoint that it had dropped")
    }

    /// Takes a handle back.
    pub(super) fn take_back(&mut self, handle: *mut c_void) -> EndpointId {
        let id = self.find(handle);
        self.live.remove(&handle.addr());
        self.connected.remove(&id);
        id
    }
}

/// Requests that are to be taken, the first one last, and the text of the one that was taken last.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) waiting: Vec<Request>,
    pub(super) text: String,
}

impl steer_virtual_host {
    /// # Safety
    /// `host` is NULL or came from `steer_virtual_host_new` and is not freed during `'a`.
    pub(super) unsafe fn of<'a>(host: *const steer_virtual_host) -> Option<&'a steer_virtual_host> {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        unsafe { host.as_ref() }
    }

    /// The endpoints and connections that the engine has not given back.
    fn held(&self) -> usize {
        self.core.held_endpoints() + self.core.held_connections()
    }
}

/// `[any thread]`
/// Makes a host whose clock shows `now_ns`, and whose random numbers are those of `seed`. The
/// caller owns `*host`. STEER_NULL_ARGUMENT: `host` is NULL.
///
/// # Safety
/// `host` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_new(
    now_ns: u64,
    seed: u64,
    host: *mut *mut steer_virtual_host,
) -> steer_status {
    status_guard("steer_virtual_host_new", || {
        if host.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        let clock = VirtualClock::at(Duration::from_nanos(now_ns));
        let made = Box::into_raw(Box::new(steer_virtual_host {
            core: VirtualHost::new(clock, Chance::seeded(seed)),
            handles: Mutex::default(),
            picker: Mutex::default(),
            requests: Mutex::default(),
        }));
        // SAFETY: not NULL, so `host` can be written to (caller's contract).
        unsafe { host.write(made) };
        Ok(())
    })
}

/// `[any thread]`
/// Returns the number of endpoints and connections that the engine has not given back. 0 for NULL.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_held(host: *const steer_virtual_host) -> usize {
    guard(usize::MAX, || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        unsafe { steer_virtual_host::of(host) }.map_or(0, steer_virtual_host::held)
    })
}

/// `[any thread, one at a time]`
/// Drops the latest picker and frees the host, and returns 0. Or returns the number of endpoints
/// and connections that the engine has not given back; then the host is not freed. Does nothing for
/// NULL.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed; the engine has called
/// `ctx_free` for each table with this host, or calls no callback any more; nobody uses the host
/// during or after this call, unless it returns another number than 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_free(host: *mut steer_virtual_host) -> usize {
    guard(usize::MAX, || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let Some(freed) = (unsafe { steer_virtual_host::of(host) }) else { return 0 };
        let picker = freed.picker.lock().take();
        drop(picker);
        let held = freed.held();
        if held == 0 {
            // SAFETY: `host` came from `steer_virtual_host_new`, and nobody else uses it (caller's
            // contract).
            drop(unsafe { Box::from_raw(host) });
        }
        held
    })
}

/// `[any thread]`
/// Starts the random numbers of this seed. Does nothing for NULL.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_seed(host: *mut steer_virtual_host, seed: u64) {
    guard((), || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        if let Some(host) = unsafe { steer_virtual_host::of(host) } {
            host.core.set_chance(Chance::seeded(seed));
        }
    });
}

/// `[serialised]`
/// Sets the list that `endpoint_new` and `endpoint_matches` refer to. Call this before
/// `steer_policy_update` with the same list. With another status than STEER_OK, the list stays.
///
/// # Safety
/// `host` is NULL (STEER_NULL_ARGUMENT) or came from `steer_virtual_host_new` and is not freed;
/// `endpoints` has `count` elements, which are readable, and so is the memory that they point to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_list(
    host: *mut steer_virtual_host,
    endpoints: *const steer_endpoint,
    count: usize,
) -> steer_status {
    status_guard("steer_virtual_host_list", || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let Some(host) = (unsafe { steer_virtual_host::of(host) }) else {
            return Err(STEER_NULL_ARGUMENT);
        };
        // SAFETY: the endpoints and their memory are readable (caller's contract).
        let list = unsafe { endpoints_from_c(endpoints, count) }?;
        host.core.set_list(list.into());
        Ok(())
    })
}

/// `[serialised]`
/// Notes that an endpoint has this state, and reports it to the policy. For STEER_READY it makes a
/// connection. `code` and `message` are for STEER_TRANSIENT_FAILURE. The result is that of
/// `steer_policy_endpoint_report`.
///
/// # Safety
/// `host` is NULL (STEER_NULL_ARGUMENT) or came from `steer_virtual_host_new` and is not freed;
/// `policy` is NULL (STEER_NULL_ARGUMENT) or a policy with this host that is not freed; `message`
/// is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_report(
    host: *mut steer_virtual_host,
    policy: *mut steer_policy,
    endpoint: u64,
    state: i32,
    code: i32,
    message: steer_str,
) -> steer_status {
    worded_guard("steer_virtual_host_report", || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let host = unsafe { steer_virtual_host::of(host) }.filter(|_| !policy.is_null());
        let Some(host) = host else {
            return status_guard("steer_virtual_host_report", || Err(STEER_NULL_ARGUMENT));
        };
        let id = EndpointId(endpoint);
        let mut connection = 0;
        if state == steer_state::STEER_READY as i32 {
            let to = host.core.endpoint(id);
            connection = host.core.new_connection(to.as_ref().map_or("", |to| to.address()));
        }
        if let Some(state) = connectivity(state) {
            host.core.reports(id, state, (connection != 0).then_some(connection));
            if state == Connectivity::TransientFailure {
                host.core.has_tried(id);
            }
        }
        let report = steer_endpoint_report {
            struct_size: size_of::<steer_endpoint_report>(),
            state,
            code,
            message,
            connection: std::ptr::without_provenance_mut(connection),
        };
        // SAFETY: `policy` is not freed and `message` is readable (caller's contract). The
        // connection is new.
        unsafe { steer_policy_endpoint_report(policy, endpoint, &report) }
    })
}

/// The state of this number.
pub(super) fn connectivity(state: i32) -> Option<Connectivity> {
    match state {
        0 => Some(Connectivity::Idle),
        1 => Some(Connectivity::Connecting),
        2 => Some(Connectivity::Ready),
        3 => Some(Connectivity::TransientFailure),
        _ => None,
    }
}

/// `[any thread]`
/// Returns the address of a connection that the engine holds. The caller frees it. NULL: the engine
/// holds no such connection.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed. `connection` may be any
/// pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_address(
    host: *const steer_virtual_host,
    connection: *const c_void,
) -> *mut steer_string {
    guard(std::ptr::null_mut(), || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let host = unsafe { steer_virtual_host::of(host) };
        let address = host.and_then(|host| host.core.address_of(connection.addr()));
        address.map_or(std::ptr::null_mut(), steer_string::into_raw)
    })
}

/// `[serialised]`
/// Takes the timer that ends first, if it ends by `until_ns`, moves the clock to its end, and
/// returns its number, for `steer_policy_timer`. Otherwise moves the clock to `until_ns`, unless it
/// is later already, and returns 0. 0 also for NULL.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_timer(
    host: *mut steer_virtual_host,
    until_ns: u64,
) -> u64 {
    guard(0, || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let Some(host) = (unsafe { steer_virtual_host::of(host) }) else { return 0 };
        let until = Duration::from_nanos(until_ns);
        let timer = host.core.take_timer_by(until);
        if timer.is_none() {
            host.core.clock().set(until);
        }
        timer.map_or(0, |timer| timer.0)
    })
}

/// `[any thread]`
/// Returns the latest picker, and keeps it until `steer_virtual_host_picker_free`. NULL: there is
/// none, or `host` is NULL.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_picker(
    host: *const steer_virtual_host,
) -> *const steer_picker {
    guard(std::ptr::null(), || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let picker = unsafe { steer_virtual_host::of(host) }.and_then(|host| {
            let picker = host.picker.lock();
            picker.clone()
        });
        picker.map_or(std::ptr::null(), Arc::into_raw)
    })
}

/// `[any thread]`
/// Ends one use of a picker. Counts as `steer_picker_free` where callbacks are concerned. Does
/// nothing for NULL.
///
/// # Safety
/// `picker` is NULL or came from `steer_virtual_host_picker`, and was given back less often than it
/// came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_picker_free(picker: *const steer_picker) {
    if picker.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: `picker` came from `Arc::into_raw` and is given back once for each time (caller's
        // contract).
        drop(unsafe { Arc::from_raw(picker) });
    });
}

/// `[any thread]`
/// Drops the latest picker, as at the end of a channel. Calls continue, and others may still use
/// the picker. Does nothing for NULL.
///
/// # Safety
/// `host` is NULL or came from `steer_virtual_host_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_drop_picker(host: *mut steer_virtual_host) {
    guard((), || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        if let Some(host) = unsafe { steer_virtual_host::of(host) } {
            let picker = host.picker.lock().take();
            // Without the lock: its connections are given back.
            drop(picker);
        }
    });
}
