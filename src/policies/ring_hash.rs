//! `steer_ring_hash`: calls with the same hash go to the same backend, and few of them move when backends come and go.
//! Backends are connected when a call first belongs to them.
//!
//! Sources: gRFC A42 (the policy), A61 (endpoints, states), A76 (hash by header, random hashes); gRPC's `ring_hash`.
//! Cost per pick: the call's hash, a look-up in the ring (see `hashing/ring.rs`), and one backend's state. Cost per
//! report: O(1), and a picker that shares almost all with the one before. Cost per update: O(endpoints + entries), for the
//! ring; for a list that repeats, a comparison for each endpoint. Endpoints that are what and where they were cost no
//! more than that when others change; if these are few, and of the same weights, the ring is merged and not made anew.
//!
//! Must not know: how the ring is made.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};
use serde_json::Value;

use super::bounded_loads::{self, BoundedBackends, BoundedLoads};
use super::request_hash::RequestHash;
use crate::calls::{Call, Wants};
use crate::endpoints::{
    ById, Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, PersistentVec, Report,
};
use crate::hashing::{Member, Ring};
use crate::policy::{
    CallCounting, Config, ConfigError, FailPicker, Fields, HasConnection, Helper, Pick, Picker,
    Policy, PolicyFactory, Update,
};
use crate::stats::{Latest, StatsSource, Table};
use crate::sync::Bits;
use crate::{Severity, Status};

/// The policy factory of `steer_ring_hash`.
pub struct RingHash;

/// The config.
struct RingHashConfig {
    min_ring_size: u64,
    max_ring_size: u64,
    request_hash: RequestHash,
    balance_factor: Option<u32>,
}

/// The most entries that a ring may have (gRFC A42).
const MOST_ENTRIES: u64 = 8_388_608;

impl PolicyFactory for RingHash {
    fn name(&self) -> &str {
        "steer_ring_hash"
    }

    fn parse_config(&self, json: &Value) -> Result<Config, ConfigError> {
        let parsed = Fields::parse(self.name(), json, |fields| {
            let config = RingHashConfig {
                min_ring_size: fields.number("minRingSize", 1024),
                max_ring_size: fields.number("maxRingSize", 4096),
                request_hash: RequestHash::parse(fields),
                balance_factor: bounded_loads::parse(fields),
            };
            let sizes =
                [("minRingSize", config.min_ring_size), ("maxRingSize", config.max_ring_size)];
            let wrong = sizes.map(|(name, size)| {
                let wrong = !(1..=MOST_ENTRIES).contains(&size);
                if wrong {
                    fields.fault(name, format!("must be in the range [1, {MOST_ENTRIES}]"));
                }
                wrong
            });
            if wrong == [false, false] && config.min_ring_size > config.max_ring_size {
                fields.fault("maxRingSize", "must not be below minRingSize");
            }
            config
        });
        parsed.map(|config| Arc::new(config) as Config)
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        let (loads, shares) = (BoundedLoads::new(), Arc::<Latest>::default());
        let stats_sources = vec![loads.stats_source(), Arc::clone(&shares) as Arc<dyn StatsSource>];
        let counting = CallCounting::new(&*helper, stats_sources);
        Box::new(RingHashPolicy {
            helper,
            config: None,
            described: Arc::default(),
            listed: Vec::new(),
            hasher: DefaultHashBuilder::default(),
            made_with: None,
            by_id: ById::default(),
            slots: PersistentVec::new(0),
            tally: Tally::default(),
            ring: None,
            wanted: Arc::default(),
            loads,
            counting,
            shares,
            resolution_note: Arc::from(""),
            last_failure: Status::OK,
        })
    }
}

/// An endpoint of the list. Listed twice, it is one, with both weights.
struct Listed {
    descriptor: Arc<EndpointDescriptor>,
    /// Of its addresses, in whatever order. Known, because to read them takes longer than all else that a list in which
    /// it stays has to do with it.
    hash: u64,
    weight: u64,
    /// The host's side of it; none until a connection is wanted.
    endpoint: Option<Box<dyn Endpoint>>,
    /// It has reported a state.
    reported: bool,
}

/// What a picker needs to know of an endpoint that is not IDLE.
#[derive(Clone, Debug)]
enum Slot {
    Ready(Connection),
    Connecting,
    Failed(Arc<Status>),
}

impl HasConnection for Slot {
    fn connection(&self) -> Option<&Connection> {
        match self {
            Slot::Ready(connection) => Some(connection),
            Slot::Connecting | Slot::Failed(_) => None,
        }
    }
}

impl Slot {
    fn state(&self) -> Connectivity {
        match self {
            Slot::Ready(_) => Connectivity::Ready,
            Slot::Connecting => Connectivity::Connecting,
            Slot::Failed(_) => Connectivity::TransientFailure,
        }
    }
}

/// How many endpoints there are of each state.
#[derive(Clone, Copy, Debug, Default)]
struct Tally([usize; 4]);

impl Tally {
    fn of(&self, state: Connectivity) -> usize {
        self.0[state as usize]
    }

    fn add(&mut self, state: Connectivity) {
        self.0[state as usize] += 1;
    }

    fn remove(&mut self, state: Connectivity) {
        self.0[state as usize] -= 1;
    }

    /// What they amount to (gRFC A42, A61).
    fn aggregate(&self) -> Connectivity {
        use Connectivity::*;
        let all: usize = self.0.iter().sum();
        if self.of(Ready) > 0 {
            Ready
        } else if self.of(TransientFailure) >= 2 {
            TransientFailure
        } else if self.of(Connecting) > 0 || (self.of(TransientFailure) == 1 && all > 1) {
            Connecting
        } else if self.of(Idle) > 0 {
            Idle
        } else {
            TransientFailure
        }
    }
}

/// The policy.
struct RingHashPolicy {
    helper: Arc<dyn Helper>,
    config: Option<Arc<RingHashConfig>>,
    /// The latest list, as the resolver gave it.
    described: Arc<[Arc<EndpointDescriptor>]>,
    /// What it amounts to.
    listed: Vec<Listed>,
    hasher: DefaultHashBuilder,
    /// What [`Helper::made_with`] was when all of it matched last.
    made_with: Option<u64>,
    /// Places in the list.
    by_id: ById,
    /// Those that are not IDLE, by place in the list.
    slots: PersistentVec<Slot>,
    tally: Tally,
    /// None while the list is empty.
    ring: Option<Arc<Ring>>,
    /// Set by picks that want a connection to an IDLE endpoint, by place in the list.
    wanted: Arc<Bits>,
    loads: BoundedLoads<Slot>,
    /// For statistics, as `shares`.
    counting: CallCounting<Slot>,
    shares: Arc<Latest>,
    resolution_note: Arc<str>,
    last_failure: Status,
}

impl RingHashPolicy {
    /// Asks for a connection to the endpoint at this place. The host makes it if there is none yet: why it cannot, if
    /// it cannot, is then what the endpoint has failed for.
    fn connect(&mut self, place: usize) -> Option<Status> {
        let listed = &mut self.listed[place];
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
                    self.set(place, Some(Slot::Failed(Arc::new(status.clone()))));
                    return Some(status);
                }
            }
        }
        if let Some(endpoint) = &listed.endpoint {
            endpoint.connect();
        }
        None
    }

    fn state(&self, place: usize) -> Connectivity {
        self.slots.get(place).map_or(Connectivity::Idle, Slot::state)
    }

    fn set(&mut self, place: usize, slot: Option<Slot>) {
        self.tally.remove(self.state(place));
        self.slots.set(place, slot);
        self.tally.add(self.state(place));
    }

    /// Publishes the aggregate and a picker. `cause` is why an endpoint failed just now, if one did.
    fn publish(&mut self, cause: Option<Status>) {
        let mut failure = cause;
        loop {
            let state = self.publish_once(failure.as_ref());
            // Connections come of picks. There may be none while nothing is READY, as when a policy around this one
            // has turned to others: one attempt is kept going without them.
            let waiting =
                matches!(state, Connectivity::Connecting | Connectivity::TransientFailure);
            if !waiting || self.tally.of(Connectivity::Connecting) > 0 {
                return;
            }
            failure = self.slots.first_free().and_then(|place| self.connect(place));
            if failure.is_none() {
                return;
            }
        }
    }

    fn publish_once(&mut self, cause: Option<&Status>) -> Connectivity {
        let state = self.tally.aggregate();
        let (Some(config), Some(ring)) = (&self.config, &self.ring) else { return state };
        let failed = state == Connectivity::TransientFailure;
        if let Some(cause) = cause.filter(|_| failed) {
            let mut message = String::from("no reachable endpoints");
            // Not every host knows why a connection failed.
            if !cause.message.is_empty() {
                message.push_str("; last error: ");
                message.push_str(&cause.message);
            }
            self.last_failure = Status::unavailable(message);
        }
        let bounded =
            config.balance_factor.map(|percent| self.loads.backends(percent, &self.slots));
        let counted = self
            .counting
            .of(bounded.is_some(), &self.slots, |place| &self.listed[place].descriptor);
        let picker = RingHashPicker {
            ring: Arc::clone(ring),
            slots: self.slots.clone(),
            config: Arc::clone(config),
            bounded,
            connecting: self.tally.of(Connectivity::Connecting) > 0,
            all_failed: self.tally.of(Connectivity::TransientFailure) == self.listed.len(),
            wanted: Arc::clone(&self.wanted),
            resolution_note: Arc::clone(&self.resolution_note),
            helper: Arc::clone(&self.helper),
        };
        let status = if failed { self.last_failure.clone() } else { Status::OK };
        let mut picker: Box<dyn Picker> = Box::new(picker);
        if let Some(counted) = counted {
            picker = counted.around(picker);
        }
        self.helper.update_state(state, &status, picker);
        state
    }

    /// Whether `descriptors` are the list in use once more, and the host would make its endpoints just the same.
    fn repeats(&mut self, descriptors: &Arc<[Arc<EndpointDescriptor>]>) -> bool {
        let described = Arc::clone(&self.described);
        if described.len() != descriptors.len() {
            return false;
        }
        let pairs = || described.iter().zip(descriptors.iter());
        let identical = pairs().all(|(was, is)| Arc::ptr_eq(was, is));
        if !identical && !pairs().all(|(was, is)| was == is) {
            return false;
        }
        let made_with = self.helper.made_with();
        // The host need not be asked for what is identical if it makes that with the same as then.
        if !identical || made_with.is_none() || self.made_with != made_with {
            let mut listed = self.listed.iter().peekable();
            let still = pairs().all(|(was, is)| {
                let listed = listed.next_if(|listed| Arc::ptr_eq(&listed.descriptor, was));
                listed.is_none_or(|listed| listed.is_still(is))
            });
            if !still {
                return false;
            }
        }
        self.made_with = made_with;
        if !identical {
            // The host knows its endpoints by the places in its latest list, which the latest descriptors say.
            let mut listed = self.listed.iter_mut().peekable();
            for (was, is) in pairs() {
                if let Some(listed) = listed.next_if(|listed| Arc::ptr_eq(&listed.descriptor, was))
                {
                    listed.descriptor = Arc::clone(is);
                }
            }
            self.described = Arc::clone(descriptors);
        }
        true
    }

    /// The list is in use once more, or most of it.
    fn repeat_list(&mut self) {
        for place in 0..self.listed.len() {
            // One that the host has refused is tried again.
            if self.listed[place].endpoint.is_none() && self.slots.get(place).is_some() {
                self.set(place, None);
            }
        }
    }

    /// Forgets what was learnt of those of a former list that are not at these places of the list in use.
    fn forget_unlisted(
        &mut self,
        mut former: Vec<Arc<EndpointDescriptor>>,
        places: impl Iterator<Item = usize>,
    ) {
        let listed: HashSet<&[String]> =
            places.map(|place| &*self.listed[place].descriptor.addresses).collect();
        former.retain(|was| !listed.contains(&*was.addresses));
        self.counting.forget(&former);
        self.loads.forget(&former);
    }

    /// A ring for the list in use.
    fn make_ring(&self, config: &RingHashConfig) -> Ring {
        let members: Vec<Member<'_>> = self
            .listed
            .iter()
            .map(|listed| Member {
                weight: listed.weight,
                ..Member::from_endpoint(&listed.descriptor)
            })
            .collect();
        Ring::new(&members, config.min_ring_size, config.max_ring_size)
    }

    /// The same, from the ring of a list that was another one at these places, with the same weights.
    fn change_ring(&self, ring: &Ring, places: &[usize]) -> Ring {
        let key =
            |place: &usize| (*place, Member::from_endpoint(&self.listed[*place].descriptor).key);
        ring.with_keys(&places.iter().map(key).collect())
    }

    /// From now on, this is the list's ring.
    fn use_ring(&mut self, ring: Ring) {
        let ring = Arc::new(ring);
        let endpoints = if self.listed.len() == self.described.len() {
            Arc::clone(&self.described)
        } else {
            self.listed.iter().map(|listed| Arc::clone(&listed.descriptor)).collect()
        };
        self.shares.set(Shares { endpoints, ring: Arc::clone(&ring) });
        self.ring = Some(ring);
    }

    /// Makes `descriptors` the list. Endpoints that stay are kept, with what they are.
    fn replace_list(&mut self, descriptors: &Arc<[Arc<EndpointDescriptor>]>) -> Replaced {
        let made_with = self.helper.made_with();
        let as_before = made_with.is_some() && self.made_with == made_with;
        self.made_with = made_with;
        let changed = if as_before { self.changed_places(descriptors) } else { None };
        let mut replaced = match changed {
            Some(changed) => self.replace_places(changed, descriptors),
            None => self.replace_all(descriptors),
        };
        self.described = Arc::clone(descriptors);
        // What was wanted before was of the former list's places.
        self.wanted = Arc::new(Bits::new(self.listed.len()));
        for place in std::mem::take(&mut replaced.to_connect) {
            let _ = self.connect(place);
        }
        replaced
    }

    /// The places at which `descriptors` are others than those of the list in use. None if the lists are of different
    /// lengths, or an endpoint is or was listed twice: what is at one place then depends on others.
    fn changed_places(&self, descriptors: &[Arc<EndpointDescriptor>]) -> Option<Vec<usize>> {
        if [self.described.len(), self.listed.len()] != [descriptors.len(); 2] {
            return None;
        }
        let same = |place: &usize| Arc::ptr_eq(&self.described[*place], &descriptors[*place]);
        let (same, changed): (Vec<usize>, Vec<usize>) = (0..descriptors.len()).partition(same);
        let mut new = HashSet::with_capacity(changed.len());
        let mut hashes = HashSet::with_capacity(changed.len());
        let alone = changed.iter().all(|place| {
            let addresses = address_set(&descriptors[*place]);
            hashes.insert(self.hasher.hash_one(&*addresses));
            new.insert(addresses)
        });
        let is_new = |place: &usize| {
            hashes.contains(&self.listed[*place].hash)
                && new.contains(&address_set(&descriptors[*place]))
        };
        (alone && !same.iter().any(is_new)).then_some(changed)
    }

    /// An endpoint that nothing is known of but this.
    fn new_listed(&self, descriptor: &Arc<EndpointDescriptor>) -> Listed {
        let hash = self.hasher.hash_one(&*address_set(descriptor));
        let weight = Member::from_endpoint(descriptor).weight;
        Listed { descriptor: Arc::clone(descriptor), hash, weight, endpoint: None, reported: false }
    }

    /// Makes `descriptors` the list, which is what it was but for these places.
    fn replace_places(
        &mut self,
        places: Vec<usize>,
        descriptors: &[Arc<EndpointDescriptor>],
    ) -> Replaced {
        self.repeat_list();
        let mut replaced = Replaced::default();
        let mut reweighted = false;
        let described: Vec<_> =
            places.iter().map(|place| Arc::clone(&self.described[*place])).collect();
        let mut former = HashMap::with_capacity(places.len());
        for (&place, described) in places.iter().zip(&described) {
            let new = self.new_listed(&descriptors[place]);
            reweighted |= self.listed[place].weight != new.weight;
            let was = std::mem::replace(&mut self.listed[place], new);
            if let Some(endpoint) = &was.endpoint {
                self.by_id.remove(endpoint.id());
            }
            former.insert(address_set(described), (was, self.slots.get(place).cloned()));
            self.set(place, None);
        }
        for &place in &places {
            let was = former.remove(&address_set(&descriptors[place]));
            let slot = replaced.carry_over(was, &mut self.listed[place], place);
            if let Some(endpoint) = &self.listed[place].endpoint {
                self.by_id.insert(endpoint.id(), place as u32);
            }
            self.set(place, slot);
        }
        let gone = described.iter().filter_map(|was| former.remove(&address_set(was)));
        replaced.gone.extend(gone.map(|(was, _)| was));
        drop(former);
        self.forget_unlisted(described, places.iter().copied());
        replaced.places = (!reweighted).then_some(places);
        replaced
    }

    /// Makes `descriptors` the list, whatever was before.
    fn replace_all(&mut self, descriptors: &[Arc<EndpointDescriptor>]) -> Replaced {
        let described: Vec<_> =
            self.listed.iter().map(|listed| Arc::clone(&listed.descriptor)).collect();
        let hashes: Vec<u64> = self.listed.iter().map(|listed| listed.hash).collect();
        let mut replaced = Replaced::default();
        let mut former: Vec<Option<Listed>> =
            std::mem::take(&mut self.listed).into_iter().map(Some).collect();
        // As many as there are different endpoints, which shows in the end.
        let mut slots = Vec::with_capacity(descriptors.len());
        let mut former_places: Option<HashTable<usize>> = None;
        let mut places: HashTable<usize> = HashTable::with_capacity(descriptors.len());
        for descriptor in descriptors {
            let mut new = self.new_listed(descriptor);
            let (hash, place) = (new.hash, self.listed.len());
            let listed = &self.listed;
            let is_listed = |at: &usize| same_addresses(&listed[*at].descriptor, descriptor);
            match places.entry(hash, is_listed, |at| listed[*at].hash) {
                Entry::Occupied(same) => {
                    let same = *same.get();
                    self.listed[same].weight += new.weight;
                    continue;
                }
                Entry::Vacant(entry) => {
                    entry.insert(place);
                }
            }
            // Mostly where it was, and else by its addresses.
            let was_there = |at: &usize| {
                hashes.get(*at) == Some(&hash) && same_addresses(&described[*at], descriptor)
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
            let was = found
                .and_then(|was_at| Some((former[was_at].take()?, self.slots.get(was_at).cloned())));
            slots.push(replaced.carry_over(was, &mut new, place));
            self.listed.push(new);
        }
        replaced.gone.extend(former.into_iter().flatten());
        self.tally = Tally::default();
        self.by_id.clear();
        self.slots = PersistentVec::new(self.listed.len());
        for (place, slot) in slots.into_iter().enumerate() {
            self.slots.set(place, slot);
            self.tally.add(self.state(place));
            if let Some(endpoint) = &self.listed[place].endpoint {
                self.by_id.insert(endpoint.id(), place as u32);
            }
        }
        self.forget_unlisted(described, 0..self.listed.len());
        replaced
    }
}

/// What became of a former list's endpoints that the list in use does not have as they were.
#[derive(Default)]
struct Replaced {
    gone: Vec<Listed>,
    /// Places of those that the host makes anew. Calls are used to them being connected.
    to_connect: Vec<usize>,
    /// Where the lists differ, if that is all there is: each place has the weight that it had.
    places: Option<Vec<usize>>,
}

impl Replaced {
    /// Makes of `new`, at this place, what `was` there, or anywhere else with these addresses.
    fn carry_over(
        &mut self,
        was: Option<(Listed, Option<Slot>)>,
        new: &mut Listed,
        place: usize,
    ) -> Option<Slot> {
        let (was, slot) = was?;
        if !was.is_still(&new.descriptor) {
            if slot.is_some() {
                self.to_connect.push(place);
            }
            self.gone.push(was);
            return None;
        }
        // One that the host has refused is tried again.
        new.endpoint = Some(was.endpoint?);
        new.reported = was.reported;
        slot
    }
}

impl Listed {
    /// Whether the host's side of it is good for this descriptor too.
    fn is_still(&self, descriptor: &EndpointDescriptor) -> bool {
        self.endpoint.as_ref().is_none_or(|endpoint| endpoint.matches(descriptor))
    }
}

/// Addresses in an order that does not matter: that is what makes two endpoints the same one.
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

impl Policy for RingHashPolicy {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<RingHashConfig>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        let (descriptors, error) = match &update.endpoints {
            Ok(descriptors) => (Arc::clone(descriptors), None),
            Err(error) if !self.listed.is_empty() => return Err(error.clone()),
            Err(error) => (Arc::default(), Some(error)),
        };
        self.resolution_note = Arc::from(&*update.resolution_note);
        let sizes = |config: &RingHashConfig| (config.min_ring_size, config.max_ring_size);
        let same_sizes = self.config.as_ref().is_some_and(|was| sizes(was) == sizes(&config));
        // Nothing is published while the list and the ring do not fit each other.
        let ring = self.ring.take();
        let repeats = self.repeats(&descriptors);
        // What has gone is dropped at the end: what two endpoints have in common, such as a connection, stays.
        let replaced = if repeats {
            self.repeat_list();
            Replaced::default()
        } else {
            self.replace_list(&descriptors)
        };
        if self.listed.is_empty() {
            let status = error.cloned().unwrap_or_else(|| {
                Status::unavailable(format!("empty address list: {}", self.resolution_note))
            });
            self.loads.none_ready();
            self.counting.none_ready();
            self.shares.clear();
            let picker = Box::new(FailPicker(status.clone()));
            self.helper.update_state(Connectivity::TransientFailure, &status, picker);
            return Err(status);
        }
        // Where most of it is another list, it is faster to sort the ring anew.
        let few = replaced.places.filter(|places| places.len() <= self.listed.len() / 8);
        match (ring.filter(|_| same_sizes), few) {
            (Some(ring), _) if repeats => self.ring = Some(ring),
            (Some(ring), Some(places)) => self.use_ring(self.change_ring(&ring, &places)),
            _ => self.use_ring(self.make_ring(&config)),
        }
        let endpoints: Vec<_> = self.listed.iter().map(|listed| &listed.descriptor).collect();
        self.loads.list(config.balance_factor, &endpoints);
        self.config = Some(config);
        // Another list may be of those alone that have failed before, or that the host has just refused.
        let failed = self.slots.iter().filter(|_| !repeats).find_map(|(_, slot)| match slot {
            Slot::Failed(status) => Some(Status::clone(status)),
            Slot::Ready(_) | Slot::Connecting => None,
        });
        self.publish(failed);
        Ok(())
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        let Some(place) = self.by_id.get(endpoint) else { return false };
        let place = place as usize;
        let listed = &mut self.listed[place];
        let state = report.state();
        // As in `endpoints/`: the resolver may know better, but not at the first report.
        let lost = matches!(state, Connectivity::Idle | Connectivity::TransientFailure);
        if std::mem::replace(&mut listed.reported, true) && lost {
            self.helper.request_reresolution();
        }
        let former = self.state(place);
        // Only READY ends a failure, and an endpoint that has failed tries again by itself.
        if former == Connectivity::TransientFailure {
            if state == Connectivity::Idle {
                let _ = self.connect(place);
            }
            if matches!(state, Connectivity::Idle | Connectivity::Connecting) {
                return true;
            }
        }
        let cause = match &report {
            Report::TransientFailure(status) => Some(status.clone()),
            _ => None,
        };
        let slot = match report {
            Report::Idle => None,
            Report::Connecting => Some(Slot::Connecting),
            Report::Ready(connection) => Some(Slot::Ready(connection)),
            Report::TransientFailure(status) => Some(Slot::Failed(Arc::new(status))),
        };
        self.set(place, slot);
        if former != state || !matches!(state, Connectivity::Idle | Connectivity::Connecting) {
            self.publish(cause);
        }
        true
    }

    fn reset_backoff(&mut self) {
        for endpoint in self.listed.iter().filter_map(|listed| listed.endpoint.as_ref()) {
            endpoint.reset_backoff();
        }
    }

    /// Picks want connections.
    fn woken(&mut self) {
        let mut failure = None;
        // The wake that led to this call came after what it is for.
        for place in Arc::clone(&self.wanted).drain() {
            if self.slots.get(place).is_none() {
                failure = self.connect(place).or(failure);
            }
        }
        if failure.is_some() {
            self.publish(failure);
        }
    }

    fn adopts(&self, config: &Config) -> bool {
        config.is::<RingHashConfig>()
    }
}

/// Whose the hashes are.
struct Shares {
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    ring: Arc<Ring>,
}

impl StatsSource for Shares {
    fn describe(&self, table: &mut Table) {
        for (endpoint, share) in self.endpoints.iter().zip(self.ring.shares(self.endpoints.len())) {
            // Without the host's side of it, it is IDLE.
            let row = table.entry(&endpoint.addresses, Connectivity::Idle);
            *row.share.get_or_insert(0.0) += share;
        }
    }
}

struct RingHashPicker {
    ring: Arc<Ring>,
    slots: PersistentVec<Slot>,
    config: Arc<RingHashConfig>,
    bounded: Option<BoundedBackends>,
    /// Some endpoint is CONNECTING.
    connecting: bool,
    all_failed: bool,
    wanted: Arc<Bits>,
    resolution_note: Arc<str>,
    helper: Arc<dyn Helper>,
}

impl Picker for RingHashPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let (hash, random) = match self.config.request_hash.of(call) {
            Ok(Some(hash)) => (hash, false),
            Ok(None) => (self.helper.random(), true),
            Err(missing) => return Pick::Fail(missing),
        };
        let entry = self.ring.find(hash);
        match self.slots.get(self.ring.owner(entry)) {
            Some(Slot::Ready(connection)) if self.bounded.is_none() => Pick::Complete(connection),
            _ => self.pick_from(entry, random),
        }
    }

    fn wants(&self) -> Wants {
        self.config.request_hash.wants()
    }
}

impl RingHashPicker {
    /// Tries one entry after another. A call with a random hash goes to the first READY endpoint, and leads to one
    /// connection attempt at most (gRFC A76). So does one whose own endpoint has too many calls.
    #[inline(never)]
    fn pick_from(&self, first: usize, random: bool) -> Pick<'_> {
        if self.all_failed {
            return self.fail(first);
        }
        let mut arrival = self.bounded.as_ref().map(BoundedBackends::arrive);
        let mut any_ready = random;
        let mut overloaded = false;
        let mut asked = self.connecting;
        for place in self.places_from(first) {
            match self.slots.get(place) {
                Some(Slot::Ready(connection)) => {
                    let (Some(bounded), Some(call)) = (&self.bounded, arrival.take()) else {
                        return Pick::Complete(connection);
                    };
                    match bounded.take(call, place) {
                        Ok(pick) => return pick,
                        Err(again) => arrival = Some(again),
                    }
                    (any_ready, overloaded) = (true, true);
                }
                None if !any_ready => return self.ask_for(place),
                Some(Slot::Connecting) if !any_ready => return Pick::Queue,
                None if !asked => {
                    asked = true;
                    if let Some(fault) = self.ask(place) {
                        return fault;
                    }
                }
                None | Some(Slot::Connecting | Slot::Failed(_)) => {}
            }
        }
        drop(arrival);
        let bounded = self.bounded.as_ref().filter(|_| overloaded);
        if let Some(pick) = bounded.and_then(|all| all.take_first(|| self.places_from(first))) {
            pick
        } else if asked {
            Pick::Queue
        } else {
            self.fail(first)
        }
    }

    /// The places in the list that entries belong to, from this entry on.
    fn places_from(&self, first: usize) -> impl Iterator<Item = usize> {
        let entries = std::iter::successors(Some(first), |entry| Some(self.ring.after(*entry)));
        entries.take(self.ring.len()).map(|entry| self.ring.owner(entry))
    }

    /// The call waits for a connection to this endpoint.
    fn ask_for(&self, place: usize) -> Pick<'_> {
        self.ask(place).unwrap_or(Pick::Queue)
    }

    /// Asks for a connection to this endpoint; what becomes of the call if that is not possible.
    fn ask(&self, place: usize) -> Option<Pick<'_>> {
        // The wake orders it, this one or that of whoever came first.
        if !self.wanted.insert(place) || self.helper.wake() {
            return None;
        }
        self.wanted.remove(place);
        Some(Pick::fail(Status::internal("the host cannot connect for a call that waits")))
    }

    /// No endpoint is left to wait for.
    fn fail(&self, first: usize) -> Pick<'_> {
        let mut message = String::from("ring hash cannot find a connected endpoint");
        if let Some(Slot::Failed(status)) = self.slots.get(self.ring.owner(first)) {
            message.push_str("; first failure: ");
            message.push_str(&status.message);
        }
        if !self.resolution_note.is_empty() {
            message.push_str(&format!(" ({})", self.resolution_note));
        }
        Pick::fail(Status::unavailable(message))
    }
}
