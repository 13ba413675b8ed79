//! The backends that a retry passes over, because former attempts of its call went to them.
//!
//! Must not depend on: the order in which backends are tried.

use std::collections::HashMap;
use std::sync::Arc;

use super::request_hash::MOST_PREVIOUS_ATTEMPTS;
use crate::endpoints::EndpointDescriptor;

/// Which places of a list are connections of one backend.
#[derive(Clone, Default)]
pub(super) struct BackendsOfPlaces {
    /// The first place of each place's backend. `None`: each place is a backend of its own.
    first: Option<Arc<[usize]>>,
}

impl BackendsOfPlaces {
    /// Looks at addresses only if some backend has several connections.
    pub(super) fn new<'a, I>(endpoints: I) -> BackendsOfPlaces
    where
        I: Iterator<Item = &'a Arc<EndpointDescriptor>> + Clone,
    {
        let several = endpoints.clone().any(|endpoint| endpoint.connection > 0);
        let first = several.then(|| {
            let mut firsts = HashMap::new();
            let places = endpoints.enumerate();
            places.map(|(place, one)| *firsts.entry(&one.addresses).or_insert(place)).collect()
        });
        BackendsOfPlaces { first }
    }

    #[inline]
    fn of(&self, place: usize) -> usize {
        self.first.as_ref().map_or(place, |first| first[place])
    }
}

/// Passes over the first different backends that a pick tries, one for each former attempt.
#[derive(Clone)]
pub(super) struct PassedOver<'a> {
    backends: &'a BackendsOfPlaces,
    /// The first place of each backend that was tried.
    places: [usize; MOST_PREVIOUS_ATTEMPTS],
    /// The number of places so far.
    count: usize,
    /// The number of places to pass over.
    attempts: usize,
}

impl<'a> PassedOver<'a> {
    /// For a call with this many former attempts.
    #[inline]
    pub(super) fn new(attempts: usize, backends: &'a BackendsOfPlaces) -> PassedOver<'a> {
        let attempts = attempts.min(MOST_PREVIOUS_ATTEMPTS);
        PassedOver { backends, places: [0; MOST_PREVIOUS_ATTEMPTS], count: 0, attempts }
    }

    /// Whether to pass over this place: its backend is one of the first different ones.
    #[inline]
    pub(super) fn passes_over(&mut self, place: usize) -> bool {
        if self.has(place) {
            return true;
        }
        let more = self.count < self.attempts;
        if more {
            self.places[self.count] = place;
            self.count += 1;
        }
        more
    }

    /// Whether it has passed over this place's backend.
    #[inline]
    pub(super) fn has(&self, place: usize) -> bool {
        let backend = self.backends.of(place);
        self.places[..self.count].iter().any(|passed| self.backends.of(*passed) == backend)
    }

    /// The first place that it has passed over.
    pub(super) fn first(&self) -> Option<usize> {
        self.places[..self.count].first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(attempts: usize, places: &[usize], backends: &BackendsOfPlaces) -> Vec<usize> {
        let mut over = PassedOver::new(attempts, backends);
        places.iter().copied().filter(|place| !over.passes_over(*place)).collect()
    }

    #[test]
    fn it_passes_over_one_place_for_each_attempt_however_often_it_comes() {
        let backends = BackendsOfPlaces::default();
        let places = [3, 3, 5, 3, 1, 5, 7];
        assert_eq!(tried(0, &places, &backends), places);
        assert_eq!(tried(1, &places, &backends), [5, 1, 5, 7]);
        assert_eq!(tried(2, &places, &backends), [1, 7]);
        assert!(tried(99, &places, &backends).is_empty());
        let mut over = PassedOver::new(1, &backends);
        assert_eq!(over.first(), None);
        assert!(over.passes_over(3) && !over.passes_over(5));
        assert_eq!((over.first(), over.has(5)), (Some(3), false));
    }

    #[test]
    fn it_passes_over_all_connections_of_a_backend() {
        let endpoint = |address: &str, connection| {
            Arc::new(EndpointDescriptor {
                addresses: vec![address.to_owned()],
                connection,
                ..EndpointDescriptor::default()
            })
        };
        let list = [endpoint("a", 0), endpoint("b", 0), endpoint("a", 1), endpoint("b", 1)];
        let backends = BackendsOfPlaces::new(list.iter());
        assert_eq!(tried(1, &[2, 0, 2, 3, 1], &backends), [3, 1]);
        assert!(tried(2, &[2, 0, 3, 1], &backends).is_empty());
    }
}
