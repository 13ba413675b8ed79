//! `steer_channel`: the services of a channel, for pickers and policies.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::time::Duration;

use super::engine::ChannelRef;
use super::metrics::{Counter, Gauge, Histogram};
use crate::abi::{steer_channel, steer_severity};
use crate::metrics::{Metric, MetricError};

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For debugging.
    Debug,
    /// For operators.
    Info,
    /// Something is broken.
    Error,
}

/// Identifies a timer of [`Helper::start_timer`] or
/// [`PolicyHelper::start_timer`](crate::PolicyHelper::start_timer).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub(super) u64);

/// A channel: its clock, random numbers, log and timers, for any thread, also during picks. Cheap
/// to clone.
///
/// Use these instead of the system's: the test kit controls them, so a test gives the same result
/// each time.
///
/// [`Channel::wake`] and [`Channel::request_rebuild`] lead from any thread, such as the end of a
/// call or a thread of the application, to the methods that have the channel's state.
pub struct Channel(ChannelRef);

impl Channel {
    /// # Safety
    /// The channel is alive during the call.
    pub(super) unsafe fn hold(channel: NonNull<steer_channel>) -> Channel {
        // SAFETY: alive during the call by the caller's contract, and after that by `hold`.
        let channel = unsafe { ChannelRef::new(channel) };
        channel.hold();
        Channel(channel)
    }

    pub(super) fn engine(&self) -> ChannelRef {
        self.0
    }

    /// Returns a monotonic time: the time since an arbitrary moment.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.0.now())
    }

    /// Returns 64 random bits.
    pub fn random(&self) -> u64 {
        self.0.random()
    }

    /// Makes a series of this counter, which the statistics show with the policy. `values` are
    /// those of the metric's labels. A later call with the same arguments returns another handle of
    /// the series. Takes a lock: make handles with the state of a channel or backend, or with a
    /// picker, and not in picks.
    ///
    /// `Err` if a limit is reached, or if the metric or the values are not as [`Metric`] documents.
    pub fn counter(&self, metric: &Metric, values: &[&str]) -> Result<Counter, MetricError> {
        Counter::of_channel(self.0, metric, values)
    }

    /// Makes a series of this gauge, as [`Channel::counter`].
    pub fn gauge(&self, metric: &Metric, values: &[&str]) -> Result<Gauge, MetricError> {
        Gauge::of_channel(self.0, metric, values)
    }

    /// Makes a series of this histogram, as [`Channel::counter`].
    pub fn histogram(&self, metric: &Metric, values: &[&str]) -> Result<Histogram, MetricError> {
        Histogram::of_channel(self.0, metric, values)
    }

    /// Asks for a call of [`StatefulPickerFactory::woken`](crate::StatefulPickerFactory::woken) or
    /// [`Policy::woken`](crate::Policy::woken) soon: one, however many ask for it before. Takes no
    /// lock of the engine's. Returns `false` if the channel has ended, or if the host cannot do
    /// that.
    pub fn wake(&self) -> bool {
        self.0.wake()
    }

    /// Asks for a new picker soon: one, however many ask for it before. For a policy, as
    /// [`Channel::wake`].
    pub fn request_rebuild(&self) {
        self.0.rebuild();
    }

    /// Starts a timer. When it expires,
    /// [`StatefulPickerFactory::timer`](crate::StatefulPickerFactory::timer) or
    /// [`Policy::timer`](crate::Policy::timer) is called. Returns `None` if the channel has ended.
    pub fn start_timer(&self, after: Duration) -> Option<TimerId> {
        let timer = self.0.timer_start(nanoseconds(after));
        Some(timer).filter(|timer| *timer != 0).map(TimerId)
    }

    /// Cancels a timer. Does nothing if it has expired. On other threads than that of the
    /// channel's methods, the timer may expire before this takes effect.
    pub fn cancel_timer(&self, timer: TimerId) {
        self.0.timer_cancel(timer.0);
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
        // SAFETY: `Channel::hold` or `clone` took the reference that this releases.
        unsafe { self.0.release() };
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

/// A [`Channel`], with the functions that only methods of the factory may use, which never overlap.
/// So a `Helper` cannot be kept after such a method, nor sent to another thread:
///
/// ```compile_fail
/// fn later(helper: &steer_sdk::Helper<'_>) {
///     std::thread::scope(|scope| _ = scope.spawn(|| helper.request_load_reports(None)));
/// }
/// ```
pub struct Helper<'a> {
    channel: &'a Channel,
    not_send: PhantomData<*const ()>,
}

impl<'a> Helper<'a> {
    /// # Safety
    /// Called within a serialised hook of this channel, for as long as this is used.
    pub(super) unsafe fn new(channel: &'a Channel) -> Helper<'a> {
        Helper { channel, not_send: PhantomData }
    }

    /// Starts a timer. When it expires,
    /// [`StatefulPickerFactory::timer`](crate::StatefulPickerFactory::timer) is called. Returns
    /// `None` if the channel is shutting down.
    pub fn start_timer(&self, after: Duration) -> Option<TimerId> {
        self.channel.start_timer(after)
    }

    /// Cancels a timer. Does nothing if it has expired.
    pub fn cancel_timer(&self, timer: TimerId) {
        self.channel.cancel_timer(timer);
    }

    /// Asks all backends for load reports out of band (ORCA, gRFC A51), about once in this time.
    /// `None` for no more reports. They come to
    /// [`StatefulPickerFactory::load_report`](crate::StatefulPickerFactory::load_report). Backends
    /// may send them less often, and those that do not offer such reports send none. gRPC 1.46 has
    /// no such reports, and before 1.53 they have the utilizations only.
    pub fn request_load_reports(&self, period: Option<Duration>) {
        // SAFETY: within a serialised hook.
        unsafe {
            self.channel.0.load_reports(period.map_or(0, |period| nanoseconds(period).max(1)))
        }
    }

    /// Asks for a new picker, for example because the channel's state has changed. `build` is
    /// called after the current method returns.
    pub fn request_rebuild(&self) {
        self.channel.request_rebuild();
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

/// Returns the nanoseconds, at most `u64::MAX` (584 years).
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
