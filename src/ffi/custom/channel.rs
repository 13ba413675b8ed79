//! `steer_channel`: the channel and the world, as far as a policy of one's own may ask for them.
//!
//! Must not know: what kind of policy asks, but for the part that `policy.rs` keeps here.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use steer_abi::{steer_channel, steer_severity, steer_str};

use super::hook::{Left, is_in};
use super::policy::Endpoints;
use crate::Severity;
use crate::ffi::guard;
use crate::ffi::text::ReadText;
use crate::policy::{Helper, TimerId};
use crate::sync::LogLimit;
use crate::sync::atomic::{AtomicBool, Ordering};

/// One channel, for one policy of it.
pub(super) struct Channel {
    pub(super) helper: Arc<dyn Helper>,
    /// `steer_api.rebuild` was called.
    rebuild: AtomicBool,
    /// Of calls at the wrong time.
    misuse_log: LogLimit,
    /// What a policy that decides about connections has of them.
    pub(super) endpoints: Endpoints,
}

impl Channel {
    pub(super) fn new(helper: &Arc<dyn Helper>) -> Arc<Channel> {
        Arc::new(Channel {
            helper: Arc::clone(helper),
            rebuild: AtomicBool::new(false),
            misuse_log: LogLimit::new(),
            endpoints: Endpoints::default(),
        })
    }

    /// For hooks, as long as this lives.
    pub(super) fn pointer(self: &Arc<Channel>) -> *mut steer_channel {
        Arc::as_ptr(self).cast_mut().cast()
    }

    /// Whether a new picker was asked for since the last time.
    pub(super) fn take_rebuild(&self) -> bool {
        // Relaxed: set and read in serialised calls.
        self.rebuild.swap(false, Ordering::Relaxed)
    }
}

/// # Safety
/// `channel` is NULL or one that the engine handed out, and is held.
pub(super) unsafe fn channel<'a>(channel: *const steer_channel) -> Option<&'a Channel> {
    // SAFETY: by this function's contract.
    unsafe { channel.cast::<Channel>().as_ref() }
}

/// A channel whose policy may ask for what is *serialised*. While this lives, the thread is in no
/// hook: it is with the engine, and with the host.
pub(super) struct Active<'a> {
    channel: &'a Channel,
    _left: Left,
}

impl Deref for Active<'_> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.channel
    }
}

/// The channel, for what is *serialised*. None, and a line in the log, outside of the serialised
/// hooks of its policy.
///
/// # Safety
/// As for [`channel`].
pub(super) unsafe fn active<'a>(
    pointer: *const steer_channel,
    function: &str,
) -> Option<Active<'a>> {
    // SAFETY: by this function's contract.
    let found = unsafe { channel(pointer) }?;
    if is_in(found) {
        return Some(Active { channel: found, _left: Left::new() });
    }
    if found.misuse_log.is_due(found.helper.now()) {
        let text = format!(
            "steer_api.{function} was called outside of the policy's serialised hooks, and did \
             nothing: call it from within one, for example from the hook timer"
        );
        found.helper.log(Severity::Error, &text);
    }
    None
}

// Unguarded: it counts.
pub(super) unsafe extern "C" fn channel_hold(channel: *const steer_channel) {
    if !channel.is_null() {
        // SAFETY: it came from an Arc, which is alive as its caller holds it.
        unsafe { Arc::increment_strong_count(channel.cast::<Channel>()) };
    }
}

pub(super) unsafe extern "C" fn channel_release(channel: *const steer_channel) {
    guard((), || {
        if !channel.is_null() {
            // SAFETY: it came from an Arc, and one count is the caller's to give up.
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
        // SAFETY: as `steer_api` says.
        let Some(channel) = (unsafe { channel(pointer) }) else { return };
        // SAFETY: readable, as `steer_api` says.
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
    // SAFETY: as `steer_api` says.
    let channel = unsafe { channel(pointer) };
    guard(0, || {
        channel.map_or(0, |channel| u64::try_from(channel.helper.now().as_nanos()).unwrap_or(0))
    })
}

pub(super) unsafe extern "C" fn random(pointer: *const steer_channel) -> u64 {
    // SAFETY: as `steer_api` says.
    let channel = unsafe { channel(pointer) };
    guard(0, || channel.map_or(0, |channel| channel.helper.random()))
}

pub(super) unsafe extern "C" fn timer_start(pointer: *const steer_channel, after_ns: u64) -> u64 {
    guard(0, || {
        // SAFETY: as `steer_api` says.
        let channel = unsafe { active(pointer, "timer_start") };
        channel.map_or(0, |channel| channel.helper.start_timer(Duration::from_nanos(after_ns)).0)
    })
}

pub(super) unsafe extern "C" fn timer_cancel(pointer: *const steer_channel, timer: u64) {
    guard((), || {
        // SAFETY: as `steer_api` says.
        if let Some(channel) = unsafe { active(pointer, "timer_cancel") } {
            channel.helper.cancel_timer(TimerId(timer));
        }
    });
}

pub(super) unsafe extern "C" fn rebuild(pointer: *const steer_channel) {
    guard((), || {
        // SAFETY: as `steer_api` says.
        if let Some(channel) = unsafe { active(pointer, "rebuild") } {
            // Relaxed: see `take_rebuild`.
            channel.rebuild.store(true, Ordering::Relaxed);
        }
    });
}

pub(super) unsafe extern "C" fn request_reresolution(pointer: *const steer_channel) {
    guard((), || {
        // SAFETY: as `steer_api` says.
        if let Some(channel) = unsafe { active(pointer, "request_reresolution") } {
            channel.helper.request_reresolution();
        }
    });
}
