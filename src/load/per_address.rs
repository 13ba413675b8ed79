//! What a policy remembers of each address: it survives lost connections, new pickers and new address
//! lists, and goes when the address leaves.
//!
//! Cost: O(1) for each endpoint of a new list; nothing for a report.
//!
//! Must not know: what is remembered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::endpoints::EndpointDescriptor;

/// Something remembered of each endpoint, by its addresses. Endpoints with the same addresses share it:
/// they are the same backend.
#[derive(Debug)]
pub struct PerAddress<T> {
    known: HashMap<Vec<String>, Arc<T>>,
    /// By the places of the list in use.
    listed: Vec<Arc<T>>,
}

impl<T> Default for PerAddress<T> {
    fn default() -> Self {
        PerAddress { known: HashMap::new(), listed: Vec::new() }
    }
}

impl<T> PerAddress<T> {
    /// What is remembered of this endpoint; `new` when nothing is.
    pub fn get(&mut self, of: &EndpointDescriptor, new: impl FnOnce() -> T) -> Arc<T> {
        if let Some(known) = self.known.get(&of.addresses) {
            return Arc::clone(known);
        }
        let known = Arc::new(new());
        self.known.insert(of.addresses.clone(), Arc::clone(&known));
        known
    }

    /// The list in use is this one, in the sense of [`PickerFactory::list`](crate::policy::PickerFactory::list).
    pub fn list(
        &mut self,
        endpoints: &[&Arc<EndpointDescriptor>],
        mut new: impl FnMut(&EndpointDescriptor) -> T,
    ) {
        self.listed =
            endpoints.iter().map(|endpoint| self.get(endpoint, || new(endpoint))).collect();
    }

    /// What is remembered of the endpoint with this place in the list in use.
    pub fn at(&self, place: usize) -> &Arc<T> {
        &self.listed[place]
    }

    /// What is remembered of this endpoint.
    pub fn find(&self, of: &EndpointDescriptor) -> Option<&Arc<T>> {
        self.known.get(&of.addresses)
    }

    /// Forgets all but these endpoints.
    pub fn keep(&mut self, endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {
        let kept: HashSet<&[String]> =
            endpoints.map(|endpoint| endpoint.addresses.as_slice()).collect();
        self.known.retain(|addresses, _| kept.contains(addresses.as_slice()));
    }

    /// All that is remembered.
    pub fn iter(&self) -> impl Iterator<Item = (&[String], &Arc<T>)> {
        self.known.iter().map(|(addresses, known)| (addresses.as_slice(), known))
    }
}

#[cfg(test)]
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
        assert_eq!(known.find(&b).map(|known| **known), Some(2));
        assert_eq!(known.iter().count(), 1);
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
