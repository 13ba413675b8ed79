//! `steer_virtual_endpoint`: an endpoint that the engine has made and not dropped.

use std::ffi::c_void;
use std::mem::offset_of;

use super::host::steer_virtual_host;
use crate::endpoints::EndpointId;
use crate::ffi::last_error::status_guard;
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::steer_str;
use crate::ffi::versioned::{Versioned, write};

/// An endpoint that the engine has made and not dropped.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_virtual_endpoint {
    /// `sizeof(steer_virtual_endpoint)`.
    pub struct_size: usize,
    /// The engine's number for it.
    pub number: u64,
    /// Its first address. Valid until the engine drops the endpoint.
    pub address: steer_str,
    /// The connection of its latest report of STEER_READY, while it has that state. Otherwise NULL.
    pub connection: *mut c_void,
    /// The `steer_state` that was reported last. -1: none yet.
    pub state: i32,
    /// Not 0: the engine has asked for a connection since the latest report of STEER_READY or
    /// STEER_TRANSIENT_FAILURE.
    pub asked: i32,
    /// Not 0: another endpoint was connected to the same address when this one was made. gRPC then
    /// shares that connection.
    pub connected: i32,
    /// Not used.
    pub reserved: i32,
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_virtual_endpoint {
    const FIRST_SIZE: usize = offset_of!(steer_virtual_endpoint, reserved) + size_of::<i32>();
}

/// `[serialised]`
/// Writes the first of the endpoints whose number is above `after`. Later endpoints have greater
/// numbers, and all are above 0. STEER_UNKNOWN_ENDPOINT: there is none.
///
/// # Safety
/// `host` is NULL (STEER_NULL_ARGUMENT) or came from `steer_virtual_host_new` and is not freed;
/// `endpoint` is NULL (STEER_NULL_ARGUMENT) or can be written to, and its `struct_size` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_virtual_host_endpoint(
    host: *const steer_virtual_host,
    after: u64,
    endpoint: *mut steer_virtual_endpoint,
) -> steer_status {
    status_guard("steer_virtual_host_endpoint", || {
        // SAFETY: `host` is NULL or not freed (caller's contract).
        let Some(host) = (unsafe { steer_virtual_host::of(host) }) else {
            return Err(STEER_NULL_ARGUMENT);
        };
        let Some(live) = host.core.endpoint_after(EndpointId(after)) else {
            return Err(STEER_UNKNOWN_ENDPOINT);
        };
        let found = steer_virtual_endpoint {
            struct_size: size_of::<steer_virtual_endpoint>(),
            number: live.id.0,
            address: steer_str::borrow(live.address()),
            connection: std::ptr::without_provenance_mut(live.connection.unwrap_or(0)),
            state: live.state.map_or(-1, |state| state as i32),
            asked: live.asked.into(),
            connected: host.handles.lock().connected.contains(&live.id).into(),
            reserved: 0,
        };
        // SAFETY: `endpoint` is NULL or can be written to (caller's contract).
        unsafe { write(endpoint, &found) }
    })
}
