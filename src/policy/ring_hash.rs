//! `steer_ring_hash`: calls with the same hash go to the same backend, and few of them move when backends come and go.
//! Backends are connected when a call first belongs to them.
//!
//! Sources: gRFC A42 (the policy), A61 (endpoints, states), A76 (hash by header, random hashes); gRPC's `ring_hash`.
//! Cost per pick: the call's hash, a look-up in the ring (see `hashing/ring.rs`), and one backend's state. Cost per
//! report: O(1), and a picker that shares almost all with the one before. Cost per update: O(endpoints + entries).
//!
//! Must not know: how the ring is made.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::Value;

use super::bounded_loads::{self, BoundedBackends, BoundedLoads};
use super::counted::Counting;
use super::{
    Call, Config, ConfigError, FailPicker, Fields, Helper, Pick, Picker, Policy, PolicyFactory,
    Severity, Update, Wants,
};
use crate::Status;
use crate::endpoints::{
    Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, Places, Report,
};
use crate::hashing::{Member, RequestHash, Ring};
use crate::stats::{Describe, Latest, Table};
use crate::sync::atomic::{AtomicBool, Ordering};

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
        let (loads, shares) = (BoundedLoads::default(), Arc::<Latest>::default());
        let tellers = vec![loads.teller(), Arc::clone(&shares) as Arc<dyn Describe>];
        let counting = Counting::new(&*helper, tellers);
        Box::new(RingHashPolicy {
            helper,
            config: None,
            listed: Vec::new(),
            by_id: HashMap::new(),
            slots: Places::new(0),
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
    listed: Vec<Listed>,
    /// Places in the list.
    by_id: HashMap<EndpointId, usize>,
    /// Those that are not IDLE, by place in the list.
    slots: Places<Slot>,
    tally: Tally,
    /// None while the list is empty.
    ring: Option<Arc<Ring>>,
    /// Set by picks that want a connection to an IDLE endpoint, by place in the list.
    wanted: Arc<[AtomicBool]>,
    loads: BoundedLoads,
    /// For statistics, as `shares`.
    counting: Counting,
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
                    self.by_id.insert(endpoint.id(), place);
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
            let idle = (0..self.listed.len()).find(|place| self.slots.get(*place).is_none());
            failure = idle.and_then(|place| self.connect(place));
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
        let bounded = config.balance_factor.map(|percent| {
            let ready = self.slots.iter().filter_map(|(place, slot)| match slot {
                Slot::Ready(connection) => Some((place, connection)),
                _ => None,
            });
            self.loads.backends(percent, self.listed.len(), ready)
        });
        let ready = self.slots.iter().filter_map(|(place, slot)| match slot {
            Slot::Ready(connection) => Some((connection, &self.listed[place].descriptor)),
            _ => None,
        });
        let counted = self.counting.of(bounded.is_some(), ready);
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

    /// Makes `descriptors` the list. Endpoints that stay are kept, with what they are; the others are returned.
    fn replace_list(&mut self, descriptors: &[Arc<EndpointDescriptor>]) -> Vec<Listed> {
        let described: Vec<_> =
            self.listed.iter().map(|listed| Arc::clone(&listed.descriptor)).collect();
        let mut former: Vec<Option<Listed>> =
            std::mem::take(&mut self.listed).into_iter().map(Some).collect();
        let former_slots = std::mem::replace(&mut self.slots, Places::new(descriptors.len()));
        let mut former_places = None;
        let mut places: HashMap<_, usize> = HashMap::with_capacity(descriptors.len());
        let mut gone = Vec::new();
        let mut to_connect = Vec::new();
        for descriptor in descriptors {
            let addresses = address_set(descriptor);
            let weight = Member::of(descriptor).weight;
            let place = self.listed.len();
            // Mostly where it was, and else by its addresses.
            let mut found = Some(place)
                .filter(|place| described.get(*place).map(address_set) == Some(addresses.clone()));
            match places.entry(addresses) {
                Entry::Occupied(same) => {
                    self.listed[*same.get()].weight += weight;
                    continue;
                }
                Entry::Vacant(new) => {
                    found = found.or_else(|| {
                        let by_addresses = former_places.get_or_insert_with(|| {
                            let places = described.iter().map(address_set).zip(0..);
                            places.collect::<HashMap<_, usize>>()
                        });
                        by_addresses.get(new.key()).copied()
                    });
                    new.insert(place);
                }
            }
            let mut kept = found.and_then(|was_at| Some((former[was_at].take()?, was_at)));
            if let Some((was, was_at)) = kept.take_if(|(was, _)| !was.is_still(descriptor)) {
                // The host would make another one now. Calls are used to it being connected.
                if former_slots.get(was_at).is_some() {
                    to_connect.push(place);
                }
                gone.push(was);
            }
            let descriptor = Arc::clone(descriptor);
            let listed = match kept {
                // One that the host has refused is tried again.
                Some((was, was_at)) if was.endpoint.is_some() => {
                    self.slots.set(place, former_slots.get(was_at).cloned());
                    Listed { descriptor, weight, ..was }
                }
                _ => Listed { descriptor, weight, endpoint: None, reported: false },
            };
            self.listed.push(listed);
        }
        gone.extend(former.into_iter().flatten());
        self.tally = Tally::default();
        self.by_id.clear();
        for place in 0..self.listed.len() {
            self.tally.add(self.state(place));
            if let Some(endpoint) = &self.listed[place].endpoint {
                self.by_id.insert(endpoint.id(), place);
            }
        }
        self.wanted = self.listed.iter().map(|_| AtomicBool::new(false)).collect();
        for place in to_connect {
            let _ = self.connect(place);
        }
        gone
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

impl Policy for RingHashPolicy {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<RingHashConfig>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        let (descriptors, error) = match &update.endpoints {
            Ok(descriptors) => (&descriptors[..], None),
            Err(error) if !self.listed.is_empty() => return Err(error.clone()),
            Err(error) => (&[][..], Some(error)),
        };
        self.resolution_note = Arc::from(&*update.resolution_note);
        // Nothing is published while the list and the ring do not fit each other.
        self.ring = None;
        // Dropped at the end: what two endpoints have in common, such as a connection, stays.
        let _gone = self.replace_list(descriptors);
        if self.listed.is_empty() {
            let status = error.cloned().unwrap_or_else(|| {
                Status::unavailable(format!("empty address list: {}", self.resolution_note))
            });
            let picker = Box::new(FailPicker(status.clone()));
            self.helper.update_state(Connectivity::TransientFailure, &status, picker);
            return Err(status);
        }
        let members: Vec<Member<'_>> = self
            .listed
            .iter()
            .map(|listed| Member { weight: listed.weight, ..Member::of(&listed.descriptor) })
            .collect();
        let ring = Ring::new(&members, config.min_ring_size, config.max_ring_size);
        let ring = Arc::new(ring);
        self.ring = Some(Arc::clone(&ring));
        let endpoints: Vec<_> = self.listed.iter().map(|listed| &listed.descriptor).collect();
        self.counting.keep(&mut endpoints.iter().copied());
        self.shares.set(Shares { endpoints: endpoints.iter().copied().cloned().collect(), ring });
        self.loads.keep(&mut endpoints.iter().copied());
        self.loads.list(config.balance_factor, &endpoints);
        self.config = Some(config);
        self.publish(None);
        Ok(())
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        let Some(&place) = self.by_id.get(&endpoint) else { return false };
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
        for (place, wanted) in Arc::clone(&self.wanted).iter().enumerate() {
            // Relaxed: the wake that led to this call comes after what it is for.
            let wanted = wanted.load(Ordering::Relaxed) && wanted.swap(false, Ordering::Relaxed);
            if wanted && self.slots.get(place).is_none() {
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
    endpoints: Vec<Arc<EndpointDescriptor>>,
    ring: Arc<Ring>,
}

impl Describe for Shares {
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
    slots: Places<Slot>,
    config: Arc<RingHashConfig>,
    bounded: Option<BoundedBackends>,
    /// Some endpoint is CONNECTING.
    connecting: bool,
    all_failed: bool,
    wanted: Arc<[AtomicBool]>,
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
        let wanted = &self.wanted[place];
        // Relaxed: the wake orders it, this one or that of whoever came first.
        if wanted.swap(true, Ordering::Relaxed) || self.helper.wake() {
            return None;
        }
        wanted.store(false, Ordering::Relaxed);
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
