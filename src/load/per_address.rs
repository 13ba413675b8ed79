//! What a policy remembers of each address: it survives lost connections, new pickers and new address
//! lists, and goes when the address leaves.
//!
//! Cost: O(1) for each endpoint of a new list; nothing for a report.
//!
//! Must not know: what is remembered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::endpoints::EndpointDescriptor;
use crate::stats::{BackendStats, Describe, Table};

type Known<T> = HashMap<Vec<String>, Arc<T>>;

/// Something remembered of each endpoint, by its addresses. Endpoints with the same addresses share it:
/// they are the same backend.
#[derive(Debug)]
pub struct PerAddress<T> {
    /// Shared with statistics, which read it when they are asked, and never with pickers.
    known: Arc<Mutex<Known<T>>>,
    /// By the places of the list in use.
    listed: Vec<Arc<T>>,
}

impl<T> Default for PerAddress<T> {
    fn default() -> Self {
        PerAddress { known: Arc::default(), listed: Vec::new() }
    }
}

impl<T> PerAddress<T> {
    /// What is remembered of this endpoint; `new` when nothing is.
    pub fn get(&mut self, of: &EndpointDescriptor, new: impl FnOnce() -> T) -> Arc<T> {
        get(&mut self.known.lock(), of, new)
    }

    /// The list in use is this one, in the sense of [`PickerFactory::list`](crate::policy::PickerFactory::list).
    pub fn list(
        &mut self,
        endpoints: &[&Arc<EndpointDescriptor>],
        mut new: impl FnMut(&EndpointDescriptor) -> T,
    ) {
        let mut known = self.known.lock();
        let endpoints = endpoints.iter();
        self.listed = endpoints.map(|of| get(&mut known, of, || new(of))).collect();
    }

    /// What is remembered of the endpoint with this place in the list in use.
    pub fn at(&self, place: usize) -> &Arc<T> {
        &self.listed[place]
    }

    /// What is remembered of this endpoint.
    pub fn find(&self, of: &EndpointDescriptor) -> Option<Arc<T>> {
        self.known.lock().get(&of.addresses).cloned()
    }

    /// Forgets all but these endpoints.
    pub fn keep(&mut self, endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {
        let kept: HashSet<&[String]> =
            endpoints.map(|endpoint| endpoint.addresses.as_slice()).collect();
        self.known.lock().retain(|addresses, _| kept.contains(addresses.as_slice()));
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.lock().is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.known.lock().clear();
        self.listed.clear();
    }
}

fn get<T>(known: &mut Known<T>, of: &EndpointDescriptor, new: impl FnOnce() -> T) -> Arc<T> {
    if let Some(known) = known.get(&of.addresses) {
        return Arc::clone(known);
    }
    let new = Arc::new(new());
    known.insert(of.addresses.clone(), Arc::clone(&new));
    new
}

/// What can tell of one backend, for statistics.
pub trait Tell: Send + Sync + 'static {
    /// Writes down what it knows; `now` is by the host's clock. Any thread.
    fn tell(&self, row: &mut BackendStats, now: Duration);
}

impl<T: Tell> PerAddress<T> {
    /// What tells of all that is remembered, for as long as it is asked.
    pub fn teller(&self) -> Arc<dyn Describe> {
        Arc::new(Teller(Arc::clone(&self.known)))
    }
}

struct Teller<T>(Arc<Mutex<Known<T>>>);

impl<T: Tell> Describe for Teller<T> {
    fn describe(&self, table: &mut Table) {
        let now = table.now();
        let copy = |(addresses, known): (&Vec<String>, _)| (addresses.clone(), Arc::clone(known));
        let all: Vec<_> = self.0.lock().iter().map(copy).collect();
        // Not within the lock: telling takes its time, and updates would have to wait.
        for (addresses, known) in all {
            if let Some(row) = table.row(&addresses) {
                known.tell(row, now);
            }
        }
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    fn endpoint(addresses: &[&str]) -> Arc<EndpointDescriptor> {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        Arc::new(EndpointDescriptor { addresses, ..EndpointDescriptor::default() })
    }

    #[test]
    fn remembers_until_the_address_leaves() {
        let (a, b) = (endpoint(&["a"]), endpoint(&["b", "c"]));
        let mut known = PerAddress::default();
        known.get(&a, || 1);
        known.get(&b, || 2);
        assert_eq!(*known.get(&a, || 3), 1);
        known.keep(&mut [&b].into_iter());
        assert_eq!(known.find(&a), None);
        assert_eq!(known.find(&b).map(|known| *known), Some(2));
        assert_eq!(known.known.lock().len(), 1);
        assert_eq!(*known.get(&a, || 3), 3);
    }

    #[test]
    fn places_are_those_of_the_latest_list() {
        let (a, b) = (endpoint(&["a"]), endpoint(&["b"]));
        let mut known = PerAddress::default();
        let mut number = 0;
        for (list, expected) in [([&a, &b], [1, 2]), ([&b, &b], [2, 2]), ([&b, &a], [2, 1])] {
            known.list(&list, |_| {
                number += 1;
                number
            });
            assert_eq!([**known.at(0), **known.at(1)], expected);
        }
    }

    #[test]
    fn an_endpoint_is_all_of_its_addresses() {
        let mut known = PerAddress::default();
        known.get(&endpoint(&["b", "c"]), || 1);
        assert_eq!(known.find(&endpoint(&["b"])), None);
    }
}
