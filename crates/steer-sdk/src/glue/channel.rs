//! `steer_channel`: what may be asked of a channel, and when.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::time::Duration;

use super::engine::ChannelRef;
use crate::abi::{steer_channel, steer_severity};

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For those who follow what happens.
    Debug,
    /// What an operator may want to see.
    Info,
    /// Something is broken.
    Error,
}

/// A timer of [`Helper::start_timer`] or [`PolicyHelper::start_timer`](crate::PolicyHelper::start_timer).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub(super) u64);

/// A channel: clock, chance and log, for any thread, also within picks. Cheap to clone. Production
/// has the real ones; tests have their own, so that a test can be repeated.
pub struct Channel(ChannelRef);

impl Channel {
    /// # Safety
    /// The channel is alive during the call.
    pub(super) unsafe fn hold(channel: NonNull<steer_channel>) -> Channel {
        // SAFETY: the caller's promise, and from here on it is held.
        let channel = unsafe { ChannelRef::new(channel) };
        channel.hold();
        Channel(channel)
    }

    pub(super) fn engine(&self) -> ChannelRef {
        self.0
    }

    /// Nanoseconds and more since an arbitrary moment; never goes back.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.0.now())
    }

    /// 64 random bits.
    pub fn random(&self) -> u64 {
        self.0.random()
    }

    /// Writes a line to gRPC's log.
    pub fn log(&self, severity: Severity, message: &str) {
        let severity = match severity {
            Severity::Debug => steer_severity::STEER_LOG_DEBUG,
            Severity::Info => steer_severity::STEER_LOG_INFO,
            Severity::Error => steer_severity::STEER_LOG_ERROR,
        };
        self.0.log(severity as i32, message);
    }
}

impl Clone for Channel {
    fn clone(&self) -> Channel {
        self.0.hold();
        Channel(self.0)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: held by whoever made this.
        unsafe { self.0.release() };
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

/// A [`Channel`] while it calls one of the factory's methods that never overlap: only there may it be
/// asked for timers and new pickers. So it cannot be kept, or sent to another thread:
///
/// ```compile_fail
/// fn later(helper: &steer_sdk::Helper<'_>) {
///     std::thread::scope(|scope| _ = scope.spawn(|| helper.request_rebuild()));
/// }
/// ```
pub struct Helper<'a> {
    channel: &'a Channel,
    not_send: PhantomData<*const ()>,
}

impl<'a> Helper<'a> {
    /// # Safety
    /// Within a serialised hook of this channel, for as long as this is used.
    pub(super) unsafe fn new(channel: &'a Channel) -> Helper<'a> {
        Helper { channel, not_send: PhantomData }
    }

    /// Starts a timer, which comes with
    /// [`StatefulPickerFactory::timer`](crate::StatefulPickerFactory::timer). None: the channel is
    /// shutting down.
    pub fn start_timer(&self, after: Duration) -> Option<TimerId> {
        // SAFETY: within a serialised hook.
        let timer = unsafe { self.channel.0.timer_start(nanoseconds(after)) };
        Some(timer).filter(|timer| *timer != 0).map(TimerId)
    }

    /// Takes that back. A timer that has run out does no harm.
    pub fn cancel_timer(&self, timer: TimerId) {
        // SAFETY: within a serialised hook.
        unsafe { self.channel.0.timer_cancel(timer.0) }
    }

    /// Asks for a new picker, because something other than the backends has changed.
    pub fn request_rebuild(&self) {
        // SAFETY: within a serialised hook.
        unsafe { self.channel.0.rebuild() }
    }
}

impl Deref for Helper<'_> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.channel
    }
}

impl fmt::Debug for Helper<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helper").finish_non_exhaustive()
    }
}

/// As many as fit: 584 years.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
