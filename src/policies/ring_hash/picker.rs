//! The data plane of `steer_ring_hash`.
//!
//! Cost per pick: see `mod.rs`. A pick that does not find its first endpoint READY looks at one
//! entry of the ring after another, at most all of them.
//!
//! Must not depend on: updates, reports, how a ring is built.

use std::sync::Arc;

use super::config::RingHashConfig;
use super::states::ActiveState;
use crate::Status;
use crate::calls::{Call, Wants};
use crate::endpoints::PersistentVec;
use crate::hashing::Ring;
use crate::policies::bounded_loads::BoundedBackends;
use crate::policies::passed_over::{BackendsOfPlaces, PassedOver};
use crate::policy::{Helper, Pick, Picker};
use crate::sync::Bits;

/// A picker. Immutable, except that picks mark endpoints in `wanted`.
pub(super) struct RingHashPicker {
    pub(super) ring: Arc<Ring>,
    pub(super) backends: BackendsOfPlaces,
    /// The endpoints that are not IDLE, by place in the list.
    pub(super) states: PersistentVec<ActiveState>,
    pub(super) config: Arc<RingHashConfig>,
    /// Set if the config has a balance factor.
    pub(super) bounded: Option<BoundedBackends>,
    /// Whether some endpoint is CONNECTING.
    pub(super) connecting: bool,
    pub(super) all_failed: bool,
    /// The places of IDLE endpoints that picks want connected.
    pub(super) wanted: Arc<Bits>,
    /// For the messages of failed picks.
    pub(super) resolution_note: Arc<str>,
    pub(super) helper: Arc<dyn Helper>,
}

impl Picker for RingHashPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let (hash, random, passed_over) = match self.config.request_hash.for_call(call) {
            Ok(Some(hash)) => (hash, false, self.config.request_hash.passed_over(call)),
            Ok(None) => (self.helper.random(), true, 0),
            Err(missing) => return Pick::Fail(missing),
        };
        let entry = self.ring.find(hash);
        match self.states.get(self.ring.owner(entry)) {
            Some(ActiveState::Ready(connection)) if self.bounded.is_none() && passed_over == 0 => {
                Pick::Complete(connection)
            }
            _ if passed_over > 0 => self.pick_elsewhere(entry, passed_over),
            _ => self.pick_from(entry, random),
        }
    }

    fn wants(&self) -> Wants {
        self.config.request_hash.wants()
    }
}

impl RingHashPicker {
    /// Picks for a call with this entry.
    #[inline(never)]
    fn pick_from(&self, first: usize, random: bool) -> Pick<'_> {
        if self.all_failed {
            return self.fail(first);
        }
        let pick = self.try_places(self.places_from(first), random);
        pick.unwrap_or_else(|| self.fail(first))
    }

    /// Picks for a retry: as if the endpoints that former attempts went to came last on the ring.
    #[inline(never)]
    fn pick_elsewhere(&self, first: usize, passed_over: usize) -> Pick<'_> {
        if self.all_failed {
            return self.fail(first);
        }
        let mut over = PassedOver::new(passed_over, &self.backends);
        // No attempt went to an endpoint that had failed.
        let failed = |place| matches!(self.states.get(place), Some(ActiveState::Failed(_)));
        let others = self.places_from(first).filter(move |place| !failed(*place));
        let others = others.filter(move |place| !over.passes_over(*place));
        let pick = self.try_places(others.chain(self.places_from(first)), false);
        pick.unwrap_or_else(|| self.fail(first))
    }

    /// Tries one place after another. A call with a random hash goes to the first READY endpoint,
    /// and leads to at most one connection attempt (gRFC A76). The same holds for a call after an
    /// endpoint that has too many calls. `None`: none of these endpoints can serve the call.
    fn try_places<I>(&self, places: I, random: bool) -> Option<Pick<'_>>
    where
        I: Iterator<Item = usize> + Clone,
    {
        let mut arrival = self.bounded.as_ref().map(BoundedBackends::arrive);
        let mut any_ready = random;
        let mut overloaded = false;
        let mut requested = self.connecting;
        for place in places.clone() {
            match self.states.get(place) {
                Some(ActiveState::Ready(connection)) => {
                    let (Some(bounded), Some(call)) = (&self.bounded, arrival.take()) else {
                        return Some(Pick::Complete(connection));
                    };
                    match bounded.take(call, place) {
                        Ok(pick) => return Some(pick),
                        Err(again) => arrival = Some(again),
                    }
                    (any_ready, overloaded) = (true, true);
                }
                None if !any_ready => return Some(self.wait_for(place)),
                Some(ActiveState::Connecting) if !any_ready => return Some(Pick::Queue),
                None if !requested => {
                    requested = true;
                    if let Some(fault) = self.request_connection(place) {
                        return Some(fault);
                    }
                }
                None | Some(ActiveState::Connecting | ActiveState::Failed(_)) => {}
            }
        }
        drop(arrival);
        let bounded = self.bounded.as_ref().filter(|_| overloaded);
        let anyway = bounded.and_then(|all| all.take_first(|| places.clone()));
        anyway.or_else(|| requested.then_some(Pick::Queue))
    }

    /// The places in the list that the entries belong to, from this entry on, once around the ring.
    fn places_from(&self, first: usize) -> impl Iterator<Item = usize> + Clone {
        let entries = std::iter::successors(Some(first), |entry| Some(self.ring.after(*entry)));
        entries.take(self.ring.len()).map(|entry| self.ring.owner(entry))
    }

    /// Requests a connection to this endpoint. The call waits for it.
    fn wait_for(&self, place: usize) -> Pick<'_> {
        self.request_connection(place).unwrap_or(Pick::Queue)
    }

    /// Requests a connection to this endpoint. If the host cannot wake the policy, returns how the
    /// call fails.
    fn request_connection(&self, place: usize) -> Option<Pick<'_>> {
        // The wake orders the mark before the policy's look at it. If the mark was set, the pick
        // that set it has woken the policy.
        if !self.wanted.insert(place) || self.helper.wake() {
            return None;
        }
        self.wanted.remove(place);
        Some(Pick::fail(Status::internal("the host cannot connect for a call that waits")))
    }

    /// Fails a call when no endpoint can serve it. The message has the failure of the first
    /// endpoint.
    fn fail(&self, first: usize) -> Pick<'_> {
        let words = self.helper.words();
        let mut message = format!("ring hash cannot find a connected {}", words.endpoint());
        if let Some(ActiveState::Failed(status)) = self.states.get(self.ring.owner(first)) {
            message = words.with_cause(&message, "first failure", status);
        }
        Pick::fail(Status::unavailable(message + &words.suffix(&self.resolution_note)))
    }
}
