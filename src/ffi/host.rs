//! `steer_host`: the callbacks that the engine makes to the host of a policy.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;
use std::time::Duration;

use super::picker::steer_picker;
use super::steer_status;
use super::steer_status::*;
use super::text::steer_str;
use super::versioned::Versioned;
use crate::endpoints::{
    Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, Releases, Words,
};
use crate::policy::{GuardedPicker, Host, TimerId};
use crate::stats::EndpointLease;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Clock, Handle};
use crate::{Severity, Status};

/// The host's callbacks for one policy. The engine copies the table.
///
/// Callbacks must not throw and must not longjmp. Callbacks with the tag `[serialised]` come only
/// within calls of the engine's functions for this policy, which the host serialises, and never
/// after `steer_policy_free`. They may call the engine for the same policy. Such calls take effect
/// when the current one ends. Callbacks with the tag `[any thread]` come from any thread, also
/// concurrently, as long as anything of the policy exists.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_host {
    /// `sizeof(steer_host)`.
    pub struct_size: usize,
    /// Passed to every callback.
    pub ctx: *mut c_void,
    /// `[any thread]`
    /// Frees `ctx`. The last callback: comes when the policy, its pickers and its connections are
    /// gone. May be NULL.
    pub ctx_free: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// `[serialised]`
    /// Makes an endpoint for the `index`th endpoint of the latest update, and stores the host's
    /// handle for it in `*handle`. The host reports its states with the number `endpoint`. The
    /// endpoint must not connect before `endpoint_connect`. Returns STEER_OK, or another status
    /// when the endpoint cannot be made. The engine then leaves it out. Required.
    pub endpoint_new: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            endpoint: u64,
            index: u32,
            handle: *mut *mut c_void,
        ) -> i32,
    >,
    /// `[serialised]`
    /// Returns whether `endpoint_new` would make the same endpoint for the `index`th endpoint of
    /// the latest update: the same addresses, attributes and channel args. 0: no. NULL: the engine
    /// compares the descriptions of the updates.
    pub endpoint_matches:
        Option<unsafe extern "C" fn(ctx: *mut c_void, handle: *mut c_void, index: u32) -> i32>,
    /// `[serialised]`
    /// Asks for a connection, unless there is one or one is being made. Required.
    pub endpoint_connect: Option<unsafe extern "C" fn(ctx: *mut c_void, handle: *mut c_void)>,
    /// `[serialised]`
    /// Ends the endpoint's backoff. May be NULL.
    pub endpoint_reset_backoff: Option<unsafe extern "C" fn(ctx: *mut c_void, handle: *mut c_void)>,
    /// `[serialised]`
    /// Drops the endpoint. Pickers may still hold its connection. Required.
    pub endpoint_free: Option<unsafe extern "C" fn(ctx: *mut c_void, handle: *mut c_void)>,
    /// `[any thread]`
    /// Gives back a reference that came with a report of STEER_READY. Comes within the function
    /// that drops the last reference: `steer_picker_free`, `steer_call_tracker_free`, serialised
    /// calls for the policy, or `steer_stats_…`. Also comes after `steer_policy_free`. If the host
    /// may release connections only where it serialises its calls, it takes the connection there
    /// itself. Required.
    pub connection_free: Option<unsafe extern "C" fn(ctx: *mut c_void, connection: *mut c_void)>,
    /// `[serialised]`
    /// Publishes the policy's state, a `steer_state`, and the picker for calls from now on. The
    /// host frees the picker. `code` and `message` are OK and empty, except in
    /// STEER_TRANSIENT_FAILURE. The message is valid during the call. Required.
    pub update_state: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            state: i32,
            code: i32,
            message: steer_str,
            picker: *mut steer_picker,
        ),
    >,
    /// `[serialised]`
    /// Asks the resolver to resolve again. The resolver decides when. Required.
    pub request_reresolution: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// `[any thread]`
    /// Asks for a serialised call of `steer_policy_run` soon, and not within this callback. May
    /// come within a pick. May come after `steer_policy_free`, and the host then ignores it. NULL:
    /// a picker that panicked is not replaced before the next update.
    pub run_later: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// `[serialised]`
    /// Asks for a serialised call of `steer_policy_timer` with this number after `after_ns`
    /// nanoseconds, and not within this callback. NULL: timers never expire.
    pub timer_start: Option<unsafe extern "C" fn(ctx: *mut c_void, timer: u64, after_ns: u64)>,
    /// `[serialised]`
    /// Cancels a timer. If it expires anyway, nothing happens. May be NULL.
    pub timer_cancel: Option<unsafe extern "C" fn(ctx: *mut c_void, timer: u64)>,
    /// `[any thread]`
    /// Returns the nanoseconds since an arbitrary moment. Never goes back. NULL: the engine uses
    /// the system's monotonic clock.
    pub now: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u64>,
    /// `[any thread]`
    /// Returns 64 random bits. NULL: the engine uses its own generator.
    pub random: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u64>,
    /// `[any thread]`
    /// Writes a line to the log. `severity` is a `steer_severity`. The message is valid during the
    /// call. NULL: the engine logs nothing.
    pub log: Option<unsafe extern "C" fn(ctx: *mut c_void, severity: i32, message: steer_str)>,
    /// `[serialised]`
    /// From now on endpoints report their backends' load out of band (ORCA) about every `period_ns`
    /// nanoseconds, by `steer_policy_endpoint_load`. 0: they do not. `endpoint_matches` returns 0
    /// for an endpoint that exists and whose reports the host cannot change. The engine calls it
    /// then, whatever `steer_update.made_with` says. Comes before an update's endpoints are made.
    /// NULL: there are no such reports.
    pub load_reports: Option<unsafe extern "C" fn(ctx: *mut c_void, period_ns: u64)>,
    /// What this host cannot do: the sum of STEER_HOST_… bits.
    pub lacks: u64,
    /// `[serialised]`
    /// As `endpoint_new`, for another connection to the same backend. `connection` numbers these
    /// from 1 on; `endpoint_new` makes the first. Endpoints of different numbers share no
    /// connection. NULL: `connectionsPerBackend` in a config has no effect.
    pub endpoint_new_connection: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            endpoint: u64,
            index: u32,
            connection: u32,
            handle: *mut *mut c_void,
        ) -> i32,
    >,
    /// How the host's own policies word failures, so that the engine's say the same: the sum of
    /// STEER_HOST_WORDS_… bits. 0: as gRPC 1.51.
    pub words: u64,
    /// A number for the policy's channel, for the statistics: all policies of one channel have the
    /// same one. Another channel may have it when the engine has no policy with it any more. 0: the
    /// policy is its channel's only one.
    pub channel: u64,
}

/// A bit of `steer_host.lacks`: the reports of `load_reports` are without calls per second. gRPC
/// before 1.53 does not read those. Policies that need them use the reports that come with calls.
pub const STEER_HOST_LACKS_LOAD_QPS: u64 = 1;

/// A bit of `steer_host.words`: the resolution note stands in brackets behind the text of each
/// failure, as in gRPC 1.70 and later. Otherwise only the text about an empty list has it.
pub const STEER_HOST_WORDS_NOTE_IN_BRACKETS: u64 = 1;

/// A bit of `steer_host.words`: texts say "endpoint", not "subchannel", and endpoints report a
/// failure without the name of its code. gRPC does so from 1.60 on, where an endpoint is a
/// pick_first child.
pub const STEER_HOST_WORDS_ENDPOINTS: u64 = 2;

// SAFETY: repr(C), begins with its size, and zeros are NULLs.
unsafe impl Versioned for steer_host {
    const FIRST_SIZE: usize = offset_of!(steer_host, log) + size_of::<usize>();
}

/// A checked table. Dropped when nothing of the policy exists any more.
struct Table {
    host: steer_host,
    required: Required,
    /// The latest `steer_update.made_with`. 0: none.
    made_with: AtomicU64,
    /// Counts the changes of `made_with` and of the period of load reports.
    changes: AtomicU64,
    /// The host is in `endpoint_new` or `endpoint_matches`. The engine is then within an update.
    in_list: AtomicBool,
    /// `steer_policy_free` was called. Endpoints are then only dropped. When it was called within a
    /// callback, the rest of the policy's call still follows.
    closed: AtomicBool,
}

/// The required callbacks, so that no call of them checks for NULL again.
struct Required {
    endpoint_new: unsafe extern "C" fn(*mut c_void, u64, u32, *mut *mut c_void) -> i32,
    endpoint_connect: unsafe extern "C" fn(*mut c_void, *mut c_void),
    endpoint_free: unsafe extern "C" fn(*mut c_void, *mut c_void),
    connection_free: unsafe extern "C" fn(*mut c_void, *mut c_void),
    update_state: unsafe extern "C" fn(*mut c_void, i32, i32, steer_str, *mut steer_picker),
    request_reresolution: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: the engine only passes `ctx` to the callbacks, and `steer_host` says on which threads
// each callback comes.
unsafe impl Send for Table {}
// SAFETY: as for Send.
unsafe impl Sync for Table {}

impl Table {
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if let Some(ctx_free) = self.host.ctx_free {
            // SAFETY: called once and last, with the `ctx` of the table, as `steer_host` documents.
            unsafe { ctx_free(self.host.ctx) };
        }
    }
}

impl Releases for Table {
    fn release(&self, handle: Handle) {
        // SAFETY: the reference came from the host with a report, and is given back once, as
        // `steer_host` documents.
        unsafe { (self.required.connection_free)(self.host.ctx, handle.pointer()) };
    }
}

/// A runner's host that consists of C callbacks.
pub(super) struct CHost(Arc<Table>);

impl CHost {
    /// Checks a host's table. On failure, calls nothing of the host and keeps nothing of it.
    pub(super) fn new(host: steer_host) -> Result<CHost, steer_status> {
        let required = (|| {
            Some(Required {
                endpoint_new: host.endpoint_new?,
                endpoint_connect: host.endpoint_connect?,
                endpoint_free: host.endpoint_free?,
                connection_free: host.connection_free?,
                update_state: host.update_state?,
                request_reresolution: host.request_reresolution?,
            })
        })();
        let required = required.ok_or(STEER_MISSING_CALLBACK)?;
        let (made_with, changes) = (AtomicU64::new(0), AtomicU64::new(0));
        let in_list = AtomicBool::new(false);
        let closed = AtomicBool::new(false);
        Ok(CHost(Arc::new(Table { host, required, made_with, changes, in_list, closed })))
    }

    /// Notes that `steer_policy_free` was called.
    pub(super) fn close(&self) {
        // Relaxed, here and in `is_closed`: accessed in serialised calls only.
        self.0.closed.store(true, Ordering::Relaxed);
    }

    /// Whether the host is in `endpoint_new` or `endpoint_matches` now.
    pub(super) fn is_in_list(&self) -> bool {
        self.0.in_list.load(Ordering::Relaxed)
    }

    /// Notes the `steer_update.made_with` of an update.
    pub(super) fn makes_with(&self, number: u64) {
        // Relaxed, here and below: accessed in serialised calls only.
        if self.0.made_with.swap(number, Ordering::Relaxed) != number {
            self.0.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a reference to a connection from the host.
    pub(super) fn connection(&self, pointer: *mut c_void) -> Connection {
        Connection::new(Handle::new(pointer), Arc::clone(&self.0) as Arc<dyn Releases>)
    }

    /// Returns another owner of the same table.
    pub(super) fn share(&self) -> CHost {
        CHost(Arc::clone(&self.0))
    }
}

impl Host for CHost {
    fn channel(&self) -> Option<u64> {
        Some(self.0.host.channel).filter(|channel| *channel != 0)
    }

    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        let Some(index) = descriptor.index.get() else {
            return Err(Status::internal("it is not in the resolver's latest list"));
        };
        let (mut handle, id) = (std::ptr::null_mut(), lease.id().0);
        let table = &self.0;
        table.in_list.store(true, Ordering::Relaxed);
        let status = match (descriptor.connection, table.host.endpoint_new_connection) {
            // SAFETY: `Host` is called in serialised calls only, and the arguments are as
            // `steer_host` documents.
            (0, _) => unsafe {
                (table.required.endpoint_new)(table.host.ctx, id, index, &mut handle)
            },
            // SAFETY: as above.
            (connection, Some(endpoint_new_connection)) => unsafe {
                endpoint_new_connection(table.host.ctx, id, index, connection, &mut handle)
            },
            (_, None) => STEER_MISSING_CALLBACK as i32,
        };
        table.in_list.store(false, Ordering::Relaxed);
        if status != STEER_OK as i32 {
            return Err(Status::unavailable(format!("the host refused it with status {status}")));
        }
        let endpoint = CEndpoint {
            table: Arc::clone(table),
            lease,
            handle: Handle::new(handle),
            descriptor: Arc::clone(descriptor),
        };
        Ok(Box::new(endpoint))
    }

    fn makes_several_connections(&self) -> bool {
        self.0.host.endpoint_new_connection.is_some()
    }

    fn update_state(&self, state: Connectivity, status: &Status, picker: GuardedPicker) {
        let picker = steer_picker::into_raw(picker);
        let message = steer_str::borrow(&status.message);
        let code = status.code as i32;
        // SAFETY: `Host` is called in serialised calls only, and the arguments are as `steer_host`
        // documents.
        unsafe {
            (self.0.required.update_state)(self.0.host.ctx, state as i32, code, message, picker)
        };
    }

    fn request_reresolution(&self) {
        // SAFETY: `Host` is called in serialised calls only, and the arguments are as `steer_host`
        // documents.
        unsafe { (self.0.required.request_reresolution)(self.0.host.ctx) };
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        let Some(load_reports) = self.0.host.load_reports else {
            return;
        };
        self.0.changes.fetch_add(1, Ordering::Relaxed);
        let period =
            period.map_or(0, |period| u64::try_from(period.as_nanos()).unwrap_or(u64::MAX));
        // SAFETY: `Host` is called in serialised calls only, and the arguments are as `steer_host`
        // documents.
        unsafe { load_reports(self.0.host.ctx, period) };
    }

    fn load_reports_have_qps(&self) -> bool {
        let host = &self.0.host;
        host.load_reports.is_some() && host.lacks & STEER_HOST_LACKS_LOAD_QPS == 0
    }

    fn words(&self) -> Words {
        let has = |bit| self.0.host.words & bit != 0;
        Words {
            note_in_brackets: has(STEER_HOST_WORDS_NOTE_IN_BRACKETS),
            endpoints: has(STEER_HOST_WORDS_ENDPOINTS),
        }
    }

    fn made_with(&self) -> Option<u64> {
        let known = self.0.made_with.load(Ordering::Relaxed) != 0;
        known.then(|| self.0.changes.load(Ordering::Relaxed))
    }

    fn run_later(&self) -> bool {
        let Some(run_later) = self.0.host.run_later else {
            return false;
        };
        // SAFETY: `steer_host` allows this callback on any thread.
        unsafe { run_later(self.0.host.ctx) };
        true
    }

    fn start_timer(&self, timer: TimerId, after: Duration) {
        let Some(timer_start) = self.0.host.timer_start else {
            return;
        };
        let after = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: `Host` is called in serialised calls only, and the arguments are as `steer_host`
        // documents.
        unsafe { timer_start(self.0.host.ctx, timer.0, after) };
    }

    fn cancel_timer(&self, timer: TimerId) {
        let Some(timer_cancel) = self.0.host.timer_cancel else {
            return;
        };
        // SAFETY: `Host` is called in serialised calls only, and the arguments are as `steer_host`
        // documents.
        unsafe { timer_cancel(self.0.host.ctx, timer.0) };
    }

    fn now(&self) -> Duration {
        let Some(now) = self.0.host.now else {
            return Clock::global().now();
        };
        // SAFETY: `steer_host` allows this callback on any thread.
        Duration::from_nanos(unsafe { now(self.0.host.ctx) })
    }

    fn random(&self) -> u64 {
        let Some(random) = self.0.host.random else {
            return crate::sync::random();
        };
        // SAFETY: `steer_host` allows this callback on any thread.
        unsafe { random(self.0.host.ctx) }
    }

    fn has_engine_sources(&self) -> bool {
        self.0.host.now.is_none() && self.0.host.random.is_none()
    }

    fn log(&self, severity: Severity, message: &str) {
        let Some(log) = self.0.host.log else { return };
        // SAFETY: `steer_host` allows this callback on any thread.
        unsafe { log(self.0.host.ctx, severity as i32, steer_str::borrow(message)) };
    }
}

/// One endpoint of the host.
struct CEndpoint {
    table: Arc<Table>,
    lease: EndpointLease,
    handle: Handle,
    descriptor: Arc<EndpointDescriptor>,
}

impl Endpoint for CEndpoint {
    fn id(&self) -> EndpointId {
        self.lease.id()
    }

    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        if self.descriptor.connection != descriptor.connection {
            return false;
        }
        let Some(endpoint_matches) = self.table.host.endpoint_matches else {
            return *self.descriptor.resolved() == *descriptor.resolved();
        };
        let Some(index) = descriptor.index.get() else { return false };
        if self.table.is_closed() {
            return false;
        }
        let (table, handle) = (&self.table, self.handle.pointer());
        table.in_list.store(true, Ordering::Relaxed);
        // SAFETY: `Endpoint` is called in serialised calls only, and the handle is valid until
        // `drop` gives it to `endpoint_free`.
        let matches = unsafe { endpoint_matches(table.host.ctx, handle, index) != 0 };
        table.in_list.store(false, Ordering::Relaxed);
        matches
    }

    fn connect(&self) {
        if self.table.is_closed() {
            return;
        }
        // SAFETY: `Endpoint` is called in serialised calls only, and the handle is valid until
        // `drop` gives it to `endpoint_free`.
        unsafe {
            (self.table.required.endpoint_connect)(self.table.host.ctx, self.handle.pointer())
        };
    }

    fn reset_backoff(&self) {
        let Some(reset_backoff) = self.table.host.endpoint_reset_backoff else {
            return;
        };
        if self.table.is_closed() {
            return;
        }
        // SAFETY: `Endpoint` is called in serialised calls only, and the handle is valid until
        // `drop` gives it to `endpoint_free`.
        unsafe { reset_backoff(self.table.host.ctx, self.handle.pointer()) };
    }
}

impl Drop for CEndpoint {
    fn drop(&mut self) {
        // SAFETY: policies drop each endpoint once, and in serialised calls only. The handle came
        // from `endpoint_new`.
        unsafe { (self.table.required.endpoint_free)(self.table.host.ctx, self.handle.pointer()) };
    }
}
