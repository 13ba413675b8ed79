//! What the fuzzer's host keeps besides its virtual host: what it checks, and what it drives.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

use steer::ffi::*;

use super::picker::HeldPicker;
use crate::bytes::take;
use crate::callbacks::Turn;

#[derive(Default)]
pub(super) struct Account {
    /// The numbers of all endpoints, dropped ones too.
    pub(super) numbers: Vec<u64>,
    /// The latest list: the number of each address.
    pub(super) list: Vec<u8>,
    pub(super) hash_key: Vec<u8>,
    pub(super) picker: Option<Arc<HeldPicker>>,
    /// Timers that have ended and were not run.
    pub(super) due: Vec<u64>,
    /// How often the engine asked to be run later.
    pub(super) later: usize,
    pub(super) now_ns: u64,
    pub(super) random: u64,
    pub(super) context_freed: bool,
    pub(super) policy_freed: bool,
}

/// The ctx of the callbacks.
#[repr(C)]
pub(super) struct Shared {
    /// First, because the virtual host's callbacks look for it here.
    pub(super) host: *mut steer_virtual_host,
    account: Mutex<Account>,
    pub(super) turn: Turn,
}

// SAFETY: the host may be used on any thread, and its functions say where calls must not overlap.
unsafe impl Send for Shared {}
// SAFETY: as for Send.
unsafe impl Sync for Shared {}

impl Shared {
    pub(super) fn new() -> Shared {
        let mut host = ptr::null_mut();
        // SAFETY: `host` lives during the call.
        assert_eq!(unsafe { steer_virtual_host_new(0, 0, &mut host) }, STEER_OK);
        Shared { host, account: Mutex::default(), turn: Turn::default() }
    }

    pub(super) fn with<R>(&self, body: impl FnOnce(&mut Account) -> R) -> R {
        body(&mut self.account.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// The first live endpoint whose number is above this one.
    fn after(&self, number: u64) -> Option<u64> {
        // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
        let mut endpoint: steer_virtual_endpoint = unsafe { std::mem::zeroed() };
        endpoint.struct_size = size_of::<steer_virtual_endpoint>();
        // SAFETY: `host` is not freed, and `endpoint` lives during the call.
        match unsafe { steer_virtual_host_endpoint(self.host, number, &mut endpoint) } {
            STEER_OK => Some(endpoint.number),
            status => {
                assert_eq!(status, STEER_UNKNOWN_ENDPOINT);
                None
            }
        }
    }

    /// The numbers of the live endpoints.
    pub(super) fn alive(&self) -> Vec<u64> {
        std::iter::successors(self.after(0), |last| self.after(*last)).collect()
    }

    /// Whether the engine has not dropped the endpoint with this number.
    pub(super) fn is_alive(&self, number: u64) -> bool {
        self.after(number - 1) == Some(number)
    }

    /// Panics unless the engine holds this connection. Any thread.
    pub(super) fn check_held(&self, connection: *const c_void) {
        // SAFETY: `host` is not freed, and any pointer may be asked for.
        let address = unsafe { steer_virtual_host_address(self.host, connection) };
        assert!(!address.is_null(), "the connection of a pick was freed");
        take(address);
    }

    /// The number of endpoints and connections that the engine has not given back.
    pub(super) fn held(&self) -> usize {
        // SAFETY: `host` is not freed.
        unsafe { steer_virtual_host_held(self.host) }
    }

    /// Notes what the engine has asked for.
    pub(super) fn take_requests(&self) {
        // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
        let mut request: steer_virtual_request = unsafe { std::mem::zeroed() };
        request.struct_size = size_of::<steer_virtual_request>();
        // SAFETY: `host` is not freed, and `request` lives during the call.
        while unsafe { steer_virtual_host_request(self.host, &mut request) } == 1 {
            self.with(|account| match request.kind {
                kind if kind == steer_virtual_request_kind::STEER_REQUEST_NEW as i32 => {
                    account.numbers.push(request.endpoint);
                }
                kind if kind == steer_virtual_request_kind::STEER_REQUEST_RUN_LATER as i32 => {
                    account.later += 1;
                }
                _ => {}
            });
        }
    }

    /// Takes the timers that have ended.
    pub(super) fn take_timers(&self) {
        let now_ns = self.with(|account| account.now_ns);
        // SAFETY: `host` is not freed.
        let next = || Some(unsafe { steer_virtual_host_timer(self.host, now_ns) });
        for timer in std::iter::from_fn(next).take_while(|timer| *timer != 0) {
            self.with(|account| account.due.push(timer));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: this owns the host, and no callback comes any more.
        assert_eq!(unsafe { steer_virtual_host_free(self.host) }, 0, "objects were not freed");
    }
}
