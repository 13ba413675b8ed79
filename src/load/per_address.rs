//! A policy's data about each address. It survives lost connections, new pickers and new lists, and
//! is dropped when the address leaves.
//!
//! Cost of an update: a comparison of pointers for each endpoint, and a look-up for each that was
//! not at the same index before. A report costs nothing.
//!
//! Must not depend on: the data.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable, hash_table};

use crate::endpoints::EndpointDescriptor;
use crate::stats::{BackendStatsSource, StatsSource, Table};
use crate::sync::Mutex;

/// Data by addresses. The addresses are those of the descriptors: copies would take most of the
/// memory of a backend.
#[derive(Debug)]
struct AddressTable<T> {
    table: HashTable<Entry<T>>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Entry<T> {
    /// The hash of the addresses. Stored, so that a growing table does not read them all again.
    hash: u64,
    descriptor: Arc<EndpointDescriptor>,
    data: Arc<T>,
}

impl<T> Default for AddressTable<T> {
    fn default() -> Self {
        AddressTable { table: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<T> AddressTable<T> {
    fn find(&self, addresses: &[String]) -> Option<&Arc<T>> {
        let same = |entry: &Entry<T>| entry.descriptor.addresses == addresses;
        self.table.find(self.hasher.hash_one(addresses), same).map(|entry| &entry.data)
    }

    fn get_or_insert(
        &mut self,
        descriptor: &Arc<EndpointDescriptor>,
        new: impl FnOnce() -> T,
    ) -> Arc<T> {
        let addresses = &*descriptor.addresses;
        let hash = self.hasher.hash_one(addresses);
        let same = |entry: &Entry<T>| entry.descriptor.addresses == addresses;
        match self.table.entry(hash, same, |entry| entry.hash) {
            hash_table::Entry::Occupied(mut found) => {
                let entry = found.get_mut();
                entry.descriptor.clone_from(descriptor);
                Arc::clone(&entry.data)
            }
            hash_table::Entry::Vacant(vacant) => {
                let data = Arc::new(new());
                let descriptor = Arc::clone(descriptor);
                vacant.insert(Entry { hash, descriptor, data: Arc::clone(&data) });
                data
            }
        }
    }

    fn remove(&mut self, addresses: &[String]) -> Option<Arc<T>> {
        let same = |entry: &Entry<T>| entry.descriptor.addresses == addresses;
        let found = self.table.find_entry(self.hasher.hash_one(addresses), same).ok()?;
        Some(found.remove().0.data)
    }
}

/// A policy's data about each endpoint, by its addresses. Endpoints with the same addresses share
/// it: they are the same backend.
///
/// Made by a policy, and used in the host's work serializer. Pickers get the data of single
/// endpoints, as `Arc`s, and statistics read the table on any thread.
#[derive(Debug)]
pub struct PerAddress<T> {
    /// Shared with statistics, but not with pickers.
    by_address: Arc<Mutex<AddressTable<T>>>,
    /// The data by the indices of the list in use. The descriptor is `None` once `forget` has
    /// dropped the data.
    listed: Vec<(Option<Arc<EndpointDescriptor>>, Arc<T>)>,
}

impl<T> Default for PerAddress<T> {
    fn default() -> Self {
        PerAddress { by_address: Arc::default(), listed: Vec::new() }
    }
}

impl<T> PerAddress<T> {
    /// The data of this endpoint. Makes it with `new` if there is none.
    pub fn get(&mut self, descriptor: &Arc<EndpointDescriptor>, new: impl FnOnce() -> T) -> Arc<T> {
        self.by_address.lock().get_or_insert(descriptor, new)
    }

    /// Sets the list in use, which a leaf policy hands to its picker factory. Makes missing data
    /// with `new`.
    pub fn update_list(
        &mut self,
        endpoints: &[&Arc<EndpointDescriptor>],
        mut new: impl FnMut(&EndpointDescriptor) -> T,
    ) {
        let mut by_address = self.by_address.lock();
        let others = endpoints.len().saturating_sub(by_address.table.len());
        by_address.table.reserve(others, |entry| entry.hash);
        self.listed.truncate(endpoints.len());
        self.listed.reserve(endpoints.len() - self.listed.len());
        for (index, &descriptor) in endpoints.iter().enumerate() {
            let mut entry = || {
                let data = by_address.get_or_insert(descriptor, || new(descriptor));
                (Some(Arc::clone(descriptor)), data)
            };
            match self.listed.get_mut(index) {
                Some((Some(former), _)) if Arc::ptr_eq(former, descriptor) => {}
                Some(listed) => *listed = entry(),
                None => self.listed.push(entry()),
            }
        }
    }

    /// For each index of the list in use, the first index with the same addresses and
    /// [`connection`](EndpointDescriptor::connection). `None` if all differ.
    pub fn first_places(&self) -> Option<Vec<usize>> {
        let mut first = HashMap::with_capacity(self.listed.len());
        let listed = self.listed.iter().enumerate();
        let firsts = listed.map(|(index, (descriptor, data))| {
            let connection = descriptor.as_ref().map_or(0, |descriptor| descriptor.connection);
            // Endpoints with the same addresses share the data.
            *first.entry((Arc::as_ptr(data), connection)).or_insert(index)
        });
        let firsts: Vec<usize> = firsts.collect();
        (first.len() < firsts.len()).then_some(firsts)
    }

    /// The data of the endpoint at this index of the list in use.
    pub fn at(&self, index: usize) -> &Arc<T> {
        &self.listed[index].1
    }

    /// The data of this endpoint, if there is any.
    pub fn find(&self, descriptor: &EndpointDescriptor) -> Option<Arc<T>> {
        self.by_address.lock().find(&descriptor.addresses).cloned()
    }

    /// Drops the data of these endpoints: no endpoint with their addresses is left.
    pub fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        let mut by_address = self.by_address.lock();
        let removed = gone.iter().filter_map(|gone| by_address.remove(&gone.addresses));
        let gone: Vec<Arc<T>> = removed.collect();
        drop(by_address);
        let gone: HashSet<*const T> = gone.iter().map(Arc::as_ptr).collect();
        for (descriptor, data) in &mut self.listed {
            // The list in use may change later than this. If the same addresses come back by then,
            // they must not get the old data.
            if gone.contains(&Arc::as_ptr(data)) {
                *descriptor = None;
            }
        }
    }

    /// Whether there is no data.
    pub fn is_empty(&self) -> bool {
        self.by_address.lock().table.is_empty()
    }

    /// Drops all data.
    pub fn clear(&mut self) {
        self.by_address.lock().table.clear();
        self.listed.clear();
    }
}

impl<T: BackendStatsSource> PerAddress<T> {
    /// A source of statistics for all data, which may outlive this.
    pub fn stats_source(&self) -> Arc<dyn StatsSource> {
        Arc::new(AddressStats(Arc::clone(&self.by_address)))
    }
}

struct AddressStats<T>(Arc<Mutex<AddressTable<T>>>);

impl<T: BackendStatsSource> StatsSource for AddressStats<T> {
    fn describe(&self, table: &mut Table) {
        let now = table.now();
        let copy = |entry: &Entry<T>| (Arc::clone(&entry.descriptor), Arc::clone(&entry.data));
        let all: Vec<_> = self.0.lock().table.iter().map(copy).collect();
        // Written without the lock: it may take long, and would delay updates.
        for (descriptor, data) in all {
            if let Some(row) = table.row(&descriptor.addresses) {
                data.write_stats(row, now);
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
    fn data_is_kept_until_the_address_leaves() {
        let (a, b) = (endpoint(&["a"]), endpoint(&["b", "c"]));
        let mut known = PerAddress::default();
        known.get(&a, || 1);
        known.get(&b, || 2);
        assert_eq!(*known.get(&a, || 3), 1);
        known.forget(&[Arc::clone(&a)]);
        assert_eq!(known.find(&a), None);
        assert_eq!(known.find(&b).map(|data| *data), Some(2));
        assert_eq!(known.by_address.lock().table.len(), 1);
        assert_eq!(*known.get(&a, || 3), 3);
    }

    #[test]
    fn indices_are_those_of_the_latest_list() {
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
    fn an_endpoint_is_identified_by_all_its_addresses() {
        let mut known = PerAddress::default();
        known.get(&endpoint(&["b", "c"]), || 1);
        assert_eq!(known.find(&endpoint(&["b"])), None);
    }
}
