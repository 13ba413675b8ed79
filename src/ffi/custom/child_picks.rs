//! Picks that a custom picker leaves to a child's picker, and follows if it wants to.
//!
//! Cost of a pick that is left to a child and not followed: one call and a bounds check, in
//! addition to both pickers' own. A followed one also allocates twice.
//!
//! Must not depend on: hosts, how the pickers were made.

use std::collections::HashMap;
use std::sync::Arc;

use super::picks::Picks;
use crate::calls::{Call, CallEnd, CallListener, TrackedBackend, TrackedCall, TrackedSlot, Wants};
use crate::endpoints::Connection;
use crate::ffi::guard;
use crate::policy::{GuardedPicker, Pick};
use crate::sync::{Handle, Mutex};

/// The pickers of children that a custom picker may leave picks to.
#[derive(Default)]
pub(super) struct ChildPickers {
    pub(super) pickers: Box<[Arc<GuardedPicker>]>,
    /// The place of each backend in the resolver's list, by its connection. Empty if no calls are
    /// followed.
    pub(super) places: HashMap<Handle, u64>,
}

/// The number of a backend that has left, or has come since.
const UNKNOWN: u64 = u64::MAX;

impl ChildPickers {
    pub(super) fn is_empty(&self) -> bool {
        self.pickers.is_empty()
    }

    /// What these pickers and one with `wants` need to know of a call.
    pub(super) fn wants(&self, wants: Wants) -> Wants {
        self.pickers.iter().fold(wants, |wants, picker| wants.and(picker.wants()))
    }

    fn get(&self, index: u64) -> Result<&GuardedPicker, String> {
        let found = usize::try_from(index).ok().and_then(|index| self.pickers.get(index));
        let picker = found.map(|picker| &**picker);
        picker.ok_or_else(|| format!("chose child {index} of {}", self.pickers.len()))
    }

    /// Leaves a call to the child with this index.
    pub(super) fn pick<'a>(&'a self, index: u64, call: &Call<'_>) -> Result<Pick<'a>, String> {
        self.get(index).map(|picker| picker.pick(call))
    }

    /// The same, and reports the call to `picks` if the child sends it to a backend. Otherwise
    /// gives the state back.
    pub(super) fn track<'a>(
        &'a self,
        picks: &Arc<Picks>,
        (index, state): (u64, Handle),
        call: &Call<'_>,
    ) -> Result<Pick<'a>, String> {
        let (connection, inner) = match self.pick(index, call) {
            Ok(Pick::Complete(connection)) => (connection.clone(), None),
            Ok(Pick::Tracked(slot)) => (slot.call().connection().clone(), Some(slot)),
            other => {
                // A fault of that hook is not the fault that is reported here.
                let place = usize::try_from(UNKNOWN).unwrap_or(usize::MAX);
                guard((), || picks.finished(place, state, &CallEnd::Abandoned));
                return other;
            }
        };
        let place = self.place(&connection);
        let listener =
            Arc::new(FollowedChild { picks: Arc::clone(picks), inner: Mutex::new(inner) });
        let backend = TrackedBackend::new(connection, listener, place);
        Ok(Pick::Tracked(TrackedSlot::new(&backend, state)))
    }

    fn place(&self, connection: &Connection) -> usize {
        let place = self.places.get(&connection.handle()).copied().unwrap_or(UNKNOWN);
        usize::try_from(place).unwrap_or(usize::MAX)
    }
}

/// Reports one call to a custom picker, and to the child that follows it, too.
struct FollowedChild {
    picks: Arc<Picks>,
    /// The child's. No thread waits for the lock, because the events of a call do not overlap.
    inner: Mutex<Option<TrackedSlot>>,
}

impl FollowedChild {
    /// Calls the child's tracker without the lock: its code may be foreign.
    fn tell(&self, tell: impl FnOnce(&mut TrackedCall), ends: bool) {
        let Some(mut slot) = self.inner.lock().take() else { return };
        tell(slot.call_mut());
        if !ends {
            *self.inner.lock() = Some(slot);
        }
    }
}

impl CallListener for FollowedChild {
    fn started(&self, backend: usize, state: Handle) {
        self.tell(TrackedCall::start, false);
        self.picks.started(backend, state);
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        // Dropping the child's tracker abandons its call.
        self.tell(|call| call.finish_as(end), true);
        self.picks.finished(backend, state, end);
    }
}
