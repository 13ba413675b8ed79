//! One group of `steer_priority`: its child, and its timers.
//!
//! Must not depend on: which group is in use.

use std::sync::Arc;
use std::time::Duration;

use crate::Status;
use crate::endpoints::Connectivity;
use crate::policy::{Child, Helper, Published, TimerId};

/// A group that is not used is kept for this time (gRFC A56).
const KEPT_FOR: Duration = Duration::from_secs(15 * 60);

/// A group of backends. Dropping it cancels its timers, and shuts its child down.
pub(super) struct Group {
    helper: Arc<dyn Helper>,
    pub(super) child: Child,
    /// What the child published last, or its failure if it did not connect in time. `None` before
    /// that.
    pub(super) published: Option<Published>,
    /// Runs while the group is tried.
    failover: Option<TimerId>,
    /// Runs while the group is kept without being used.
    keeping: Option<TimerId>,
    /// Whether the group has worked since it failed last. One that has gets time to connect again.
    has_worked: bool,
}

impl Group {
    /// A group that is tried from now on, for this time.
    pub(super) fn new(helper: &Arc<dyn Helper>, child: Child, timeout: Duration) -> Group {
        let mut group = Group {
            helper: Arc::clone(helper),
            child,
            published: None,
            failover: None,
            keeping: None,
            has_worked: true,
        };
        group.start_failover(timeout);
        group
    }

    /// The state. CONNECTING before the child has published one.
    pub(super) fn state(&self) -> Connectivity {
        self.published.as_ref().map_or(Connectivity::Connecting, |published| published.state)
    }

    /// Whether calls can be sent, or would make the child connect.
    pub(super) fn works(&self) -> bool {
        matches!(self.state(), Connectivity::Ready | Connectivity::Idle)
    }

    /// Whether the group still has time to connect.
    pub(super) fn is_tried(&self) -> bool {
        self.failover.is_some()
    }

    /// Takes what the child has published, if that is new.
    pub(super) fn take_published(&mut self, timeout: Duration) {
        let Some(new) = self.child.published() else { return };
        let same = |known: &Published| Arc::ptr_eq(&known.picker, &new.picker);
        if self.published.as_ref().is_some_and(same) {
            return;
        }
        match new.state {
            Connectivity::Connecting => {
                if self.has_worked {
                    self.start_failover(timeout);
                }
            }
            Connectivity::Ready | Connectivity::Idle => {
                self.has_worked = true;
                self.end_failover();
            }
            Connectivity::TransientFailure => {
                self.has_worked = false;
                self.end_failover();
            }
        }
        self.published = Some(new);
    }

    /// The group is used, or may be soon.
    pub(super) fn activate(&mut self) {
        if let Some(timer) = self.keeping.take() {
            self.helper.cancel_timer(timer);
        }
    }

    /// A better group is used.
    pub(super) fn deactivate(&mut self) {
        if self.keeping.is_none() {
            self.keeping = Some(self.helper.start_timer(KEPT_FOR));
        }
    }

    /// Handles the end of the failover timer: the group counts as failed until its child publishes
    /// something else. Returns `false` if it is another timer.
    pub(super) fn failover_timer(&mut self, timer: TimerId) -> bool {
        if self.failover.take_if(|running| *running == timer).is_none() {
            return false;
        }
        self.has_worked = false;
        if let Some(published) = &mut self.published {
            published.state = Connectivity::TransientFailure;
            published.status = Status::unavailable("failover timer fired");
        }
        true
    }

    /// Whether this timer says that the group was kept long enough.
    pub(super) fn was_kept_until(&self, timer: TimerId) -> bool {
        self.keeping == Some(timer)
    }

    fn start_failover(&mut self, timeout: Duration) {
        if self.failover.is_none() {
            self.failover = Some(self.helper.start_timer(timeout));
        }
    }

    fn end_failover(&mut self) {
        if let Some(timer) = self.failover.take() {
            self.helper.cancel_timer(timer);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end_failover();
        self.activate();
    }
}
