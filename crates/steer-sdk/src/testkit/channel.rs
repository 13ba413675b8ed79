//! A channel with one policy, and its picks.
//!
//! Must not know: what is checked with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use steer::endpoints::{
    Attribute, AttributeValue, Connectivity, EndpointDescriptor, EndpointId, Locality, Report,
};
use steer::policy::{GuardedPicker, Pick, PolicyFactory, Registry, Runner, Update};

use super::call::{Picked, TestCall, TrackedCall, from_engine, to_engine};
use super::distribution::Distribution;
use super::world::World;
use crate::{Library, Severity, State, Status, glue};

/// A backend, as a resolver describes it.
#[derive(Clone, Debug, Default)]
pub struct TestBackend(EndpointDescriptor);

impl TestBackend {
    /// With this address. Tests know backends by it.
    pub fn new(address: impl Into<String>) -> TestBackend {
        TestBackend(EndpointDescriptor { addresses: vec![address.into()], ..Default::default() })
    }

    /// With one more address.
    pub fn address(mut self, address: impl Into<String>) -> TestBackend {
        self.0.addresses.push(address.into());
        self
    }

    /// With this weight.
    pub fn weight(mut self, weight: u32) -> TestBackend {
        self.0.weight = weight;
        self
    }

    /// At this place.
    pub fn locality(mut self, region: &str, zone: &str, sub_zone: &str) -> TestBackend {
        self.0.locality = Locality {
            region: region.to_owned(),
            zone: zone.to_owned(),
            sub_zone: sub_zone.to_owned(),
        };
        self
    }

    /// With this key for consistent hashing.
    pub fn hash_key(mut self, key: impl Into<String>) -> TestBackend {
        self.0.hash_key = key.into();
        self
    }

    /// With a text attached.
    pub fn text(self, key: impl Into<String>, value: impl Into<String>) -> TestBackend {
        self.attribute(key.into(), AttributeValue::Text(value.into()))
    }

    /// With an integer attached.
    pub fn integer(self, key: impl Into<String>, value: i64) -> TestBackend {
        self.attribute(key.into(), AttributeValue::Integer(value))
    }

    fn attribute(mut self, key: String, value: AttributeValue) -> TestBackend {
        self.0.attributes.push(Attribute { key, value });
        self
    }
}

impl<T: Into<String>> From<T> for TestBackend {
    fn from(address: T) -> TestBackend {
        TestBackend::new(address)
    }
}

/// A channel with one policy, in memory. Time stands still until [`TestChannel::advance`]; backends are
/// being connected until the test says something else. Any thread may pick, while another one changes
/// what there is.
pub struct TestChannel {
    world: World,
    runner: Runner,
    factory: Arc<dyn PolicyFactory>,
    control: Mutex<Control>,
}

/// What the resolver said last.
struct Control {
    config: steer::policy::Config,
    backends: Vec<Arc<EndpointDescriptor>>,
    /// What the test said of them last, by address.
    states: BTreeMap<String, Connectivity>,
}

impl TestChannel {
    /// A channel with this policy of the library's. `Err`: the library cannot be registered, has no such
    /// policy, or the config has faults, which are named by their fields as gRPC does.
    pub fn new(
        library: &'static Library,
        policy: &str,
        config: &str,
    ) -> Result<TestChannel, String> {
        glue::testkit::register(library)?;
        let factory = Registry::global().find(policy);
        let factory = factory.ok_or_else(|| format!("there is no policy named {policy:?}"))?;
        let config = parse(&*factory, config)?;
        let world = World::new();
        let runner = Runner::new(Arc::clone(&factory), Box::new(world.clone()));
        let control = Mutex::new(Control { config, backends: Vec::new(), states: BTreeMap::new() });
        Ok(TestChannel { world, runner, factory, control })
    }

    /// The resolver gives these backends, by their addresses or as [`TestBackend`]s.
    pub fn resolve<B: Into<TestBackend>>(&self, backends: impl IntoIterator<Item = B>) {
        // What it says of an empty list is the policy's state, too.
        let _ = self.try_resolve(backends);
    }

    /// The same, and what the resolver hears: `Err` when the policy does not accept the list.
    pub fn try_resolve<B: Into<TestBackend>>(
        &self,
        backends: impl IntoIterator<Item = B>,
    ) -> Result<(), Status> {
        let backends = backends.into_iter().enumerate().map(|(index, backend)| {
            let descriptor = backend.into().0;
            descriptor.index.set(index as u32);
            Arc::new(descriptor)
        });
        let backends: Vec<_> = backends.collect();
        self.serialised(|control| {
            let listed = |address: &String| backends.iter().any(|one| one.addresses[0] == *address);
            control.states.retain(|address, _| listed(address));
            control.backends = backends;
            self.update(control, Ok(control.backends.clone()))
        })
        .map_err(|status| from_engine(&status))
    }

    /// The resolver fails.
    pub fn resolver_fails(&self, status: &Status) {
        self.serialised(|control| {
            let _ = self.update(control, Err(to_engine(status)));
        });
    }

    /// The service config changes. `Err`: it has faults, and the old one stays.
    pub fn configure(&self, config: &str) -> Result<(), String> {
        let config = parse(&*self.factory, config)?;
        self.serialised(|control| {
            control.config = config;
            let _ = self.update(control, Ok(control.backends.clone()));
        });
        Ok(())
    }

    fn update(
        &self,
        control: &Control,
        endpoints: Result<Vec<Arc<EndpointDescriptor>>, steer::Status>,
    ) -> Result<(), steer::Status> {
        self.runner.update(Update {
            endpoints: endpoints.map(Arc::from),
            factory: Arc::clone(&self.factory),
            config: Arc::clone(&control.config),
            resolution_note: String::new(),
            target: String::new(),
        })
    }

    /// This backend is connected, anew if it was.
    pub fn ready(&self, address: &str) {
        self.becomes(address, Connectivity::Ready);
    }

    /// All that are not, are connected.
    pub fn all_ready(&self) {
        let others = self.endpoints(|one| one.state != Some(Connectivity::Ready));
        for (_, address) in others {
            self.becomes(&address, Connectivity::Ready);
        }
    }

    /// This backend's connection is lost.
    pub fn idle(&self, address: &str) {
        self.becomes(address, Connectivity::Idle);
    }

    /// This backend is being connected.
    pub fn connecting(&self, address: &str) {
        self.becomes(address, Connectivity::Connecting);
    }

    /// This backend cannot be connected.
    pub fn fails(&self, address: &str) {
        self.becomes(address, Connectivity::TransientFailure);
    }

    fn becomes(&self, address: &str, state: Connectivity) {
        self.serialised(|control| {
            control.states.insert(address.to_owned(), state);
            for (id, _) in self.endpoints(|endpoint| endpoint.address == address) {
                self.report(id, address, state);
            }
        });
    }

    fn report(&self, id: EndpointId, address: &str, state: Connectivity) {
        match self.world.lock().endpoints.get_mut(&id) {
            Some(endpoint) => {
                endpoint.state = Some(state);
                endpoint.asked &= state != Connectivity::Ready;
            }
            // The report of another one has led to its end.
            None => return,
        }
        let report = match state {
            Connectivity::Idle => Report::Idle,
            Connectivity::Connecting => Report::Connecting,
            Connectivity::Ready => Report::Ready(self.world.connection(address)),
            Connectivity::TransientFailure => {
                let why = format!("{address} is down");
                Report::TransientFailure(steer::Status::unavailable(why))
            }
        };
        self.runner.endpoint_report(id, report);
    }

    /// New endpoints report, as gRPC's do soon after they were made: what the test has said of their
    /// backends, or else that they are being connected, if they are.
    fn introduce(&self, control: &Control) {
        for (id, address) in self.endpoints(|endpoint| endpoint.state.is_none()) {
            let asked = self.world.lock().endpoints.get(&id).is_some_and(|one| one.asked);
            let first = if asked { Connectivity::Connecting } else { Connectivity::Idle };
            let state = control.states.get(&address).copied().unwrap_or(first);
            self.report(id, &address, state);
        }
    }

    fn endpoints(
        &self,
        which: impl Fn(&super::world::LiveEndpoint) -> bool,
    ) -> Vec<(EndpointId, String)> {
        let world = self.world.lock();
        let found = world.endpoints.iter().filter(|(_, endpoint)| which(endpoint));
        found.map(|(id, endpoint)| (*id, endpoint.address.clone())).collect()
    }

    /// The backends that the policy has asked to be connected, and that are not yet.
    pub fn asked_to_connect(&self) -> Vec<String> {
        let asked = self.endpoints(|endpoint| endpoint.asked);
        asked.into_iter().map(|(_, address)| address).collect()
    }

    /// Time goes on, and timers run out.
    pub fn advance(&self, time: Duration) {
        let end = self.world.lock().now.saturating_add(time);
        self.serialised(|_| {
            loop {
                let due = {
                    let mut world = self.world.lock();
                    let first = world.timers.first_key_value().map(|(key, timer)| (*key, *timer));
                    match first.filter(|((due, _), _)| *due <= end) {
                        Some((key, timer)) => {
                            world.timers.remove(&key);
                            world.now = world.now.max(key.0);
                            timer
                        }
                        None => {
                            world.now = end;
                            return;
                        }
                    }
                };
                self.runner.timer(due);
            }
        });
    }

    /// Chance starts anew from this seed.
    pub fn seed(&self, seed: u64) {
        self.world.lock().random.seed(seed);
    }

    /// A call came while the policy was IDLE.
    pub fn exit_idle(&self) {
        self.serialised(|_| self.runner.exit_idle());
    }

    /// The channel is closed. Picks that are under way go on.
    pub fn close(&self) {
        self.serialised(|_| self.runner.close());
    }

    /// One pick.
    pub fn pick(&self, call: &TestCall) -> Picked {
        let picker = self.world.lock().published.as_ref().map(|(_, _, picker)| Arc::clone(picker));
        match picker {
            Some(picker) => self.pick_with(&picker, call),
            None => Picked::Queue,
        }
    }

    fn pick_with(&self, picker: &GuardedPicker, call: &TestCall) -> Picked {
        let wants = picker.wants();
        let (mut picked, headers) = call.seen(wants, |call| match picker.pick(call) {
            Pick::Complete(connection) => Picked::Complete {
                backend: self.address(connection.handle().number()),
                headers: Vec::new(),
            },
            Pick::Tracked(slot) => Picked::Tracked {
                backend: self.address(slot.call().connection().handle().number()),
                headers: Vec::new(),
                call: TrackedCall::new(slot, wants),
            },
            Pick::Queue => Picked::Queue,
            Pick::Fail(status) => Picked::Fail(from_engine(status)),
            Pick::FailWith(status) => Picked::Fail(from_engine(&status)),
            Pick::Drop(status) => Picked::Drop(from_engine(status)),
            Pick::DropWith(status) => Picked::Drop(from_engine(&status)),
            Pick::Fault(text) => Picked::Fail(Status::internal(*text)),
        });
        if let Picked::Complete { headers: to, .. } | Picked::Tracked { headers: to, .. } =
            &mut picked
        {
            *to = headers;
        }
        // What the engine asked for from within the pick.
        if self.world.lock().run_wanted {
            self.serialised(|_| ());
        }
        picked
    }

    fn address(&self, connection: usize) -> String {
        self.world.lock().connections[connection].address.clone()
    }

    /// So many picks, whose calls end with OK at once.
    pub fn picks(&self, count: usize, call: &TestCall) -> Distribution {
        let mut distribution = Distribution::default();
        for _ in 0..count {
            let picked = self.pick(call);
            distribution.add(&picked);
            picked.finish(crate::Code::Ok);
        }
        distribution
    }

    /// The state that the policy has published; none before the first.
    pub fn state(&self) -> Option<State> {
        let world = self.world.lock();
        world.published.as_ref().map(|(state, _, _)| match state {
            Connectivity::Idle => State::Idle,
            Connectivity::Connecting => State::Connecting,
            Connectivity::Ready => State::Ready,
            Connectivity::TransientFailure => State::TransientFailure,
        })
    }

    /// The addresses of the backends that are connected now.
    pub fn ready_backends(&self) -> Vec<String> {
        let ready = self.endpoints(|endpoint| endpoint.state == Some(Connectivity::Ready));
        ready.into_iter().map(|(_, address)| address).collect()
    }

    /// How many connections are held: by endpoints, pickers, and calls that are tracked.
    pub fn held_connections(&self) -> usize {
        self.world.lock().connections.iter().filter(|connection| connection.held).count()
    }

    /// How often the policy was broken: panics, and what the engine refused. What the channel does
    /// then is said by [`TestChannel::fallback`].
    pub fn faults(&self) -> u64 {
        self.runner.faults()
    }

    /// Why round robin, or a picker that fails every call, is in the policy's place; `None`: the
    /// policy is in its place.
    pub fn fallback(&self) -> Option<String> {
        self.runner.fallback().map(|fallback| fallback.reason)
    }

    /// The lines of the log.
    pub fn log(&self) -> Vec<(Severity, String)> {
        self.world.lock().log.clone()
    }

    /// How often the resolver was asked to resolve again.
    pub fn reresolutions(&self) -> u64 {
        self.world.lock().reresolutions
    }

    /// A change of the channel: one at a time, and then what the engine wants done later.
    fn serialised<R>(&self, change: impl FnOnce(&mut Control) -> R) -> R {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut control);
        loop {
            self.introduce(&control);
            if !std::mem::take(&mut self.world.lock().run_wanted) {
                return result;
            }
            self.runner.run();
        }
    }
}

fn parse(factory: &dyn PolicyFactory, config: &str) -> Result<steer::policy::Config, String> {
    let json: serde_json::Value =
        serde_json::from_str(config).map_err(|error| format!("{config}: {error}"))?;
    factory.parse_config(&json).map_err(|error| error.to_string())
}

impl Drop for TestChannel {
    /// The host holds the picker, and the picker the host.
    fn drop(&mut self) {
        self.close();
        let published = self.world.lock().published.take();
        drop(published);
    }
}

impl fmt::Debug for TestChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestChannel")
            .field("policy", &self.factory.name())
            .field("state", &self.state())
            .field("ready", &self.ready_backends())
            .field("faults", &self.faults())
            .finish_non_exhaustive()
    }
}
