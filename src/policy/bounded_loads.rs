//! `hashBalanceFactor`: consistent hashing that passes over backends which have more than their share of the
//! calls in flight. What `steer_ring_hash` and `steer_maglev` have in common there.
//!
//! Source: arXiv 1608.01350; see `load/bounded.rs`.
//! Cost per pick: the call is tracked. Cost per update or report: O(READY backends).
//!
//! Must not know: in which order backends are tried.

use std::collections::HashSet;
use std::sync::Arc;

use super::{CallHooks, Fields, Pick, TrackedBackend};
use crate::endpoints::{Connection, EndpointDescriptor};
use crate::load::{Arrival, Everywhere, Observed, PerAddress, Room};
use crate::stats::Describe;

/// How many times a pick looks at all backends before it takes one that has no room. It takes other threads' picks
/// to make one look in vain.
const LOOKS: usize = 64;

/// Reads the factor, in percent; none: off.
pub(super) fn parse(fields: &mut Fields<'_>) -> Option<u32> {
    const NAME: &str = "hashBalanceFactor";
    let percent: u32 = fields.number(NAME, 0);
    if (1..100).contains(&percent) {
        fields.fault(NAME, "must be 0 or at least 100");
    }
    (percent > 0).then_some(percent)
}

/// What is known of the calls of each backend, for as long as it is listed.
#[derive(Debug, Default)]
pub(super) struct BoundedLoads {
    everywhere: Arc<Everywhere>,
    calls: PerAddress<Observed<Room>>,
}

impl BoundedLoads {
    /// The list in use is this one, with a factor or without. Without one nothing is remembered.
    pub(super) fn list(&mut self, factor: Option<u32>, endpoints: &[&Arc<EndpointDescriptor>]) {
        if factor.is_none() {
            self.everywhere = Arc::default();
            self.calls.clear();
            return;
        }
        let BoundedLoads { everywhere, calls } = self;
        calls.list(endpoints, |_| Observed::new(Room::new(everywhere)));
    }

    /// What tells statistics of the calls.
    pub(super) fn teller(&self) -> Arc<dyn Describe> {
        self.calls.teller()
    }

    /// Forgets all but these endpoints.
    pub(super) fn keep(&mut self, endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {
        if !self.calls.is_empty() {
            self.calls.keep(endpoints);
        }
    }

    /// Backends for one picker: READY ones, with their places in the list in use, which has so many.
    pub(super) fn backends<'a>(
        &self,
        percent: u32,
        places: usize,
        ready: impl Iterator<Item = (usize, &'a Connection)>,
    ) -> BoundedBackends {
        let mut candidates: Vec<Option<Candidate>> = Vec::new();
        candidates.resize_with(places, || None);
        let mut distinct = HashSet::new();
        for (place, connection) in ready {
            let calls = Arc::clone(self.calls.at(place));
            // Endpoints of the same address are one backend, and have one share.
            distinct.insert(Arc::as_ptr(&calls));
            let hooks = Arc::clone(&calls) as Arc<dyn CallHooks>;
            let backend = TrackedBackend::new(connection.clone(), hooks, place);
            candidates[place] = Some(Candidate { calls, backend });
        }
        let count = distinct.len();
        let everywhere = Arc::clone(&self.everywhere);
        BoundedBackends { percent, everywhere, candidates: candidates.into(), count }
    }
}

struct Candidate {
    calls: Arc<Observed<Room>>,
    backend: Arc<TrackedBackend>,
}

/// The READY backends of one picker.
pub(super) struct BoundedBackends {
    percent: u32,
    everywhere: Arc<Everywhere>,
    /// By place; none where a backend is not READY.
    candidates: Box<[Option<Candidate>]>,
    count: usize,
}

impl BoundedBackends {
    /// A call looks for a backend.
    pub(super) fn arrive(&self) -> Arrival<'_> {
        self.everywhere.arrive(self.percent, self.count)
    }

    /// The call goes to the backend at this place, if that is READY and has room for it.
    pub(super) fn take<'a>(
        &self,
        arrival: Arrival<'a>,
        place: usize,
    ) -> Result<Pick<'static>, Arrival<'a>> {
        let Some(candidate) = &self.candidates[place] else { return Err(arrival) };
        arrival.take(&candidate.calls.learnt)?;
        Ok(Pick::tracked(&candidate.backend))
    }

    /// The call goes to the first backend that has room for it; none: none of them is READY.
    pub(super) fn take_first<I: Iterator<Item = usize>>(
        &self,
        order: impl Fn() -> I,
    ) -> Option<Pick<'static>> {
        for _ in 0..LOOKS {
            let mut arrival = self.arrive();
            for place in order() {
                match self.take(arrival, place) {
                    Ok(pick) => return Some(pick),
                    Err(again) => arrival = again,
                }
            }
        }
        let candidate = order().find_map(|place| self.candidates[place].as_ref())?;
        self.arrive().take_anyway(&candidate.calls.learnt);
        Some(Pick::tracked(&candidate.backend))
    }
}
