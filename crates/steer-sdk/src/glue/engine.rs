//! Calls the engine's functions. The process has one table of them. Each library with pickers gets
//! it in its entry, before any of its pickers is made.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use super::text;
use crate::abi::{
    steer_api, steer_backends, steer_channel, steer_child_config, steer_child_update, steer_choice,
    steer_custom_metric, steer_faults, steer_json, steer_picker_type, steer_policy_type,
    steer_publication, steer_str,
};
use crate::{Code, Status};

static API: AtomicPtr<steer_api> = AtomicPtr::new(ptr::null_mut());

pub(super) const ALL_THERE: &str = "the engine has all functions of its version";

/// `STEER_TOO_MANY`.
pub(super) const TOO_MANY: i32 = 17;

/// A function of the engine that makes a series of a custom metric.
pub(super) type NewSeries<C> = unsafe extern "C" fn(
    *const steer_channel,
    *const steer_custom_metric,
    *const steer_str,
    *mut *mut C,
) -> i32;

/// Checks that the engine's table has all functions that this crate calls.
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

/// Stores the table. Every call passes the same one.
pub(super) fn set(api: &'static steer_api) {
    // Release: pairs with `api`.
    API.store(ptr::from_ref(api).cast_mut(), Ordering::Release);
}

pub(super) fn api() -> &'static steer_api {
    // Acquire: pairs with `set`.
    let api = API.load(Ordering::Acquire);
    // SAFETY: NULL, or the `'static` table that `set` stored.
    unsafe { api.as_ref() }.expect("no code of a library runs before its entry")
}

/// # Safety
/// The table follows the contract of `steer_picker_type`.
pub(super) unsafe fn register_picker(kind: &steer_picker_type) -> Result<(), String> {
    let register = api().register_picker.expect(ALL_THERE);
    // SAFETY: the caller's contract.
    match unsafe { register(kind) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// # Safety
/// The table follows the contract of `steer_policy_type`.
pub(super) unsafe fn register_policy(kind: &steer_policy_type) -> Result<(), String> {
    let register = api().register_policy.expect(ALL_THERE);
    // SAFETY: the caller's contract.
    match unsafe { register(kind) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

pub(super) fn last_error() -> String {
    let last_error = api().last_error.expect(ALL_THERE);
    // SAFETY: `last_error` may be called at any time.
    let error = unsafe { last_error() };
    // SAFETY: the text is valid until the next call that returns a status, and is copied before.
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
    // SAFETY: the engine only passes `state` back.
    unsafe { complete(backend, state) }
}

#[cold]
pub(super) fn fault(message: &str) -> steer_choice {
    let fault = api().fault.expect(ALL_THERE);
    // SAFETY: the text lives during the call.
    unsafe { fault(text::borrow(message.as_bytes())) }
}

/// # Safety
/// `json` is NULL or the argument of a `config_new` that is running for `'a`.
pub(super) unsafe fn json_text<'a>(json: *const steer_json) -> &'a [u8] {
    let json_text = api().json_text.expect(ALL_THERE);
    // SAFETY: the caller's contract.
    let json = unsafe { json_text(json) };
    // SAFETY: the text is valid as long as `config_new` is running.
    unsafe { text::bytes(json) }
}

/// # Safety
/// `faults` is the argument of a `config_new` that is running.
pub(super) unsafe fn config_fault(faults: *mut steer_faults, field: &str, error: &str) {
    let config_fault = api().config_fault.expect(ALL_THERE);
    let (field, error) = (text::borrow(field.as_bytes()), text::borrow(error.as_bytes()));
    // SAFETY: the caller's contract; the texts live during the call.
    unsafe { config_fault(faults, field, error) }
}

/// # Safety
/// `faults` is the argument of a `config_new` that is running.
pub(super) unsafe fn config_child(
    faults: *mut steer_faults,
    field: &str,
    json: &str,
) -> *const steer_child_config {
    let config_child = api().config_child.expect(ALL_THERE);
    let (field, json) = (text::borrow(field.as_bytes()), text::borrow(json.as_bytes()));
    // SAFETY: the caller's contract; the texts live during the call.
    unsafe { config_child(faults, field, json) }
}

pub(super) fn child_tracked(child: u64, state: *mut c_void) -> steer_choice {
    let tracked = api().child_tracked.expect(ALL_THERE);
    // SAFETY: the engine only passes `state` back.
    unsafe { tracked(child, state) }
}

/// # Safety
/// The list is alive.
pub(super) unsafe fn backends_hold(backends: NonNull<steer_backends>) {
    let hold = api().backends_hold.expect(ALL_THERE);
    // SAFETY: the caller's contract.
    unsafe { hold(backends.as_ptr()) }
}

/// # Safety
/// Releases one reference of `backends_hold`.
pub(super) unsafe fn backends_release(backends: NonNull<steer_backends>) {
    let release = api().backends_release.expect(ALL_THERE);
    // SAFETY: the caller's contract.
    unsafe { release(backends.as_ptr()) }
}

/// A channel. Its owner keeps the channel alive as long as it uses this.
#[derive(Clone, Copy)]
pub(super) struct ChannelRef(NonNull<steer_channel>);

// SAFETY: any thread may use a channel, except for the functions that are marked *Serialised*.
// Those need a helper, which cannot leave a serialised hook.
unsafe impl Send for ChannelRef {}
// SAFETY: as for Send.
unsafe impl Sync for ChannelRef {}

impl ChannelRef {
    /// # Safety
    /// The channel is alive as long as this is used.
    pub(super) unsafe fn new(channel: NonNull<steer_channel>) -> ChannelRef {
        ChannelRef(channel)
    }

    pub(super) fn raw(self) -> *const steer_channel {
        self.0.as_ptr()
    }

    pub(super) fn hold(self) {
        let hold = api().channel_hold.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { hold(self.raw()) }
    }

    /// # Safety
    /// Releases one reference of `hold`.
    pub(super) unsafe fn release(self) {
        let release = api().channel_release.expect(ALL_THERE);
        // SAFETY: the caller's contract.
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

    pub(super) fn timer_start(self, after_ns: u64) -> u64 {
        let start = api().timer_start.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { start(self.raw(), after_ns) }
    }

    pub(super) fn timer_cancel(self, timer: u64) {
        let cancel = api().timer_cancel.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { cancel(self.raw(), timer) }
    }

    /// # Safety
    /// Called within a serialised hook.
    pub(super) unsafe fn load_reports(self, period_ns: u64) {
        let load_reports = api().load_reports.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { load_reports(self.raw(), period_ns) }
    }

    pub(super) fn rebuild(self) {
        let rebuild = api().rebuild.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { rebuild(self.raw()) }
    }

    pub(super) fn wake(self) -> bool {
        let wake = api().wake.expect(ALL_THERE);
        // SAFETY: it is alive.
        unsafe { wake(self.raw()) != 0 }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_new(self, index: usize) -> u64 {
        let new = api().endpoint_new.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { new(self.raw(), index) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_matches(self, endpoint: u64, index: usize) -> bool {
        let matches = api().endpoint_matches.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { matches(self.raw(), endpoint, index) != 0 }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_connect(self, endpoint: u64) {
        let connect = api().endpoint_connect.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { connect(self.raw(), endpoint) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_reset_backoff(self, endpoint: u64) {
        let reset_backoff = api().endpoint_reset_backoff.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { reset_backoff(self.raw(), endpoint) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn endpoint_free(self, endpoint: u64) {
        let free = api().endpoint_free.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { free(self.raw(), endpoint) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy. `publication.picker` has the type that the
    /// policy's table takes, and the engine owns it from now on.
    pub(super) unsafe fn publish(self, publication: &steer_publication) -> Result<(), String> {
        let publish = api().publish.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        match unsafe { publish(self.raw(), publication) } {
            0 => Ok(()),
            _ => Err(last_error()),
        }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn child_new(self, name: &str) -> u64 {
        let new = api().child_new.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract; the text lives during the call.
        unsafe { new(self.raw(), text::borrow(name.as_bytes())) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy. The update's pointers are valid.
    pub(super) unsafe fn child_update(
        self,
        child: u64,
        update: &steer_child_update,
    ) -> Result<(), Status> {
        let child_update = api().child_update.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        match unsafe { child_update(self.raw(), child, update) } {
            0 => Ok(()),
            code => Err(Status::new(Code::from_number(code), last_error())),
        }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn child_state(self, child: u64) -> i32 {
        let state = api().child_state.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { state(self.raw(), child) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn child_publish(self, child: u64) -> Result<(), String> {
        let publish = api().child_publish.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        match unsafe { publish(self.raw(), child) } {
            0 => Ok(()),
            _ => Err(last_error()),
        }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn child_free(self, child: u64) {
        let free = api().child_free.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { free(self.raw(), child) }
    }

    /// # Safety
    /// Called within a serialised hook of a policy.
    pub(super) unsafe fn request_reresolution(self) {
        let request = api().request_reresolution.expect(ALL_THERE);
        // SAFETY: it is alive; the caller's contract.
        unsafe { request(self.raw()) }
    }
}

/// Returns a status as the ABI passes it: its number, and its message, valid as long as `status`.
pub(super) fn status_parts(status: &Status) -> (i32, steer_str) {
    (status.code as i32, text::borrow(status.message.as_bytes()))
}

/// Makes a status from the two values that the ABI passes.
///
/// # Safety
/// `message` is valid during the call.
pub(super) unsafe fn status(code: i32, message: steer_str) -> Status {
    // SAFETY: the caller's contract.
    let message = unsafe { text::lossy(message) };
    Status::new(Code::from_number(code), message)
}
