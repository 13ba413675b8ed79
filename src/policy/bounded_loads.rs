//! `hashBalanceFactor`: consistent hashing that passes over backends which have more than their share of the
//! calls in flight. What `steer_ring_hash` and `steer_maglev` have in common there.
//!
//! Source: arXiv 1608.01350; see `load/bounded.rs`.
//! Cost per pick: the call is tracked. Cost per report: O(log backends). Cost per update: O(backends).
//!
//! Must not know: in which order backends are tried.

use std::collections::HashMap;
use std::sync::Arc;

use super::candidate::Candidate;
use super::kept::{Connected, Kept};
use super::{Fields, Pick};
use crate::endpoints::{EndpointDescriptor, Places};
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
pub(super) struct BoundedLoads<S> {
    everywhere: Arc<Everywhere>,
    calls: PerAddress<Observed<Room>>,
    candidates: Kept<S, Candidate<Room>>,
    /// How many READY endpoints there are of each backend, which is known by where its calls are counted: endpoints of
    /// the same address are one backend, and have one share.
    endpoints: HashMap<usize, usize>,
}

impl<S: Connected> BoundedLoads<S> {
    /// Of no list.
    pub(super) fn new() -> Self {
        BoundedLoads {
            everywhere: Arc::default(),
            calls: PerAddress::default(),
            candidates: Kept::new(),
            endpoints: HashMap::new(),
        }
    }

    /// The list in use is this one, with a factor or without. Without one nothing is remembered.
    pub(super) fn list(&mut self, factor: Option<u32>, endpoints: &[&Arc<EndpointDescriptor>]) {
        // Backends that went on being READY are counted anew, too.
        self.endpoints.clear();
        self.candidates.relist(endpoints.len(), |_, _| false);
        if factor.is_none() {
            self.everywhere = Arc::default();
            self.calls.clear();
            return;
        }
        let BoundedLoads { everywhere, calls, .. } = self;
        calls.list(endpoints, |_| Observed::new(Room::new(everywhere)));
    }

    /// What tells statistics of the calls.
    pub(super) fn teller(&self) -> Arc<dyn Describe> {
        self.calls.teller()
    }

    /// No backend is READY any more.
    pub(super) fn none_ready(&mut self) {
        self.endpoints.clear();
        self.candidates = Kept::new();
    }

    /// Forgets these endpoints: none with their addresses is left.
    pub(super) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        if !self.calls.is_empty() {
            self.calls.forget(gone);
        }
    }

    /// Backends for one picker: the READY ones of these, by their places in the list in use.
    pub(super) fn backends(&mut self, percent: u32, backends: &Places<S>) -> BoundedBackends {
        let BoundedLoads { everywhere, calls, candidates, endpoints } = self;
        let candidates = candidates.follow(
            backends,
            |place, connection| Candidate::new(connection, calls.at(place), place),
            |candidate, is_made| {
                let backend = Arc::as_ptr(&candidate.calls) as usize;
                let of = endpoints.entry(backend).or_default();
                *of = if is_made { *of + 1 } else { of.saturating_sub(1) };
                if *of == 0 {
                    endpoints.remove(&backend);
                }
            },
        );
        let (everywhere, candidates) = (Arc::clone(everywhere), candidates.clone());
        BoundedBackends { percent, everywhere, candidates, count: endpoints.len() }
    }
}

/// The READY backends of one picker.
pub(super) struct BoundedBackends {
    percent: u32,
    everywhere: Arc<Everywhere>,
    /// By place; none where a backend is not READY.
    candidates: Places<Candidate<Room>>,
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
        let Some(candidate) = self.candidates.get(place) else { return Err(arrival) };
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
        let candidate = order().find_map(|place| self.candidates.get(place))?;
        self.arrive().take_anyway(&candidate.calls.learnt);
        Some(Pick::tracked(&candidate.backend))
    }
}
