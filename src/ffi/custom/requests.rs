//! What a policy asks for outside of its serialised hooks: to be woken, a new picker, timers. It is
//! kept until the policy's next turn in the host's work serializer.
//!
//! Must not depend on: channels, hooks, which policy asks.

use std::time::Duration;

use crate::policy::{Helper, TimerId};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The requests of one policy.
///
/// Made with its channel. Requests come on any thread, and are taken in serialised calls. A closed
/// policy has none.
#[derive(Default)]
pub(super) struct Requests {
    woken: AtomicBool,
    rebuild: AtomicBool,
    /// Whether the first update has come. Earlier, the host may not be asked for a turn.
    open: AtomicBool,
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Something was asked for before the first update.
    early: bool,
    /// In the order of the requests.
    timers: Vec<TimerRequest>,
}

enum TimerRequest {
    /// A timer that ends at this time of the host's clock.
    Start(TimerId, Duration),
    Cancel(TimerId),
}

impl Requests {
    /// The first update has come. Returns whether something was asked for before.
    pub(super) fn open(&self) -> bool {
        let mut state = self.state.lock();
        // Release, here and below: pairs with `ask`.
        self.open.store(true, Ordering::Release);
        std::mem::take(&mut state.early)
    }

    /// Whether the policy has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The policy ends. Drops what it has asked for.
    pub(super) fn close(&self) {
        // Relaxed, here and below: a request that comes at the same time may be lost.
        self.closed.store(true, Ordering::Relaxed);
        self.state.lock().timers = Vec::new();
    }

    /// Asks for a turn of the policy in the work serializer. Returns `false` if there is none.
    /// Takes no lock after the first update.
    fn ask(&self, helper: &dyn Helper) -> bool {
        if self.is_closed() {
            return false;
        }
        if !self.open.load(Ordering::Acquire) {
            let mut state = self.state.lock();
            if !self.open.load(Ordering::Acquire) {
                state.early = true;
                return true;
            }
        }
        // It orders all writes before it, and asks the host once for many requests.
        helper.wake()
    }

    /// Asks for [`Requests::take_woken`]. Returns `false` if that cannot be.
    pub(super) fn wake(&self, helper: &dyn Helper) -> bool {
        // Relaxed, here and below: `ask` orders it before the turn that takes it.
        self.woken.store(true, Ordering::Relaxed);
        self.ask(helper)
    }

    /// Asks for a new picker. Returns `false` if that cannot be.
    pub(super) fn rebuild(&self, helper: &dyn Helper) -> bool {
        self.set_rebuild();
        self.ask(helper)
    }

    /// As [`Requests::rebuild`], within a serialised hook.
    pub(super) fn set_rebuild(&self) {
        self.rebuild.store(true, Ordering::Relaxed);
    }

    /// Asks for a timer that ends at this time of the host's clock. [`TimerId::NONE`]: that cannot
    /// be.
    pub(super) fn start_timer(&self, helper: &dyn Helper, end: Duration) -> TimerId {
        let timer = helper.new_timer();
        self.state.lock().timers.push(TimerRequest::Start(timer, end));
        if self.ask(helper) {
            return timer;
        }
        self.forget_timer(timer);
        TimerId::NONE
    }

    /// Asks for the end of a timer. Returns `false` if that cannot be.
    pub(super) fn cancel_timer(&self, helper: &dyn Helper, timer: TimerId) -> bool {
        self.state.lock().timers.push(TimerRequest::Cancel(timer));
        self.ask(helper)
    }

    /// Drops a request for this timer.
    pub(super) fn forget_timer(&self, timer: TimerId) {
        let other = |request: &TimerRequest| match request {
            TimerRequest::Start(number, _) | TimerRequest::Cancel(number) => *number != timer,
        };
        self.state.lock().timers.retain(other);
    }

    /// Starts and cancels the timers that were asked for. In a serialised call.
    pub(super) fn run_timers(&self, helper: &dyn Helper) {
        // The host may call the policy while it starts a timer.
        let timers = std::mem::take(&mut self.state.lock().timers);
        for request in timers {
            match request {
                TimerRequest::Start(timer, end) => {
                    helper.start_numbered_timer(timer, end.saturating_sub(helper.now()));
                }
                TimerRequest::Cancel(timer) => helper.cancel_timer(timer),
            }
        }
    }

    /// Whether the policy is to be woken.
    pub(super) fn take_woken(&self) -> bool {
        self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::Relaxed)
    }

    /// Whether a new picker was asked for since the last call.
    pub(super) fn take_rebuild(&self) -> bool {
        self.rebuild.load(Ordering::Relaxed) && self.rebuild.swap(false, Ordering::Relaxed)
    }
}
