//! The data plane of a policy: pickers, and what they choose.
//!
//! Must not depend on: how a picker is made or published, any policy.

use std::any::Any;
use std::sync::Arc;

use super::connection_rotation::ConnectionRotation;
use crate::Status;
use crate::calls::{Call, TrackedBackend, TrackedSlot, Wants};
use crate::endpoints::Connection;
use crate::sync::Handle;

/// The data plane of a policy: an immutable choice among backends, made by many threads at once.
///
/// A pick takes no lock, allocates nothing and calls nothing back on its usual path.
pub trait Picker: Send + Sync {
    /// Chooses for one call.
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a>;

    /// What [`Picker::pick`] needs to know of a call. Called once, before the first pick.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// The picker as its own type, for a host that has a faster way to it than [`Picker::pick`].
    /// Such a host passes the choices to [`GuardedPicker::check`](super::GuardedPicker::check).
    /// Called once, before the first pick.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// The rotation of a picker that only uses one connection after another. The host then uses the
    /// rotation instead of [`Picker::pick`], which saves a third of the cost of a pick. Called
    /// once, before the first pick.
    fn rotation(&self) -> Option<ConnectionRotation> {
        None
    }
}

/// A picker's choice.
///
/// Every payload is one pointer, so that a choice travels in two registers. A choice with a status
/// in it would go through memory, which costs as much as the choice itself.
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
    /// Send the call over the connection of this tracked call, and report the call's events to it.
    Tracked(TrackedSlot),
    /// The picker is broken, for this reason: fail the call with INTERNAL, and stop using the
    /// picker.
    Fault(Box<String>),
}

impl Pick<'_> {
    /// [`Pick::Fail`], with a status made for this call.
    pub fn fail(status: Status) -> Pick<'static> {
        Pick::FailWith(Box::new(status))
    }

    /// [`Pick::Tracked`], for a call to this backend. Allocates only until enough places for calls
    /// are free: see `calls/slot.rs`.
    #[inline]
    pub fn tracked(backend: &Arc<TrackedBackend>) -> Pick<'static> {
        Pick::Tracked(TrackedSlot::new(backend, Handle::from_number(0)))
    }

    /// [`Pick::Drop`], with a status made for this call.
    pub fn drop(status: Status) -> Pick<'static> {
        Pick::DropWith(Box::new(status))
    }

    /// Whether it is to be checked before a host gets it.
    #[inline]
    pub(super) fn needs_check(&self) -> bool {
        match self {
            Pick::Complete(_) => false,
            Pick::Tracked(slot) => !slot.is_published(),
            _ => true,
        }
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
