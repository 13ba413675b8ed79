//! What a new list changes about the endpoints.
//!
//! Cost: one comparison for each endpoint of a list that repeats. Otherwise one comparison for each
//! endpoint that the host did not describe again, and a look-up by addresses for each other one.
//!
//! Must not depend on: rings, pickers, how an endpoint is connected.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashSet, HashTable};

use super::identity::identity;
use super::{Descriptors, EndpointTable, ListedEndpoint};
use crate::endpoints::EndpointDescriptor;
use crate::hashing::Member;
use crate::policies::ring_hash::states::{ActiveState, States};

/// How a list differs from the one before.
pub(crate) enum ListChange {
    /// Not at all.
    Same,
    /// Only at these places, each of which has the weight that it had.
    Places(Vec<usize>),
    /// In any way.
    Any,
}

/// The result of an update of the table.
pub(crate) struct TableUpdate {
    pub(crate) change: ListChange,
    /// The places of endpoints that the host has to make again. They had left IDLE, so the policy
    /// connects them.
    pub(crate) to_connect: Vec<usize>,
    /// The descriptors of endpoints with addresses that no endpoint has any more.
    pub(crate) forgotten: Vec<Arc<EndpointDescriptor>>,
    /// The endpoints that left. To be dropped after the new picker is published, so that what an
    /// old and a new endpoint share, such as a connection, stays open.
    pub(crate) removed: Vec<ListedEndpoint>,
}

impl TableUpdate {
    fn new(change: ListChange) -> TableUpdate {
        TableUpdate { change, to_connect: Vec::new(), forgotten: Vec::new(), removed: Vec::new() }
    }

    /// Moves what a former endpoint with the same addresses has to `new`, which is at this place.
    /// Returns its state.
    fn carry_over(
        &mut self,
        former: Option<(ListedEndpoint, Option<ActiveState>)>,
        new: &mut ListedEndpoint,
        place: usize,
    ) -> Option<ActiveState> {
        let (former, state) = former?;
        if !former.matches(&new.descriptor) {
            if state.is_some() {
                self.to_connect.push(place);
            }
            self.removed.push(former);
            return None;
        }
        // An endpoint that the host refused to make is IDLE again.
        new.endpoint = Some(former.endpoint?);
        new.reported = former.reported;
        state
    }
}

impl EndpointTable {
    /// Makes `descriptors` the list in use.
    pub(crate) fn update(&mut self, descriptors: &Descriptors) -> TableUpdate {
        if self.repeats(descriptors) {
            self.retry_refused();
            return TableUpdate::new(ListChange::Same);
        }
        let made_with = self.helper.made_with();
        let same_host = made_with.is_some() && self.made_with == made_with;
        self.made_with = made_with;
        let changed = if same_host { self.changed_places(descriptors) } else { None };
        let update = match changed {
            Some(changed) => self.replace_places(changed, descriptors),
            None => self.replace_all(descriptors),
        };
        self.descriptors = Arc::clone(descriptors);
        update
    }

    /// Whether `descriptors` are the list in use again, and the host would make the same endpoints.
    fn repeats(&mut self, descriptors: &Descriptors) -> bool {
        let former = Arc::clone(&self.descriptors);
        if former.len() != descriptors.len() {
            return false;
        }
        let pairs = || former.iter().zip(descriptors.iter());
        let identical = pairs().all(|(old, new)| Arc::ptr_eq(old, new));
        if !identical && !pairs().all(|(old, new)| old == new) {
            return false;
        }
        let made_with = self.helper.made_with();
        // The host need not be asked about identical descriptors if it makes endpoints with the
        // same arguments as before.
        if !identical || made_with.is_none() || self.made_with != made_with {
            let mut listed = self.endpoints.iter().peekable();
            let all_match = pairs().all(|(old, new)| {
                let listed = listed.next_if(|listed| Arc::ptr_eq(&listed.descriptor, old));
                listed.is_none_or(|listed| listed.matches(new))
            });
            if !all_match {
                return false;
            }
        }
        self.made_with = made_with;
        if !identical {
            // The latest descriptors say at which place of its latest list the host has an
            // endpoint.
            let mut listed = self.endpoints.iter_mut().peekable();
            for (old, new) in pairs() {
                if let Some(listed) = listed.next_if(|listed| Arc::ptr_eq(&listed.descriptor, old))
                {
                    listed.descriptor = Arc::clone(new);
                }
            }
            self.descriptors = Arc::clone(descriptors);
        }
        true
    }

    /// Makes the endpoints IDLE that the host refused to make, so that they are tried again.
    fn retry_refused(&mut self) {
        for place in 0..self.endpoints.len() {
            let made = self.endpoints[place].endpoint.is_some();
            if !made && self.states.active().get(place).is_some() {
                self.set_state(place, None);
            }
        }
    }

    /// The places at which `descriptors` differ from the list in use. `None` if the lists have
    /// different lengths, or if an endpoint is or was listed twice, because a change at one place
    /// then affects others.
    fn changed_places(&self, descriptors: &[Arc<EndpointDescriptor>]) -> Option<Vec<usize>> {
        if [self.descriptors.len(), self.endpoints.len()] != [descriptors.len(); 2] {
            return None;
        }
        let same = |place: &usize| Arc::ptr_eq(&self.descriptors[*place], &descriptors[*place]);
        let (same, changed): (Vec<usize>, Vec<usize>) = (0..descriptors.len()).partition(same);
        let mut new = HashSet::with_capacity(changed.len());
        let mut hashes = HashSet::with_capacity(changed.len());
        let all_differ = changed.iter().all(|place| {
            let identity = identity(&descriptors[*place]);
            hashes.insert(self.hasher.hash_one(&identity));
            new.insert(identity)
        });
        let is_listed_again = |place: &usize| {
            hashes.contains(&self.endpoints[*place].hash)
                && new.contains(&identity(&descriptors[*place]))
        };
        (all_differ && !same.iter().any(is_listed_again)).then_some(changed)
    }

    fn new_listed(&self, descriptor: &Arc<EndpointDescriptor>) -> ListedEndpoint {
        let hash = self.hasher.hash_one(identity(descriptor));
        let weight = Member::from_endpoint(descriptor).weight;
        let descriptor = Arc::clone(descriptor);
        ListedEndpoint { descriptor, hash, weight, endpoint: None, reported: false }
    }

    /// Makes `descriptors` the list, which differs from the one in use at these places only.
    fn replace_places(
        &mut self,
        places: Vec<usize>,
        descriptors: &[Arc<EndpointDescriptor>],
    ) -> TableUpdate {
        self.retry_refused();
        let mut update = TableUpdate::new(ListChange::Any);
        let mut same_weights = true;
        let replaced: Vec<_> =
            places.iter().map(|place| Arc::clone(&self.descriptors[*place])).collect();
        let mut former = HashMap::with_capacity(places.len());
        for (&place, descriptor) in places.iter().zip(&replaced) {
            let new = self.new_listed(&descriptors[place]);
            same_weights &= self.endpoints[place].weight == new.weight;
            let old = std::mem::replace(&mut self.endpoints[place], new);
            if let Some(endpoint) = &old.endpoint {
                self.by_id.remove(endpoint.id());
            }
            let state = self.states.active().get(place).cloned();
            former.insert(identity(descriptor), (old, state));
            self.set_state(place, None);
        }
        for &place in &places {
            let old = former.remove(&identity(&descriptors[place]));
            let state = update.carry_over(old, &mut self.endpoints[place], place);
            if let Some(endpoint) = &self.endpoints[place].endpoint {
                self.by_id.insert(endpoint.id(), place as u32);
            }
            self.set_state(place, state);
        }
        let gone = replaced.iter().filter_map(|old| former.remove(&identity(old)));
        update.removed.extend(gone.map(|(old, _)| old));
        drop(former);
        update.forgotten = self.without_listed(replaced, places.iter().copied());
        if same_weights {
            update.change = ListChange::Places(places);
        }
        update
    }

    /// Makes `descriptors` the list, whatever the one in use is.
    fn replace_all(&mut self, descriptors: &[Arc<EndpointDescriptor>]) -> TableUpdate {
        let former_descriptors: Vec<_> =
            self.endpoints.iter().map(|listed| Arc::clone(&listed.descriptor)).collect();
        let hashes: Vec<u64> = self.endpoints.iter().map(|listed| listed.hash).collect();
        let mut update = TableUpdate::new(ListChange::Any);
        let mut former: Vec<Option<ListedEndpoint>> =
            std::mem::take(&mut self.endpoints).into_iter().map(Some).collect();
        let mut states = Vec::with_capacity(descriptors.len());
        let mut former_places: Option<HashTable<usize>> = None;
        let mut places: HashTable<usize> = HashTable::with_capacity(descriptors.len());
        for descriptor in descriptors {
            let mut new = self.new_listed(descriptor);
            let (hash, place) = (new.hash, self.endpoints.len());
            let listed = &self.endpoints;
            let is_listed = |at: &usize| identity(&listed[*at].descriptor) == identity(descriptor);
            match places.entry(hash, is_listed, |at| listed[*at].hash) {
                Entry::Occupied(duplicate) => {
                    let duplicate = *duplicate.get();
                    self.endpoints[duplicate].weight += new.weight;
                    continue;
                }
                Entry::Vacant(entry) => {
                    entry.insert(place);
                }
            }
            // Most endpoints are where they were. The others are found by their addresses.
            let was_there = |at: &usize| {
                hashes.get(*at) == Some(&hash)
                    && identity(&former_descriptors[*at]) == identity(descriptor)
            };
            let found = Some(place).filter(was_there).or_else(|| {
                let by_addresses = former_places.get_or_insert_with(|| {
                    let mut places = HashTable::with_capacity(hashes.len());
                    for (at, hash) in hashes.iter().enumerate() {
                        places.insert_unique(*hash, at, |at| hashes[*at]);
                    }
                    places
                });
                by_addresses.find(hash, was_there).copied()
            });
            let old = found.and_then(|at| {
                let state = self.states.active().get(at).cloned();
                Some((former[at].take()?, state))
            });
            states.push(update.carry_over(old, &mut new, place));
            self.endpoints.push(new);
        }
        update.removed.extend(former.into_iter().flatten());
        self.by_id.clear();
        self.states = States::new(states.into_iter());
        for (place, listed) in self.endpoints.iter().enumerate() {
            if let Some(endpoint) = &listed.endpoint {
                self.by_id.insert(endpoint.id(), place as u32);
            }
        }
        update.forgotten = self.without_listed(former_descriptors, 0..self.endpoints.len());
        update
    }

    /// The descriptors of a former list with addresses that no endpoint at these places has.
    fn without_listed(
        &self,
        mut former: Vec<Arc<EndpointDescriptor>>,
        places: impl Iterator<Item = usize>,
    ) -> Vec<Arc<EndpointDescriptor>> {
        let listed: HashSet<&[String]> =
            places.map(|place| &*self.endpoints[place].descriptor.addresses).collect();
        former.retain(|old| !listed.contains(&*old.addresses));
        former
    }
}
