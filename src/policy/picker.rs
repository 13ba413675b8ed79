//! The data plane of a policy: pickers, and what they choose.
//!
//! Must not depend on: how a picker is made or published, any policy.

use std::any::Any;
use std::sync::Arc;

use super::connection_rotation::ConnectionRotation;
use crate::Status;
use crate::calls::{Call, TrackedBackend, TrackedCall, TrackedSlot, Wants};
use crate::endpoints::Connection;
use crate::sync::Handle;

/// The data plane of a policy: an immutable choice among backends, made by many threads at once.
///
/// A pick takes no lock, allocates nothing and calls nothing back on its usual path.
pub trait Picker: Send + Sync {
    /// Chooses for one call.
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a>;

    /// What [`Picker::pick`] needs to know. Asked once, before the first pick.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// The picker as what it is, for a host that knows a shorter way to ask it than
    /// [`Picker::pick`], and that checks its choices by [`GuardedPicker::check`](super::GuardedPicker::check). Asked once, before the first
    /// pick.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// For a picker that does nothing but take turns: whose turns. They are then taken without a
    /// call of [`Picker::pick`], which saves a third of what a pick costs. Asked once, before the
    /// first pick.
    fn rotation(&self) -> Option<ConnectionRotation> {
        None
    }
}

/// A picker's choice.
///
/// Every payload is one pointer, so that a choice travels in two registers: with the statuses in
/// place it would go through memory, which costs as much as the choice itself.
pub enum Pick<'a> {
    /// Send the call over this connection.
    Complete(&'a Connection),
    /// Wait for the next picker.
    Queue,
    /// Fail the call, unless it waits for ready: then it waits for the next picker.
    Fail(&'a Status),
    /// Fail the call even if it waits for ready, and do not retry it (gRFC A6).
    Drop(&'a Status),
    /// [`Pick::Fail`], with a status made for this call.
    FailWith(Box<Status>),
    /// [`Pick::Drop`], with a status made for this call.
    DropWith(Box<Status>),
    /// Send the call over the connection in this, and tell it how the call goes.
    Tracked(TrackedSlot),
    /// The picker is broken, and says how: fail the call with INTERNAL, and use it no more.
    Fault(Box<String>),
}

impl Pick<'_> {
    /// [`Pick::Fail`], with a status made for this call.
    pub fn fail(status: Status) -> Pick<'static> {
        Pick::FailWith(Box::new(status))
    }

    /// [`Pick::Tracked`], of a call to this backend. Allocates nothing once it has warmed up.
    pub fn tracked(backend: &Arc<TrackedBackend>) -> Pick<'static> {
        Pick::Tracked(TrackedSlot::new(TrackedCall::new(backend, Handle::from_number(0))))
    }

    /// [`Pick::Drop`], with a status made for this call.
    pub fn drop(status: Status) -> Pick<'static> {
        Pick::DropWith(Box::new(status))
    }

    /// The pick with a code that a data plane may produce (gRFC A54).
    pub(super) fn for_data_plane(self) -> Self {
        match self {
            Pick::Fail(status) if !status.code.is_for_data_plane() => {
                Pick::fail(status.for_data_plane("LB pick"))
            }
            Pick::FailWith(status) if !status.code.is_for_data_plane() => {
                Pick::fail(status.for_data_plane("LB pick"))
            }
            Pick::Drop(status) if !status.code.is_for_data_plane() => {
                Pick::drop(status.for_data_plane("LB drop"))
            }
            Pick::DropWith(status) if !status.code.is_for_data_plane() => {
                Pick::drop(status.for_data_plane("LB drop"))
            }
            fine => fine,
        }
    }
}
