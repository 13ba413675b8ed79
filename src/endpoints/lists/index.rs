//! The endpoints of both lists, found by their numbers and by their addresses.
//!
//! Reports look endpoints up by number, updates by addresses. Endpoints with the same addresses are
//! *duplicates*. They are rare, so only their number is kept here, and updates search the lists for
//! them.
//!
//! Must not depend on: lists, the rules of connectivity.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use slab::Slab;

use crate::endpoints::{ById, Connection, Endpoint, EndpointDescriptor, EndpointId, Report};

/// An endpoint of the current list, the pending list, or both.
///
/// Made by an update of the resolver. Kept with its connection while the host would make it the
/// same way. Dropped when neither list has it any more. Used in the host's work serializer only.
pub(super) struct TrackedEndpoint {
    pub(super) endpoint: Box<dyn Endpoint>,
    pub(super) descriptor: Arc<EndpointDescriptor>,
    /// The latest report.
    pub(super) reported: Option<Report>,
    /// Its index in the current list.
    pub(super) current: Option<u32>,
    /// Its index in the pending list.
    pub(super) pending: Option<u32>,
    /// The hash of its addresses. Stored, because reading the addresses again when the endpoint is
    /// removed would cost more than the rest of the removal.
    hash: u64,
    /// Another endpoint has, or had, the same addresses.
    pub(super) duplicate: bool,
    /// [`EndpointHost::made_with`](crate::endpoints::EndpointHost::made_with) when it was made, or
    /// when it last matched a descriptor.
    made_with: Option<u64>,
}

impl TrackedEndpoint {
    /// Its connection, if it is READY.
    pub(super) fn connection(&self) -> Option<&Connection> {
        match &self.reported {
            Some(Report::Ready(connection)) => Some(connection),
            _ => None,
        }
    }

    /// Whether the host would make the same endpoint for this descriptor.
    pub(super) fn fits(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
        made_with: Option<u64>,
    ) -> bool {
        let same = Arc::ptr_eq(&self.descriptor, descriptor);
        (same && made_with.is_some() && self.made_with == made_with)
            || (same || self.descriptor.addresses == descriptor.addresses)
                && self.endpoint.matches(descriptor)
    }

    /// Stores the resolver's latest descriptor. Returns whether it differs from the one before.
    pub(super) fn describe(
        &mut self,
        descriptor: &Arc<EndpointDescriptor>,
        made_with: Option<u64>,
    ) -> bool {
        self.made_with = made_with;
        if Arc::ptr_eq(&self.descriptor, descriptor) {
            return false;
        }
        let former = std::mem::replace(&mut self.descriptor, Arc::clone(descriptor));
        former != *descriptor
    }
}

/// Endpoints with the same addresses: one backend. It is listed several times, or an update has
/// changed its description, and the endpoint of the former list is still in use.
#[derive(Default)]
struct Duplicates {
    endpoints: usize,
    /// How many of them are READY.
    ready: usize,
    /// How many of them reported a failure last.
    failed: usize,
    /// Whether the backend has a connection, or had one until the last endpoint with a connection
    /// was dropped. The others are then about to report that they have one, too.
    connected: bool,
}

impl Duplicates {
    fn add(&mut self, reported: Option<&Report>) {
        self.endpoints += 1;
        self.count(reported, 1);
        self.connected |= self.ready > 0;
    }

    fn remove(&mut self, reported: Option<&Report>) {
        self.endpoints -= 1;
        self.count(reported, -1);
        if self.ready == 0 && self.failed == self.endpoints {
            self.connected = false;
        }
    }

    /// One of them reports. Returns whether the backend has a new connection.
    fn record(&mut self, former: Option<&Report>, report: &Report) -> bool {
        self.count(former, -1);
        self.count(Some(report), 1);
        let lost = match report {
            Report::Ready(_) => return !std::mem::replace(&mut self.connected, true),
            Report::TransientFailure(_) => true,
            // An endpoint begins with these.
            Report::Idle => former.is_some(),
            Report::Connecting => matches!(former, Some(Report::Ready(_))),
        };
        if lost && self.ready == 0 {
            self.connected = false;
        }
        false
    }

    fn count(&mut self, reported: Option<&Report>, change: isize) {
        let number = match reported {
            Some(Report::Ready(_)) => &mut self.ready,
            Some(Report::TransientFailure(_)) => &mut self.failed,
            _ => return,
        };
        *number = number.wrapping_add_signed(change);
    }
}

/// Stores endpoints under small keys. The key of an endpoint stays the same as long as it is
/// tracked.
#[derive(Default)]
pub(super) struct EndpointIndex {
    /// A slab and not a map: an update goes over all entries, which here lie close together, one
    /// load away.
    tracked: Slab<TrackedEndpoint>,
    by_id: ById,
    /// The keys of endpoints that are not duplicates.
    by_addresses: HashTable<u32>,
    /// The duplicates with these addresses.
    duplicates: HashMap<Vec<String>, Duplicates>,
    hasher: DefaultHashBuilder,
}

impl EndpointIndex {
    pub(super) fn at(&self, key: u32) -> &TrackedEndpoint {
        &self.tracked[key as usize]
    }

    pub(super) fn at_mut(&mut self, key: u32) -> &mut TrackedEndpoint {
        &mut self.tracked[key as usize]
    }

    pub(super) fn key(&self, id: EndpointId) -> Option<u32> {
        self.by_id.get(id)
    }

    pub(super) fn get(&self, id: EndpointId) -> Option<&TrackedEndpoint> {
        self.key(id).map(|key| self.at(key))
    }

    pub(super) fn hash(&self, addresses: &[String]) -> u64 {
        self.hasher.hash_one(addresses)
    }

    /// The key of the endpoint with these addresses, unless there are duplicates of it. `hash` is
    /// the hash of the addresses.
    pub(super) fn find(&self, addresses: &[String], hash: u64) -> Option<u32> {
        let same = |key: &u32| self.at(*key).descriptor.addresses == addresses;
        self.by_addresses.find(hash, same).copied()
    }

    /// All keys are below this number.
    pub(super) fn capacity(&self) -> usize {
        self.tracked.capacity()
    }

    pub(super) fn has_duplicates(&self) -> bool {
        !self.duplicates.is_empty()
    }

    /// Makes room for this many more endpoints.
    pub(super) fn reserve(&mut self, additional: usize) {
        let EndpointIndex { tracked, by_addresses, .. } = self;
        by_addresses.reserve(additional, |key| tracked[*key as usize].hash);
        tracked.reserve(additional);
    }

    /// Adds an endpoint. Returns its key.
    pub(super) fn insert(
        &mut self,
        endpoint: Box<dyn Endpoint>,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> u32 {
        let id = endpoint.id();
        let hash = self.hash(&descriptor.addresses);
        let duplicate = self.count_duplicate(&descriptor.addresses, hash);
        let key = self.tracked.insert(TrackedEndpoint {
            endpoint,
            descriptor: Arc::clone(descriptor),
            reported: None,
            current: None,
            pending: None,
            hash,
            duplicate,
            made_with: None,
        });
        let key = u32::try_from(key).expect("a host's update has fewer endpoints");
        if !duplicate {
            let EndpointIndex { tracked, by_addresses, .. } = self;
            by_addresses.insert_unique(hash, key, |key| tracked[*key as usize].hash);
        }
        self.by_id.insert(id, key);
        key
    }

    /// Returns whether an endpoint with these addresses exists. If so, counts the new one as a
    /// duplicate, and the existing one too if it was the only one so far.
    fn count_duplicate(&mut self, addresses: &Vec<String>, hash: u64) -> bool {
        if let Some(duplicates) = self.duplicates.get_mut(addresses) {
            duplicates.add(None);
            return true;
        }
        let Some(other) = self.find(addresses, hash) else { return false };
        self.remove_from_table(other);
        let mut duplicates = Duplicates::default();
        let other = self.at_mut(other);
        other.duplicate = true;
        duplicates.add(other.reported.as_ref());
        duplicates.add(None);
        self.duplicates.insert(addresses.clone(), duplicates);
        true
    }

    /// Stores an endpoint's report. Returns whether its backend has a new connection. It does not
    /// if an update only changed the description, and the backend had a connection until then.
    pub(super) fn record(&mut self, key: u32, report: Report) -> bool {
        let EndpointIndex { tracked, duplicates: all, .. } = self;
        let tracked = &mut tracked[key as usize];
        let former = tracked.reported.as_ref();
        let addresses = tracked.duplicate.then_some(&tracked.descriptor.addresses);
        let is_new = match addresses.and_then(|addresses| all.get_mut(addresses)) {
            Some(duplicates) => duplicates.record(former, &report),
            None => {
                let is_ready = |report: &Report| matches!(report, Report::Ready(_));
                is_ready(&report) && !former.is_some_and(is_ready)
            }
        };
        tracked.reported = Some(report);
        is_new
    }

    fn remove_from_table(&mut self, key: u32) {
        let hash = self.at(key).hash;
        if let Ok(entry) = self.by_addresses.find_entry(hash, |other| *other == key) {
            entry.remove();
        }
    }

    /// Removes an endpoint. Returns its descriptor if no endpoint with its addresses is left.
    pub(super) fn remove(&mut self, key: u32) -> Option<Arc<EndpointDescriptor>> {
        if !self.at(key).duplicate {
            self.remove_from_table(key);
        }
        let tracked = self.tracked.remove(key as usize);
        self.by_id.remove(tracked.endpoint.id());
        let descriptor = tracked.descriptor;
        if tracked.duplicate {
            let duplicates = self.duplicates.get_mut(&descriptor.addresses)?;
            duplicates.remove(tracked.reported.as_ref());
            if duplicates.endpoints > 0 {
                return None;
            }
            self.duplicates.remove(&descriptor.addresses);
        }
        Some(descriptor)
    }
}
