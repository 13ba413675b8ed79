//! The engine's functions. One table for the process; each library with pickers learns of it in its
//! entry, before any of its pickers is made.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use super::text;
use crate::abi::{
    steer_api, steer_backends, steer_channel, steer_choice, steer_faults, steer_json,
    steer_picker_type, steer_policy_type, steer_publication, steer_str,
};
use crate::{Code, Status};

static API: AtomicPtr<steer_api> = AtomicPtr::new(ptr::null_mut());

const ALL_THERE: &str = "the engine has all functions of its version";

/// Why the engine's table cannot be used.
pub(super) fn check(api: &steer_api) -> Result<(), String> {
    if api.struct_size < size_of::<steer_api>() {
        return Err(format!(
            "the engine's steer_api has {} bytes (ABI version {}), and this library needs {}",
            api.struct_size,
            api.abi_version,
            size_of::<steer_api>()
        ));
    }
    Ok(())
}

/// Takes the table. It is the same one each time.
pub(super) fn set(api: &'static steer_api) {
    // Release: pairs with `api`.
    API.store(ptr::from_ref(api).cast_mut(), Ordering::Release);
}

fn api() -> &'static steer_api {
    // Acquire: pairs with `set`.
    let api = API.load(Ordering::Acquire);
    // SAFETY: NULL, or what `set` was given.
    unsafe { api.as_ref() }.expect("nothing of a library runs before its entry")
}

/// # Safety
/// A table that keeps what `steer_picker_type` says.
pub(super) unsafe fn register_picker(kind: &steer_picker_type) -> Result<(), String> {
    let register = api().register_picker.expect(ALL_THERE);
    // SAFETY: the caller's promise.
    match unsafe { register(kind) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// # Safety
/// A table that keeps what `steer_policy_type` says.
pub(super) unsafe fn register_policy(kind: &steer_policy_type) -> Result<(), String> {
    let register = api().register_policy.expect(ALL_THERE);
    // SAFETY: the caller's promise.
    match unsafe { register(kind) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

fn last_error() -> String {
    let last_error = api().last_error.expect(ALL_THERE);
    // SAFETY: it may be called at any time.
    let error = unsafe { last_error() };
    // SAFETY: valid until the next function with a status; it is copied before.
    unsafe { text::lossy(error) }.into_owned()
}

#[cold]
pub(super) fn fail(status: &Status) -> steer_choice {
    let fail = api().fail.expect(ALL_THERE);
    // SAFETY: the text lives during the call.
    unsafe { fail(status.code as i32, text::borrow(status.message.as_bytes())) }
}

#[cold]
pub(super) fn drop_call(status: &Status) -> steer_choice {
    let drop = api().drop.expect(ALL_THERE);
    // SAFETY: the text lives during the call.
    unsafe { drop(status.code as i32, text::borrow(status.message.as_bytes())) }
}

pub(super) fn complete_tracked(backend: u64, state: *mut c_void) -> steer_choice {
    let complete = api().complete_tracked.expect(ALL_THERE);
    // SAFETY: the engine only hands `state` on.
    unsafe { complete(backend, state) }
}

#[cold]
pub(super) fn fault(message: &str) -> steer_choice {
    let fault = api().fault.expect(ALL_THERE);
    // SAFETY: the text lives during the call.
    unsafe { fault(text::borrow(message.as_bytes())) }
}

/// # Safety
/// `json` is NULL or what `config_new` was given, whose call is still under way in `'a`.
pub(super) unsafe fn json_text<'a>(json: *const steer_json) -> &'a [u8] {
    let json_text = api().json_text.expect(ALL_THERE);
    // SAFETY: the caller's promise.
    let json = unsafe { json_text(json) };
    // SAFETY: valid as long as `config_new` is under way.
    unsafe { text::bytes(json) }
}

/// # Safety
/// `faults` is what `config_new` was given, whose call is still under way.
pub(super) unsafe fn config_fault(faults: *mut steer_faults, field: &str, error: &str) {
    let config_fault = api().config_fault.expect(ALL_THERE);
    let (field, error) = (text::borrow(field.as_bytes()), text::borrow(error.as_bytes()));
    // SAFETY: the caller's promise; the texts live during the call.
    unsafe { config_fault(faults, field, error) }
}

/// # Safety
/// The list is alive.
pub(super) unsafe fn backends_hold(backends: NonNull<steer_backends>) {
    let hold = api().backends_hold.expect(ALL_THERE);
    // SAFETY: the caller's promise.
    unsafe { hold(backends.as_ptr()) }
}

/// # Safety
/// Gives up one `backends_hold`.
pub(super) unsafe fn backends_release(backends: NonNull<steer_backends>) {
    let release = api().backends_release.expect(ALL_THERE);
    // SAFETY: the caller's promise.
    unsafe { release(backends.as_ptr()) }
}

/// A channel that is alive: whoever has one makes sure of it.
#[derive(Clone, Copy)]
pub(super) struct ChannelRef(NonNull<steer_channel>);

// SAFETY: channels are shared; what may only be done within serialised hooks takes a helper, which
// does not leave them.
unsafe impl Send for ChannelRef {}
// SAFETY: as for Send.
unsafe impl Sync for ChannelRef {}

impl ChannelRef {
    /// # Safety
    /// The channel is alive as long as this is used.
    pub(super) unsafe fn new(channel: NonNull<steer_channel>) -> ChannelRef {
        ChannelRef(channel)
    }

    fn raw(self) -> *const steer_channel {
        self.0.as_ptr()
    }

    pub(super) fn hold(self) {
        let hold = api().channel_hold.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { hold(self.raw()) }
    }

    /// # Safety
    /// Gives up one `hold`.
    pub(super) unsafe fn release(self) {
        let release = api().channel_release.expect(ALL_THERE);
        // SAFETY: the caller's promise.
        unsafe { release(self.raw()) }
    }

    pub(super) fn log(self, severity: i32, message: &str) {
        let log = api().log.expect(ALL_THERE);
        // SAFETY: it is alive, and the text lives during the call.
        unsafe { log(self.raw(), severity, text::borrow(message.as_bytes())) }
    }

    pub(super) fn now(self) -> u64 {
        let now = api().now.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { now(self.raw()) }
    }

    pub(super) fn random(self) -> u64 {
        let random = api().random.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { random(self.raw()) }
    }

    /// # Safety
    /// Within a serialised hook.
    pub(super) unsafe fn timer_start(self, after_ns: u64) -> u64 {
        let start = api().timer_start.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { start(self.raw(), after_ns) }
    }

    /// # Safety
    /// Within a serialised hook.
    pub(super) unsafe fn timer_cancel(self, timer: u64) {
        let cancel = api().timer_cancel.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { cancel(self.raw(), timer) }
    }

    /// # Safety
    /// Within a serialised hook.
    pub(super) unsafe fn rebuild(self) {
        let rebuild = api().rebuild.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { rebuild(self.raw()) }
    }

    /// # Safety
    /// Within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_new(self, index: usize) -> u64 {
        let new = api().endpoint_new.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { new(self.raw(), index) }
    }

    /// # Safety
    /// Within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_matches(self, endpoint: u64, index: usize) -> bool {
        let matches = api().endpoint_matches.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { matches(self.raw(), endpoint, index) != 0 }
    }

    /// # Safety
    /// Within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_connect(self, endpoint: u64) {
        let connect = api().endpoint_connect.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { connect(self.raw(), endpoint) }
    }

    /// # Safety
    /// Within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_reset_backoff(self, endpoint: u64) {
        let reset_backoff = api().endpoint_reset_backoff.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { reset_backoff(self.raw(), endpoint) }
    }

    /// # Safety
    /// Within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_free(self, endpoint: u64) {
        let free = api().endpoint_free.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { free(self.raw(), endpoint) }
    }

    /// # Safety
    /// Within a serialised hook of a policy; `publication.picker` is one of its table's, and the
    /// engine's from now on.
    pub(super) unsafe fn publish(self, publication: &steer_publication) -> Result<(), String> {
        let publish = api().publish.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        match unsafe { publish(self.raw(), publication) } {
            0 => Ok(()),
            _ => Err(last_error()),
        }
    }

    /// # Safety
    /// Within a serialised hook of a policy.
    pub(super) unsafe fn request_reresolution(self) {
        let request = api().request_reresolution.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's promise.
        unsafe { request(self.raw()) }
    }
}

/// A status as it crosses: its number, and its text as long as it lives.
pub(super) fn status_parts(status: &Status) -> (i32, steer_str) {
    (status.code as i32, text::borrow(status.message.as_bytes()))
}

/// A status as it comes.
///
/// # Safety
/// `message` is valid during the call.
pub(super) unsafe fn status(code: i32, message: steer_str) -> Status {
    // SAFETY: the caller's promise.
    let message = unsafe { text::lossy(message) };
    Status::new(Code::from_number(code), message)
}
