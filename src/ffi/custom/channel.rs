//! `steer_channel`: the functions that a custom policy may ask its channel for.
//!
//! Must not depend on: which policy asks.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use steer_abi::{steer_channel, steer_severity, steer_str};

use super::children::OwnChildren;
use super::endpoints::Endpoints;
use super::followed_calls::FollowedCalls;
use super::hook::{Outside, is_in};
use super::requests::Requests;
use super::table::Registered;
use crate::Severity;
use crate::ffi::guard;
use crate::ffi::text::ReadText;
use crate::policy::{Helper, TimerId};
use crate::stats::CustomMetrics;
use crate::sync::LogLimit;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One channel, for one policy of it. Made by the policy or instance. Reference counted: hooks
/// receive [`pointer`](Channel::pointer), and `channel_hold` adds a reference.
pub(super) struct Channel {
    pub(super) helper: Arc<dyn Helper>,
    /// The policy's table. None for picker types.
    pub(super) policy_type: Option<Arc<Registered>>,
    pub(super) endpoints: Endpoints,
    pub(super) children: OwnChildren,
    /// The calls of the policy's backends.
    pub(super) calls: Arc<FollowedCalls>,
    /// The metrics of the policy.
    pub(super) custom_metrics: Arc<CustomMetrics>,
    /// The time between load reports that the policy asked for before its first update, in
    /// nanoseconds. 0: none.
    early_load_reports: AtomicU64,
    /// Whether the first update has come. Earlier, the host may not be called.
    updated: AtomicBool,
    /// What the policy asks for outside of its serialised hooks.
    pub(super) requests: Requests,
    /// Limits the log lines about calls at the wrong time.
    misuse_log: LogLimit,
}

impl Channel {
    /// `policy_type` is the table of a policy, and None for picker types. `calls` has the counters
    /// of the policy's backends.
    pub(super) fn new(
        helper: &Arc<dyn Helper>,
        policy_type: Option<Arc<Registered>>,
        calls: Arc<FollowedCalls>,
    ) -> Arc<Channel> {
        let custom_metrics = Arc::<CustomMetrics>::default();
        helper.set_custom_metrics(Arc::clone(&custom_metrics));
        Arc::new(Channel {
            helper: Arc::clone(helper),
            policy_type,
            endpoints: Endpoints::default(),
            children: OwnChildren::new(helper),
            calls,
            custom_metrics,
            early_load_reports: AtomicU64::new(0),
            updated: AtomicBool::new(false),
            requests: Requests::default(),
            misuse_log: LogLimit::new(),
        })
    }

    /// The channel for hooks. Valid as long as the channel.
    pub(super) fn pointer(self: &Arc<Channel>) -> *mut steer_channel {
        Arc::as_ptr(self).cast_mut().cast()
    }

    /// An update has come. With the first one, asks the host for the load reports that the policy
    /// asked for before.
    pub(super) fn updated(&self) {
        // Relaxed, here and in `load_reports`: set and read in serialised calls.
        if !self.updated.swap(true, Ordering::Relaxed) {
            let period = self.early_load_reports.load(Ordering::Relaxed);
            if period > 0 {
                self.children.family.request_load_reports(Some(Duration::from_nanos(period)));
            }
            if self.requests.open() {
                self.requests.run_timers(&*self.helper);
                self.helper.wake();
            }
        }
    }

    /// Logs that a function was called where it does nothing, and why.
    pub(super) fn log_misuse(&self, function: &str, why: &str) {
        if self.misuse_log.is_due(self.helper.now()) {
            let text = format!("steer_api.{function} {why}");
            self.helper.log(Severity::Error, &text);
        }
    }

    /// Logs that a function has no effect, because the host cannot call the policy later. After the
    /// policy's end, it needs none.
    fn log_no_turn(&self, function: &str) {
        if !self.requests.is_closed() {
            self.log_misuse(
                function,
                "was called outside of the policy's serialised hooks, and did nothing: this host \
                 cannot call the policy later",
            );
        }
    }
}

/// # Safety
/// `channel` is NULL or came from [`Channel::pointer`], and the caller holds a reference.
pub(super) unsafe fn channel<'a>(channel: *const steer_channel) -> Option<&'a Channel> {
    // SAFETY: `channel` is NULL or a Channel with a reference (caller's contract).
    unsafe { channel.cast::<Channel>().as_ref() }
}

/// The channel with another reference.
///
/// # Safety
/// As for [`channel`].
pub(super) unsafe fn hold(channel: *const steer_channel) -> Option<Arc<Channel>> {
    let pointer = channel.cast::<Channel>();
    if pointer.is_null() {
        return None;
    }
    // SAFETY: it came from an Arc, and the caller holds a reference (caller's contract).
    unsafe { Arc::increment_strong_count(pointer) };
    // SAFETY: the reference was added above.
    Some(unsafe { Arc::from_raw(pointer) })
}

/// A channel whose policy may call functions with the tag `[serialised]`. While it exists, the
/// thread is in no hook, because the function calls the engine and the host.
pub(super) struct Active<'a> {
    channel: &'a Channel,
    _outside: Outside,
}

impl Deref for Active<'_> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.channel
    }
}

/// The channel, for a function with the tag `[serialised]`. None, and a line in the log, outside of
/// the serialised hooks of its policy.
///
/// # Safety
/// As for [`channel`].
pub(super) unsafe fn active<'a>(
    pointer: *const steer_channel,
    function: &str,
) -> Option<Active<'a>> {
    // SAFETY: `pointer` is as `channel` requires (caller's contract).
    let found = unsafe { channel(pointer) }?;
    if is_in(found) {
        return Some(Active { channel: found, _outside: Outside::new() });
    }
    found.log_misuse(
        function,
        "was called outside of the policy's serialised hooks, and did nothing: call it from within \
         one, for example from the hook timer",
    );
    None
}

/// Whether this thread is in a serialised hook of the channel's policy. If so, it is in no hook
/// while the result exists.
fn within(channel: &Channel) -> Option<Outside> {
    is_in(channel).then(Outside::new)
}

// Unguarded: it counts.
pub(super) unsafe extern "C" fn channel_hold(channel: *const steer_channel) {
    if !channel.is_null() {
        // SAFETY: it came from an Arc, and the caller holds a reference (rule of `steer_api`).
        unsafe { Arc::increment_strong_count(channel.cast::<Channel>()) };
    }
}

pub(super) unsafe extern "C" fn channel_release(channel: *const steer_channel) {
    guard((), || {
        if !channel.is_null() {
            // SAFETY: it came from an Arc, and the caller gives up its reference (rule of
            // `steer_api`).
            unsafe { Arc::decrement_strong_count(channel.cast::<Channel>()) };
        }
    });
}

pub(super) unsafe extern "C" fn log(
    pointer: *const steer_channel,
    severity: i32,
    message: steer_str,
) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { channel(pointer) }) else { return };
        // SAFETY: `message` is readable (rule of `steer_api`).
        let Some(message) = (unsafe { message.to_cow() }) else { return };
        let severity = match severity {
            level if level == steer_severity::STEER_LOG_DEBUG as i32 => Severity::Debug,
            level if level == steer_severity::STEER_LOG_INFO as i32 => Severity::Info,
            _ => Severity::Error,
        };
        channel.helper.log(severity, &message);
    });
}

pub(super) unsafe extern "C" fn now(pointer: *const steer_channel) -> u64 {
    // SAFETY: the caller holds the channel (rule of `steer_api`).
    let channel = unsafe { channel(pointer) };
    guard(0, || {
        channel.map_or(0, |channel| u64::try_from(channel.helper.now().as_nanos()).unwrap_or(0))
    })
}

pub(super) unsafe extern "C" fn random(pointer: *const steer_channel) -> u64 {
    // SAFETY: the caller holds the channel (rule of `steer_api`).
    let channel = unsafe { channel(pointer) };
    guard(0, || channel.map_or(0, |channel| channel.helper.random()))
}

pub(super) unsafe extern "C" fn timer_start(pointer: *const steer_channel, after_ns: u64) -> u64 {
    guard(0, || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { channel(pointer) }) else { return 0 };
        let (helper, after) = (&*channel.helper, Duration::from_nanos(after_ns));
        if let Some(_outside) = within(channel) {
            return helper.start_timer(after).0;
        }
        channel.requests.start_timer(helper, helper.now().saturating_add(after)).0
    })
}

pub(super) unsafe extern "C" fn timer_cancel(pointer: *const steer_channel, timer: u64) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { channel(pointer) }) else { return };
        let (helper, timer) = (&*channel.helper, TimerId(timer));
        if let Some(_outside) = within(channel) {
            channel.requests.forget_timer(timer);
            helper.cancel_timer(timer);
        } else if !channel.requests.cancel_timer(helper, timer) {
            channel.log_no_turn("timer_cancel");
        }
    });
}

pub(super) unsafe extern "C" fn rebuild(pointer: *const steer_channel) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { channel(pointer) }) else { return };
        if within(channel).is_some() {
            channel.requests.set_rebuild();
        } else if !channel.requests.rebuild(&*channel.helper) {
            channel.log_no_turn("rebuild");
        }
    });
}

pub(super) unsafe extern "C" fn wake(pointer: *const steer_channel) -> i32 {
    guard(0, || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { channel(pointer) }) else { return 0 };
        // The host may call the policy at once.
        let _outside = Outside::new();
        i32::from(channel.requests.wake(&*channel.helper))
    })
}

pub(super) unsafe extern "C" fn load_reports(pointer: *const steer_channel, period_ns: u64) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        if let Some(channel) = unsafe { active(pointer, "load_reports") } {
            if channel.updated.load(Ordering::Relaxed) {
                let period = (period_ns > 0).then(|| Duration::from_nanos(period_ns));
                channel.children.family.request_load_reports(period);
            } else {
                channel.early_load_reports.store(period_ns, Ordering::Relaxed);
            }
        }
    });
}

pub(super) unsafe extern "C" fn request_reresolution(pointer: *const steer_channel) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        if let Some(channel) = unsafe { active(pointer, "request_reresolution") } {
            channel.helper.request_reresolution();
        }
    });
}
