//! The endpoints of the list in use, and what a new list changes about them.
//!
//! Endpoints with the same set of addresses are one endpoint, which has the sum of their weights.
//! An endpoint that stays keeps its connection, its state, and the host's object.
//!
//! Cost of a list: one comparison for each endpoint if it repeats. Otherwise one comparison for
//! each endpoint that the host did not describe again, and a look-up by addresses for each other
//! one.
//! Cost of a report: O(log endpoints).
//!
//! Must not depend on: rings, pickers, the aggregate of the states.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};

use super::states::{ActiveState, States};
use crate::endpoints::{ById, Endpoint, EndpointDescriptor, EndpointId};
use crate::hashing::Member;
use crate::policy::Helper;
use crate::{Severity, Status};

type Descriptors = Arc<[Arc<EndpointDescriptor>]>;

/// An endpoint of the list.
pub(super) struct ListedEndpoint {
    descriptor: Arc<EndpointDescriptor>,
    /// The hash of its set of addresses. Kept, because reading the addresses again would take
    /// longer than everything else that a list does with an endpoint that stays.
    hash: u64,
    /// The sum of the weights, if it is listed several times.
    weight: u64,
    /// The host's object. `None` until the first connection request.
    endpoint: Option<Box<dyn Endpoint>>,
    /// Whether it has reported a state.
    reported: bool,
}

impl ListedEndpoint {
    /// Whether the host would make the same endpoint for this descriptor.
    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        self.endpoint.as_ref().is_none_or(|endpoint| endpoint.matches(descriptor))
    }
}

/// The endpoints of the list in use. The policy has one, and calls it in the work serializer.
pub(super) struct EndpointTable {
    helper: Arc<dyn Helper>,
    /// The latest list, as the resolver gave it.
    descriptors: Descriptors,
    /// The endpoints of that list, each once.
    endpoints: Vec<ListedEndpoint>,
    hasher: DefaultHashBuilder,
    /// The value of [`Helper::made_with`] when all endpoints matched last.
    made_with: Option<u64>,
    /// The places in `endpoints`.
    by_id: ById,
    /// By place in `endpoints`.
    states: States,
}

/// How a list differs from the one before.
pub(super) enum ListChange {
    /// Not at all.
    Same,
    /// Only at these places, each of which has the weight that it had.
    Places(Vec<usize>),
    /// In any way.
    Any,
}

/// The result of an update of the table.
pub(super) struct TableUpdate {
    pub(super) change: ListChange,
    /// The places of endpoints that the host has to make again. They had left IDLE, so the policy
    /// connects them.
    pub(super) to_connect: Vec<usize>,
    /// The descriptors of endpoints with addresses that no endpoint has any more.
    pub(super) forgotten: Vec<Arc<EndpointDescriptor>>,
    /// The endpoints that left. To be dropped after the new picker is published, so that what an
    /// old and a new endpoint share, such as a connection, stays open.
    pub(super) removed: Vec<ListedEndpoint>,
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
    /// A table without endpoints.
    pub(super) fn new(helper: Arc<dyn Helper>) -> EndpointTable {
        EndpointTable {
            helper,
            descriptors: Arc::default(),
            endpoints: Vec::new(),
            hasher: DefaultHashBuilder::default(),
            made_with: None,
            by_id: ById::default(),
            states: States::new(std::iter::empty()),
        }
    }

    /// The number of different endpoints.
    pub(super) fn len(&self) -> usize {
        self.endpoints.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// The descriptor and the weight of each endpoint.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<EndpointDescriptor>, u64)> {
        self.endpoints.iter().map(|listed| (&listed.descriptor, listed.weight))
    }

    /// The descriptors of all endpoints.
    pub(super) fn descriptors(&self) -> Descriptors {
        if self.endpoints.len() == self.descriptors.len() {
            Arc::clone(&self.descriptors)
        } else {
            self.endpoints.iter().map(|listed| Arc::clone(&listed.descriptor)).collect()
        }
    }

    /// The descriptor of the endpoint at this place.
    pub(super) fn descriptor(&self, place: usize) -> &Arc<EndpointDescriptor> {
        &self.endpoints[place].descriptor
    }

    pub(super) fn states(&self) -> &States {
        &self.states
    }

    /// Changes the state of the endpoint at this place. `None`: IDLE.
    pub(super) fn set_state(&mut self, place: usize, state: Option<ActiveState>) {
        self.states.set(place, state);
    }

    /// The place of an endpoint that the host knows.
    pub(super) fn place_of(&self, id: EndpointId) -> Option<usize> {
        self.by_id.get(id).map(|place| place as usize)
    }

    /// Notes that an endpoint reported a state. Returns whether it had reported one before.
    pub(super) fn note_report(&mut self, place: usize) -> bool {
        std::mem::replace(&mut self.endpoints[place].reported, true)
    }

    /// Asks for a connection to the endpoint at this place. The host makes the endpoint first, if
    /// needed. If it refuses, the endpoint has failed, and the reason is returned.
    pub(super) fn connect(&mut self, place: usize) -> Option<Status> {
        let listed = &mut self.endpoints[place];
        if listed.endpoint.is_none() {
            match self.helper.create_endpoint(&listed.descriptor) {
                Ok(endpoint) => {
                    self.by_id.insert(endpoint.id(), place as u32);
                    listed.endpoint = Some(endpoint);
                }
                Err(status) => {
                    let addresses = &listed.descriptor.addresses;
                    let text = format!("no endpoint for {addresses:?}: {status}");
                    self.helper.log(Severity::Debug, &text);
                    self.helper.request_reresolution();
                    self.set_state(place, Some(ActiveState::Failed(Arc::new(status.clone()))));
                    return Some(status);
                }
            }
        }
        if let Some(endpoint) = &listed.endpoint {
            endpoint.connect();
        }
        None
    }

    /// Forgets the backoff of every endpoint.
    pub(super) fn reset_backoff(&self) {
        for endpoint in self.endpoints.iter().filter_map(|listed| listed.endpoint.as_ref()) {
            endpoint.reset_backoff();
        }
    }

    /// Makes `descriptors` the list in use.
    pub(super) fn update(&mut self, descriptors: &Descriptors) -> TableUpdate {
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
            let addresses = address_set(&descriptors[*place]);
            hashes.insert(self.hasher.hash_one(&*addresses));
            new.insert(addresses)
        });
        let is_listed_again = |place: &usize| {
            hashes.contains(&self.endpoints[*place].hash)
                && new.contains(&address_set(&descriptors[*place]))
        };
        (all_differ && !same.iter().any(is_listed_again)).then_some(changed)
    }

    fn new_listed(&self, descriptor: &Arc<EndpointDescriptor>) -> ListedEndpoint {
        let hash = self.hasher.hash_one(&*address_set(descriptor));
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
            former.insert(address_set(descriptor), (old, state));
            self.set_state(place, None);
        }
        for &place in &places {
            let old = former.remove(&address_set(&descriptors[place]));
            let state = update.carry_over(old, &mut self.endpoints[place], place);
            if let Some(endpoint) = &self.endpoints[place].endpoint {
                self.by_id.insert(endpoint.id(), place as u32);
            }
            self.set_state(place, state);
        }
        let gone = replaced.iter().filter_map(|old| former.remove(&address_set(old)));
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
            let is_listed = |at: &usize| same_addresses(&listed[*at].descriptor, descriptor);
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
                    && same_addresses(&former_descriptors[*at], descriptor)
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

/// The addresses in sorted order, each once. Endpoints with the same set of addresses are the same
/// endpoint.
fn address_set(descriptor: &Arc<EndpointDescriptor>) -> Cow<'_, [String]> {
    let mut addresses = Cow::Borrowed(&*descriptor.addresses);
    if !addresses.is_sorted_by(|a, b| a < b) {
        let set = addresses.to_mut();
        set.sort_unstable();
        set.dedup();
    }
    addresses
}

fn same_addresses(one: &Arc<EndpointDescriptor>, other: &Arc<EndpointDescriptor>) -> bool {
    address_set(one) == address_set(other)
}
