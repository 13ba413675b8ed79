//! What a policy remembers of each address: it survives lost connections, new pickers and new address
//! lists, and goes when the address leaves.
//!
//! Cost: a comparison of pointers for each endpoint of a new list, and a look-up for each that was not at its place in
//! the list before; nothing for a report.
//!
//! Must not know: what is remembered.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable, hash_table};

use crate::endpoints::EndpointDescriptor;
use crate::stats::{BackendStatsSource, StatsSource, Table};
use crate::sync::Mutex;

/// By addresses, which are those of the descriptors: copies of them would be most of what a backend takes.
#[derive(Debug)]
struct AddressTable<T> {
    table: HashTable<Entry<T>>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Entry<T> {
    /// Of the addresses: a table that grows is not to read them all again.
    hash: u64,
    of: Arc<EndpointDescriptor>,
    known: Arc<T>,
}

impl<T> Default for AddressTable<T> {
    fn default() -> Self {
        AddressTable { table: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<T> AddressTable<T> {
    fn find(&self, addresses: &[String]) -> Option<&Arc<T>> {
        let same = |entry: &Entry<T>| entry.of.addresses == addresses;
        self.table.find(self.hasher.hash_one(addresses), same).map(|entry| &entry.known)
    }

    fn get(&mut self, of: &Arc<EndpointDescriptor>, new: impl FnOnce() -> T) -> Arc<T> {
        let hash = self.hasher.hash_one(&*of.addresses);
        let same = |entry: &Entry<T>| entry.of.addresses == of.addresses;
        match self.table.entry(hash, same, |entry| entry.hash) {
            hash_table::Entry::Occupied(mut found) => {
                let entry = found.get_mut();
                entry.of.clone_from(of);
                Arc::clone(&entry.known)
            }
            hash_table::Entry::Vacant(place) => {
                let known = Arc::new(new());
                place.insert(Entry { hash, of: Arc::clone(of), known: Arc::clone(&known) });
                known
            }
        }
    }

    fn remove(&mut self, addresses: &[String]) -> Option<Arc<T>> {
        let same = |entry: &Entry<T>| entry.of.addresses == addresses;
        let found = self.table.find_entry(self.hasher.hash_one(addresses), same).ok()?;
        Some(found.remove().0.known)
    }
}

/// Something remembered of each endpoint, by its addresses. Endpoints with the same addresses share it:
/// they are the same backend.
#[derive(Debug)]
pub struct PerAddress<T> {
    /// Shared with statistics, which read it when they are asked, and never with pickers.
    known: Arc<Mutex<AddressTable<T>>>,
    /// By the places of the list in use, each with what is listed there, unless that has left.
    listed: Vec<(Option<Arc<EndpointDescriptor>>, Arc<T>)>,
}

impl<T> Default for PerAddress<T> {
    fn default() -> Self {
        PerAddress { known: Arc::default(), listed: Vec::new() }
    }
}

impl<T> PerAddress<T> {
    /// What is remembered of this endpoint; `new` when nothing is.
    pub fn get(&mut self, of: &Arc<EndpointDescriptor>, new: impl FnOnce() -> T) -> Arc<T> {
        self.known.lock().get(of, new)
    }

    /// The list in use is this one, which a leaf policy hands to its picker factory.
    pub fn update_list(
        &mut self,
        endpoints: &[&Arc<EndpointDescriptor>],
        mut new: impl FnMut(&EndpointDescriptor) -> T,
    ) {
        let mut known = self.known.lock();
        let others = endpoints.len().saturating_sub(known.table.len());
        known.table.reserve(others, |entry| entry.hash);
        self.listed.truncate(endpoints.len());
        self.listed.reserve(endpoints.len() - self.listed.len());
        for (place, &of) in endpoints.iter().enumerate() {
            match self.listed.get_mut(place) {
                Some((Some(was), _)) if Arc::ptr_eq(was, of) => {}
                Some(listed) => *listed = (Some(Arc::clone(of)), known.get(of, || new(of))),
                None => self.listed.push((Some(Arc::clone(of)), known.get(of, || new(of)))),
            }
        }
    }

    /// For each place of the list in use, the first one with the same addresses; none: all differ.
    pub fn first_places(&self) -> Option<Vec<usize>> {
        let mut first = HashMap::with_capacity(self.listed.len());
        let listed = self.listed.iter().enumerate();
        let places = listed.map(|(place, (_, known))| {
            // Those with the same addresses share it.
            *first.entry(Arc::as_ptr(known)).or_insert(place)
        });
        let places: Vec<usize> = places.collect();
        (first.len() < places.len()).then_some(places)
    }

    /// What is remembered of the endpoint with this place in the list in use.
    pub fn at(&self, place: usize) -> &Arc<T> {
        &self.listed[place].1
    }

    /// What is remembered of this endpoint.
    pub fn find(&self, of: &EndpointDescriptor) -> Option<Arc<T>> {
        self.known.lock().find(&of.addresses).cloned()
    }

    /// Forgets these endpoints: none with their addresses is left.
    pub fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        let mut known = self.known.lock();
        let gone: Vec<Arc<T>> = gone.iter().filter_map(|of| known.remove(&of.addresses)).collect();
        drop(known);
        let gone: HashSet<*const T> = gone.iter().map(Arc::as_ptr).collect();
        for (of, known) in &mut self.listed {
            // The list in use may change late, and the same addresses may be back by then: it is not what they get.
            if gone.contains(&Arc::as_ptr(known)) {
                *of = None;
            }
        }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.lock().table.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.known.lock().table.clear();
        self.listed.clear();
    }
}

impl<T: BackendStatsSource> PerAddress<T> {
    /// What tells of all that is remembered, for as long as it is asked.
    pub fn stats_source(&self) -> Arc<dyn StatsSource> {
        Arc::new(AddressStats(Arc::clone(&self.known)))
    }
}

struct AddressStats<T>(Arc<Mutex<AddressTable<T>>>);

impl<T: BackendStatsSource> StatsSource for AddressStats<T> {
    fn describe(&self, table: &mut Table) {
        let now = table.now();
        let known = |entry: &Entry<T>| (Arc::clone(&entry.of), Arc::clone(&entry.known));
        let all: Vec<_> = self.0.lock().table.iter().map(known).collect();
        // Not within the lock: telling takes its time, and updates would have to wait.
        for (of, known) in all {
            if let Some(row) = table.row(&of.addresses) {
                known.write_stats(row, now);
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
        known.forget(&[Arc::clone(&a)]);
        assert_eq!(known.find(&a), None);
        assert_eq!(known.find(&b).map(|known| *known), Some(2));
        assert_eq!(known.known.lock().table.len(), 1);
        assert_eq!(*known.get(&a, || 3), 3);
    }

    #[test]
    fn places_are_those_of_the_latest_list() {
        let (a, b) = (endpoint(&["a"]), endpoint(&["b"]));
        let mut known = PerAddress::default();
        let mut number = 0;
        for (list, expected) in [([&a, &b], [1, 2]), ([&b, &b], [2, 2]), ([&b, &a], [2, 1])] {
            known.update_list(&list, |_| {
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
