//! The current and the pending address list of a policy, and what updates and reports do to both.
//!
//! The rules are those of gRPC's `round_robin`; their numbers are those of the tests in
//! `tests/connectivity.rs`. An endpoint that stays the same from one list to the next is kept,
//! with its connection and with what it last reported; gRPC makes it anew and asks again.
//!
//! Cost: O(1) for a report, but for one that swaps the pending list in: O(endpoints). The very list that is in use already
//! costs O(1) if all that have reported are READY. Another update compares each
//! endpoint with the one at the same place of the current list, O(endpoints) with a few loads each; what is not found
//! there costs a look-up in a hash table, a new endpoint what the host takes for it, and a place whose connection is
//! another one O(log endpoints).
//!
//! Must not know: how a backend is chosen, the C ABI.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use slab::Slab;

use super::list::{Aggregate, List};
use super::{
    ById, Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointHost, EndpointId,
    PersistentVec, Report,
};
use crate::{Severity, Status};

/// An endpoint that is in one list or both.
struct TrackedEndpoint {
    endpoint: Box<dyn Endpoint>,
    descriptor: Arc<EndpointDescriptor>,
    /// What it reported last.
    reported: Option<Report>,
    /// Its places in the current and in the pending list.
    current: Option<u32>,
    pending: Option<u32>,
    /// Of its addresses. Known, because to read them again when it leaves would take longer than all else there is to do.
    hash: u64,
    /// There is another one with the same addresses, or has been.
    duplicate: bool,
    /// What [`EndpointHost::made_with`] was when it was made, or matched last.
    made_with: Option<u64>,
}

impl TrackedEndpoint {
    /// What it can be reached over; none unless it is READY.
    fn connection(&self) -> Option<&Connection> {
        match &self.reported {
            Some(Report::Ready(connection)) => Some(connection),
            _ => None,
        }
    }

    /// Whether the host would make it just the same.
    fn fits(&self, descriptor: &Arc<EndpointDescriptor>, made_with: Option<u64>) -> bool {
        let same = Arc::ptr_eq(&self.descriptor, descriptor);
        (same && made_with.is_some() && self.made_with == made_with)
            || (same || self.descriptor.addresses == descriptor.addresses)
                && self.endpoint.matches(descriptor)
    }

    /// This is what the resolver says of it now. Returns whether that is something else.
    fn describe(&mut self, descriptor: &Arc<EndpointDescriptor>, made_with: Option<u64>) -> bool {
        self.made_with = made_with;
        if Arc::ptr_eq(&self.descriptor, descriptor) {
            return false;
        }
        let former = std::mem::replace(&mut self.descriptor, Arc::clone(descriptor));
        former != *descriptor
    }
}

/// Endpoints by numbers of this, which reports look up, and by their addresses, which lists do.
#[derive(Default)]
struct Endpoints {
    /// Few bytes apart and one load away, unlike what a map has: an update goes over all of it.
    tracked: Slab<TrackedEndpoint>,
    by_id: ById,
    /// Those that are no duplicates.
    by_addresses: HashTable<u32>,
    /// How many duplicates have these addresses.
    duplicates: HashMap<Vec<String>, usize>,
    hasher: DefaultHashBuilder,
}

impl Endpoints {
    fn at(&self, key: u32) -> &TrackedEndpoint {
        &self.tracked[key as usize]
    }

    fn at_mut(&mut self, key: u32) -> &mut TrackedEndpoint {
        &mut self.tracked[key as usize]
    }

    fn get(&self, id: EndpointId) -> Option<&TrackedEndpoint> {
        self.by_id.get(id).map(|key| self.at(key))
    }

    /// The endpoint with these addresses, of which this is the hash, if it is no duplicate.
    fn find(&self, addresses: &[String], hash: u64) -> Option<u32> {
        let same = |key: &u32| self.at(*key).descriptor.addresses == addresses;
        self.by_addresses.find(hash, same).copied()
    }

    /// So many more are about to come.
    fn reserve(&mut self, additional: usize) {
        let Endpoints { tracked, by_addresses, .. } = self;
        by_addresses.reserve(additional, |key| tracked[*key as usize].hash);
        tracked.reserve(additional);
    }

    fn insert(&mut self, endpoint: Box<dyn Endpoint>, descriptor: &Arc<EndpointDescriptor>) -> u32 {
        let id = endpoint.id();
        let addresses = &descriptor.addresses;
        let hash = self.hasher.hash_one(&**addresses);
        let mut duplicate = false;
        if let Some(count) = self.duplicates.get_mut(addresses) {
            *count += 1;
            duplicate = true;
        } else if let Some(other) = self.find(addresses, hash) {
            self.take_address(other);
            self.at_mut(other).duplicate = true;
            self.duplicates.insert(addresses.clone(), 2);
            duplicate = true;
        }
        let descriptor = Arc::clone(descriptor);
        let tracked = TrackedEndpoint {
            endpoint,
            descriptor,
            reported: None,
            current: None,
            pending: None,
            hash,
            duplicate,
            made_with: None,
        };
        let key = self.tracked.insert(tracked);
        let key = u32::try_from(key).expect("a host's update has fewer endpoints");
        if !duplicate {
            let Endpoints { tracked, by_addresses, .. } = self;
            by_addresses.insert_unique(hash, key, |key| tracked[*key as usize].hash);
        }
        self.by_id.insert(id, key);
        key
    }

    fn take_address(&mut self, key: u32) {
        let hash = self.at(key).hash;
        if let Ok(entry) = self.by_addresses.find_entry(hash, |other| *other == key) {
            entry.remove();
        }
    }

    /// Returns its descriptor if no endpoint with its addresses is left.
    fn remove(&mut self, key: u32) -> Option<Arc<EndpointDescriptor>> {
        if !self.at(key).duplicate {
            self.take_address(key);
        }
        let tracked = self.tracked.remove(key as usize);
        self.by_id.remove(tracked.endpoint.id());
        let descriptor = tracked.descriptor;
        if tracked.duplicate {
            let count = self.duplicates.get_mut(&descriptor.addresses)?;
            *count -= 1;
            if *count > 0 {
                return None;
            }
            self.duplicates.remove(&descriptor.addresses);
        }
        Some(descriptor)
    }
}

/// What an update led to.
#[derive(Debug)]
pub struct UpdateOutcome {
    /// What the resolver is told: whether the update was accepted.
    pub accepted: Result<(), Status>,
    /// What to publish, if anything.
    pub aggregate: Option<Aggregate>,
}

/// Keeps one connection to every endpoint of the current list, and readies the pending one.
pub struct EndpointLists<H: ?Sized> {
    host: Arc<H>,
    endpoints: Endpoints,
    current: Option<List>,
    pending: Option<List>,
    /// The connections of the READY endpoints of the current list, by their places in it.
    ready: PersistentVec<Connection>,
    /// The list that was handed in last, if all of it is what the current list has, and what [`EndpointHost::made_with`] was then.
    latest: Option<(Arc<[Arc<EndpointDescriptor>]>, u64)>,
    /// Counts the current lists that differ from the one before.
    list_number: u64,
    /// Those whose addresses no endpoint has any more, until somebody asks.
    gone: Vec<Arc<EndpointDescriptor>>,
}

impl<H: EndpointHost + ?Sized> EndpointLists<H> {
    /// No endpoints yet. Endpoints are made by `host`.
    pub fn new(host: Arc<H>) -> EndpointLists<H> {
        EndpointLists {
            host,
            endpoints: Endpoints::default(),
            current: None,
            pending: None,
            ready: PersistentVec::new(0),
            latest: None,
            list_number: 0,
            gone: Vec::new(),
        }
    }

    /// Takes a resolver's answer: a list of endpoints, or why there is none.
    pub fn update(
        &mut self,
        endpoints: Result<&Arc<[Arc<EndpointDescriptor>]>, &Status>,
        resolution_note: &str,
    ) -> UpdateOutcome {
        // Rule 6: an error leaves the list that is in use.
        let (descriptors, error) = match endpoints {
            Ok(descriptors) => (Arc::clone(descriptors), None),
            Err(error) if self.current.is_some() => {
                return UpdateOutcome { accepted: Err(error.clone()), aggregate: None };
            }
            Err(error) => (Arc::default(), Some(error)),
        };
        let made_with = self.host.made_with();
        let latest = self.latest.take();
        let same = |(latest, with): &(Arc<_>, u64)| {
            Arc::ptr_eq(latest, &descriptors) && made_with == Some(*with)
        };
        let is_latest = latest.as_ref().is_some_and(same);
        if is_latest || self.repeats(&descriptors, made_with) {
            let aggregate = self.repeat(&descriptors, made_with, is_latest);
            self.latest = made_with.map(|made_with| (descriptors, made_with));
            return UpdateOutcome { accepted: Ok(()), aggregate };
        }
        self.replace_pending(&descriptors);
        if self.pending.as_ref().is_some_and(|list| list.len() == 0) {
            self.promote();
            let status = error.cloned().unwrap_or_else(|| {
                Status::unavailable(format!("empty address list: {resolution_note}"))
            });
            return UpdateOutcome {
                accepted: Err(status.clone()),
                aggregate: Some(Aggregate::TransientFailure(status)),
            };
        }
        if self.current.is_none() {
            // All of it is new, and has not reported anything.
            self.promote();
            return UpdateOutcome { accepted: Ok(()), aggregate: Some(Aggregate::Connecting) };
        }
        UpdateOutcome { accepted: Ok(()), aggregate: self.introduce_pending() }
    }

    /// Takes an endpoint's report; returns what to publish, if anything. `Err` when there is no
    /// such endpoint (any more).
    pub fn report(
        &mut self,
        id: EndpointId,
        report: Report,
    ) -> Result<Option<Aggregate>, UnknownEndpoint> {
        let key = self.endpoints.by_id.get(id).ok_or(UnknownEndpoint)?;
        let tracked = self.endpoints.at_mut(key);
        let state = report.state();
        // Rule 4: the resolver may know better. Not at the first report, or resolving anew would
        // lead to resolving anew.
        let lost = matches!(state, Connectivity::Idle | Connectivity::TransientFailure);
        if lost && tracked.reported.is_some() {
            self.host.request_reresolution();
        }
        if state == Connectivity::Idle {
            tracked.endpoint.connect();
        }
        let cause = match &report {
            Report::TransientFailure(status) => Some(status.clone()),
            _ => None,
        };
        tracked.reported = Some(report);
        let (in_current, in_pending) = (tracked.current, tracked.pending);
        let mut published = None;
        if let (Some(index), Some(list)) = (in_current, self.current.as_mut()) {
            list.record(index as usize, state);
            published = list.aggregate(cause.as_ref());
            self.ready.set(index as usize, tracked.connection().cloned());
        }
        if let (Some(index), Some(list)) = (in_pending, self.pending.as_mut()) {
            list.record(index as usize, state);
            if self.promote_if_due() {
                // Where the new list has nothing to say yet, what the old one said last holds.
                let aggregate =
                    self.current.as_mut().and_then(|list| list.aggregate(cause.as_ref()));
                published = aggregate.or(published);
            }
        }
        Ok(published)
    }

    /// Forgets the backoff of every endpoint, in the order of the lists.
    pub fn reset_backoff(&self) {
        for key in self.listed() {
            self.endpoints.at(key).endpoint.reset_backoff();
        }
    }

    /// The READY endpoints of the current list with their places in it, in its order.
    pub fn ready(&self) -> impl Iterator<Item = (usize, &Connection, &Arc<EndpointDescriptor>)> {
        let entries = self.current.as_ref().map_or(&[][..], List::entries);
        self.ready.iter().map(|(place, connection)| {
            (place, connection, &self.endpoints.at(entries[place].key).descriptor)
        })
    }

    /// The connections of the READY endpoints of the current list, by their places in it.
    pub fn connections(&self) -> &PersistentVec<Connection> {
        &self.ready
    }

    /// A number that changes when the current list has other endpoints or another order, or when something else is
    /// known of one of them.
    pub fn list_number(&self) -> u64 {
        self.list_number
    }

    /// What the resolver knew of endpoints that have left since this was asked last. No endpoint with their addresses
    /// is left.
    pub fn take_gone(&mut self) -> Vec<Arc<EndpointDescriptor>> {
        std::mem::take(&mut self.gone)
    }

    /// What the resolver knows of the endpoints of the current list, in its order.
    pub fn listed_descriptors(&self) -> impl Iterator<Item = &Arc<EndpointDescriptor>> {
        let entries = self.current.iter().flat_map(List::entries);
        entries.map(|entry| &self.endpoints.at(entry.key).descriptor)
    }

    /// What the resolver knows of the endpoint at this place of the current list.
    pub fn listed_descriptor(&self, place: usize) -> Option<&Arc<EndpointDescriptor>> {
        let entry = self.current.as_ref()?.entries().get(place)?;
        Some(&self.endpoints.at(entry.key).descriptor)
    }

    /// What the resolver knows of this endpoint.
    pub fn descriptor(&self, id: EndpointId) -> Option<&Arc<EndpointDescriptor>> {
        self.endpoints.get(id).map(|tracked| &tracked.descriptor)
    }

    /// Whether READY is what this endpoint reported last.
    pub fn is_ready(&self, id: EndpointId) -> bool {
        self.endpoints.get(id).is_some_and(|tracked| tracked.connection().is_some())
    }

    /// Whether these are the endpoints of the current list once more.
    fn repeats(&self, descriptors: &[Arc<EndpointDescriptor>], made_with: Option<u64>) -> bool {
        let current = self.current.as_ref().map_or(&[][..], List::entries);
        // An empty list is not just listed anew: it is announced.
        !current.is_empty()
            && current.len() == descriptors.len()
            && current
                .iter()
                .zip(descriptors)
                .all(|(entry, descriptor)| self.endpoints.at(entry.key).fits(descriptor, made_with))
    }

    /// The current list comes once more, and takes the place of itself: it is due as soon as any of its endpoints has
    /// reported anything, which is to say now, or else there is no telling the two apart. `is_latest`: even the descriptors
    /// are those that it has.
    fn repeat(
        &mut self,
        descriptors: &[Arc<EndpointDescriptor>],
        made_with: Option<u64>,
        is_latest: bool,
    ) -> Option<Aggregate> {
        let former = self.pending.take();
        for entry in former.iter().flat_map(List::entries) {
            self.endpoints.at_mut(entry.key).pending = None;
        }
        self.drop_unlisted(former);
        let list = self.current.as_mut()?;
        if is_latest && list.is_settled() {
            return list.has_ready().then_some(Aggregate::Ready);
        }
        for (entry, descriptor) in list.entries().iter().zip(descriptors) {
            if self.endpoints.at_mut(entry.key).describe(descriptor, made_with) {
                self.list_number += 1;
            }
        }
        list.begin_anew();
        let introduced = introduce(list, &self.endpoints);
        introduced.any.then(|| list.aggregate(introduced.cause)).flatten()
    }

    /// Makes a list of `descriptors` the pending one: keeps the endpoints that stay, makes the new
    /// ones, and drops those that only the former pending list had.
    fn replace_pending(&mut self, descriptors: &[Arc<EndpointDescriptor>]) {
        let kept = self.kept(descriptors);
        let former = self.pending.take();
        for entry in former.iter().flat_map(List::entries) {
            self.endpoints.at_mut(entry.key).pending = None;
        }
        let made_with = self.host.made_with();
        self.endpoints.reserve(kept.iter().filter(|kept| kept.is_none()).count());
        let mut keys = Vec::with_capacity(descriptors.len());
        for (descriptor, kept) in descriptors.iter().zip(kept) {
            let key = match kept {
                Some(key) => key,
                None => match self.host.create_endpoint(descriptor) {
                    Ok(endpoint) => self.endpoints.insert(endpoint, descriptor),
                    Err(status) => {
                        self.host.log(
                            Severity::Debug,
                            &format!("no endpoint for {:?}: {status}", descriptor.addresses),
                        );
                        continue;
                    }
                },
            };
            let tracked = self.endpoints.at_mut(key);
            if tracked.describe(descriptor, made_with) {
                self.list_number += 1;
            }
            tracked.pending = Some(keys.len() as u32);
            keys.push(key);
        }
        self.pending = Some(List::new(keys.into_iter()));
        self.drop_unlisted(former);
    }

    /// Every endpoint once: those of the current list, then those that only the pending one has.
    fn listed(&self) -> impl Iterator<Item = u32> {
        let current = self.current.iter().flat_map(List::entries);
        let pending = self.pending.iter().flat_map(List::entries);
        let only_pending = pending.filter(|entry| self.endpoints.at(entry.key).current.is_none());
        current.chain(only_pending).map(|entry| entry.key)
    }

    /// For each of `descriptors` the endpoint there is for it, if the host would make it just the same. Of
    /// several with the same addresses, the first in the new list gets the first in the old ones.
    fn kept(&self, descriptors: &[Arc<EndpointDescriptor>]) -> Vec<Option<u32>> {
        let endpoints = &self.endpoints;
        let current = self.current.as_ref().map_or(&[][..], List::entries);
        let made_with = self.host.made_with();
        let mut taken = vec![false; endpoints.tracked.capacity()];
        let mut duplicates = None;
        // Where the current list goes on, after the place of the last one that was found.
        let mut next = 0;
        let mut take = |descriptor: &Arc<EndpointDescriptor>| {
            let expected = current.get(next).map(|entry| entry.key);
            let alone = |key: &u32| !endpoints.at(*key).duplicate;
            let fits =
                |key: &u32| !taken[*key as usize] && endpoints.at(*key).fits(descriptor, made_with);
            let found = expected.filter(alone).filter(fits).or_else(|| {
                let hash = endpoints.hasher.hash_one(&*descriptor.addresses);
                if let Some(key) = endpoints.find(&descriptor.addresses, hash) {
                    return Some(key).filter(fits);
                }
                let duplicates = duplicates.get_or_insert_with(|| self.duplicates());
                let same = duplicates.get_mut(descriptor.addresses.as_slice())?;
                let at = same.iter().position(fits)?;
                same.remove(at)
            })?;
            taken[found as usize] = true;
            if let Some(place) = endpoints.at(found).current {
                next = place as usize + 1;
            }
            Some(found)
        };
        descriptors.iter().map(&mut take).collect()
    }

    /// The endpoints that are not alone with their addresses, by these, each in the order of the lists.
    fn duplicates(&self) -> HashMap<&[String], VecDeque<u32>> {
        let mut duplicates: HashMap<&[String], VecDeque<u32>> = HashMap::new();
        if self.endpoints.duplicates.is_empty() {
            return duplicates;
        }
        for key in self.listed() {
            let tracked = self.endpoints.at(key);
            if tracked.duplicate {
                duplicates.entry(&tracked.descriptor.addresses).or_default().push_back(key);
            }
        }
        duplicates
    }

    /// The pending list hears of its kept endpoints, and may be due.
    fn introduce_pending(&mut self) -> Option<Aggregate> {
        let introduced = introduce(self.pending.as_mut()?, &self.endpoints);
        let (any, cause) = (introduced.any, introduced.cause.cloned());
        if !any || !self.promote_if_due() {
            return None;
        }
        self.current.as_mut().and_then(|list| list.aggregate(cause.as_ref()))
    }

    /// Rule 5: swaps the pending list in when it is due.
    fn promote_if_due(&mut self) -> bool {
        let Some(pending) = &self.pending else {
            return false;
        };
        let current_ready = self.current.as_ref().is_some_and(List::has_ready);
        let due = !current_ready || pending.has_ready() || pending.all_failed();
        if due {
            self.promote();
        }
        due
    }

    /// Makes the pending list the current one and drops the endpoints that only the latter had.
    fn promote(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let former = self.current.take();
        let entries = former.as_ref().map_or(&[][..], List::entries);
        for entry in entries {
            self.endpoints.at_mut(entry.key).current = None;
        }
        let pairs = || entries.iter().zip(pending.entries());
        let differ = pairs().filter(|(was, is)| was.key != is.key).count();
        // Where most of it is another list, it is faster to begin anew than to change what pickers share.
        let stays = entries.len() == pending.len() && differ <= pending.len() / 2;
        if !stays {
            self.list_number += 1;
            self.ready = PersistentVec::new(pending.len());
        }
        for (place, entry) in pending.entries().iter().enumerate() {
            let tracked = self.endpoints.at_mut(entry.key);
            tracked.current = tracked.pending.take();
            // What is known of its connection is known at this place, too, if it was there.
            if !stays || entries[place].key != entry.key {
                self.ready.set(place, tracked.connection().cloned());
                self.list_number += 1;
            }
        }
        self.current = Some(pending);
        self.drop_unlisted(former);
    }

    /// Drops the endpoints of a list that was replaced, unless another list still has them.
    fn drop_unlisted(&mut self, former: Option<List>) {
        for entry in former.iter().flat_map(List::entries) {
            let tracked = self.endpoints.at(entry.key);
            if tracked.current.is_none() && tracked.pending.is_none() {
                self.gone.extend(self.endpoints.remove(entry.key));
            }
        }
    }
}

/// What a list has heard of endpoints that were there before it.
struct Introduced<'a> {
    /// Anything at all.
    any: bool,
    /// Why the last one of those that have failed did so.
    cause: Option<&'a Status>,
}

/// Gives a new list's kept endpoints their first report in it: what they reported last. Stickiness begins anew with a
/// list, as it does in gRPC.
fn introduce<'a>(list: &mut List, endpoints: &'a Endpoints) -> Introduced<'a> {
    let mut introduced = Introduced { any: false, cause: None };
    for index in 0..list.len() {
        let tracked = endpoints.at(list.entries()[index].key);
        let Some(reported) = &tracked.reported else { continue };
        introduced.any = true;
        match reported {
            Report::TransientFailure(status) => introduced.cause = Some(status),
            Report::Idle => tracked.endpoint.connect(),
            Report::Connecting | Report::Ready(_) => {}
        }
        list.record(index, reported.state());
    }
    introduced
}

/// There is no such endpoint (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEndpoint;
