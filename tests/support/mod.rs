//! A virtual host: a channel and a world in memory, for tests of the engine alone. It names
//! backends by one letter, keeps a record of what the engine asked for, and has a clock that
//! stands still and randomness that the test chooses.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::borrow::Cow;
pub mod callbacks;
pub mod statistics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use callbacks::{Turn, within};
use steer::calls::{Call, Headers, Metrics, TrackedSlot};
use steer::endpoints::{
    Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, Report,
};
use steer::policy::{GuardedPicker, Host, Pick, PolicyFactory, Runner, TimerId, Update};
use steer::stats::{EndpointLease, Fallback};
use steer::sync::Handle;
use steer::{Code, Severity, Status};

/// Something that the engine asked of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    New(String),
    Dropped(String),
    Connect(String),
    ResetBackoff(String),
    Reresolve,
    State(Connectivity),
    RunLater,
    LoadReports(Option<Duration>),
    StartTimer(Duration),
    CancelTimer,
    Log(String),
}

#[derive(Default)]
struct World {
    asked: Vec<Asked>,
    /// The latest list that the resolver gave.
    listed: Arc<[Arc<EndpointDescriptor>]>,
    /// The engine's live endpoints, in the order in which they were made.
    endpoints: BTreeMap<EndpointId, String>,
    /// Connections by their handles' numbers, and whether the engine still holds them.
    connections: Vec<(String, bool)>,
    state: Option<(Connectivity, Status)>,
    picker: Option<Arc<GuardedPicker>>,
    now: Duration,
    random: Chance,
    timers: BTreeMap<TimerId, Duration>,
    refused: Vec<String>,
    /// What all endpoints are made with beside their descriptors.
    args: u32,
    /// And what these alone are.
    own_args: BTreeMap<String, u32>,
    /// The host does not number what all are made with.
    unnumbered: bool,
    /// What is described anew by the next list.
    anew: BTreeSet<String>,
    /// What each endpoint was made with, gone ones too.
    made_with: BTreeMap<EndpointId, (u32, u32)>,
    cannot_run_later: bool,
    /// What an endpoint reports from within the request to connect.
    on_connect: Option<fn() -> Report>,
    /// Endpoints that have not reported yet.
    silent: BTreeSet<EndpointId>,
}

/// The host's randomness: always the same number, or a sequence from a seed.
enum Chance {
    Always(u64),
    Seeded(fastrand::Rng),
}

impl Default for Chance {
    fn default() -> Chance {
        Chance::Always(0)
    }
}

impl Chance {
    fn next(&mut self) -> u64 {
        match self {
            Chance::Always(random) => *random,
            Chance::Seeded(rng) => rng.u64(..),
        }
    }
}

impl World {
    /// What the host knows a descriptor as: by its place in the latest list, as a host in another language does.
    fn look_up(&self, descriptor: &EndpointDescriptor) -> Arc<EndpointDescriptor> {
        let index = descriptor.index.get().expect("it is in the latest list");
        let listed = &self.listed[index as usize];
        assert_eq!(**listed, *descriptor, "the place in the list is another endpoint's");
        Arc::clone(listed)
    }

    /// What the host would make an endpoint of this name with.
    fn args_of(&self, name: &str) -> (u32, u32) {
        (self.args, self.own_args.get(name).copied().unwrap_or(0))
    }
}

/// The world, shared by the host that the engine owns and the test.
#[derive(Clone, Default)]
struct VirtualHost(Arc<Mutex<World>>, Arc<Turn>);

impl VirtualHost {
    fn world(&self) -> MutexGuard<'_, World> {
        // After a failed assertion the world is still good for the engine's goodbye.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct VirtualEndpoint {
    host: VirtualHost,
    lease: EndpointLease,
    descriptor: Arc<EndpointDescriptor>,
    runner: Arc<Mutex<Option<std::sync::Weak<Runner>>>>,
}

impl VirtualEndpoint {
    fn name(&self) -> String {
        self.descriptor.addresses[0].clone()
    }
}

impl Endpoint for VirtualEndpoint {
    fn id(&self) -> EndpointId {
        self.lease.id()
    }

    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        self.host.1.came("endpoint_matches");
        let world = self.host.world();
        *self.descriptor == *world.look_up(descriptor)
            && world.made_with[&self.id()] == world.args_of(&self.name())
    }

    fn connect(&self) {
        self.host.1.came("endpoint_connect");
        let nested = {
            let mut world = self.host.world();
            world.asked.push(Asked::Connect(self.name()));
            world.on_connect
        };
        let runner = self.runner.lock().unwrap().as_ref().and_then(|runner| runner.upgrade());
        if let (Some(report), Some(runner)) = (nested, runner) {
            let report = || runner.endpoint_report(self.id(), report());
            assert!(self.host.1.within("event", report), "it has to wait its turn");
        }
    }

    fn reset_backoff(&self) {
        self.host.1.came("endpoint_reset_backoff");
        self.host.world().asked.push(Asked::ResetBackoff(self.name()));
    }
}

impl Drop for VirtualEndpoint {
    fn drop(&mut self) {
        let name = self.name();
        self.host.1.came("endpoint_free");
        let mut world = self.host.world();
        world.asked.push(Asked::Dropped(name));
        assert!(world.endpoints.remove(&self.id()).is_some(), "dropped twice");
        world.silent.remove(&self.id());
    }
}

struct ChannelHost {
    host: VirtualHost,
    runner: Arc<Mutex<Option<std::sync::Weak<Runner>>>>,
}

impl Host for ChannelHost {
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        self.host.1.came("endpoint_new");
        let mut world = self.host.world();
        let descriptor = world.look_up(descriptor);
        let name = descriptor.addresses[0].clone();
        if world.refused.contains(&name) {
            return Err(Status::unavailable("refused"));
        }
        world.asked.push(Asked::New(name.clone()));
        let id = lease.id();
        let args = world.args_of(&name);
        world.made_with.insert(id, args);
        world.endpoints.insert(id, name);
        world.silent.insert(id);
        Ok(Box::new(VirtualEndpoint {
            host: self.host.clone(),
            lease,
            descriptor,
            runner: Arc::clone(&self.runner),
        }))
    }

    fn update_state(&self, state: Connectivity, status: &Status, picker: GuardedPicker) {
        self.host.1.came("update_state");
        let former = {
            let mut world = self.host.world();
            world.asked.push(Asked::State(state));
            world.state = Some((state, status.clone()));
            world.picker.replace(Arc::new(picker))
        };
        // Outside of the lock: its connections come back to this world.
        within("picker free", || drop(former));
    }

    fn request_reresolution(&self) {
        self.host.1.came("request_reresolution");
        self.host.world().asked.push(Asked::Reresolve);
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        self.host.1.came("load_reports");
        self.host.world().asked.push(Asked::LoadReports(period));
    }

    fn made_with(&self) -> Option<u64> {
        let world = self.host.world();
        (!world.unnumbered).then_some(world.args.into())
    }

    fn run_later(&self) -> bool {
        self.host.1.came("run_later");
        let mut world = self.host.world();
        world.asked.push(Asked::RunLater);
        !world.cannot_run_later
    }

    fn start_timer(&self, timer: TimerId, after: Duration) {
        self.host.1.came("timer_start");
        let mut world = self.host.world();
        world.asked.push(Asked::StartTimer(after));
        let due = world.now + after;
        world.timers.insert(timer, due);
    }

    fn cancel_timer(&self, timer: TimerId) {
        self.host.1.came("timer_cancel");
        let mut world = self.host.world();
        world.asked.push(Asked::CancelTimer);
        world.timers.remove(&timer);
    }

    fn now(&self) -> Duration {
        self.host.world().now
    }

    fn random(&self) -> u64 {
        self.host.world().random.next()
    }

    fn log(&self, _severity: Severity, message: &str) {
        self.host.world().asked.push(Asked::Log(message.to_owned()));
    }
}

/// A runner, called as a host calls it: each call is one for the policy.
pub struct SerialisedRunner {
    /// None at the end.
    runner: Option<Arc<Runner>>,
    turn: Arc<Turn>,
}

impl SerialisedRunner {
    fn event<R>(&self, call: impl FnOnce(&Runner) -> R) -> R {
        self.turn.within("event", || call(self.runner.as_ref().expect("there until the end")))
    }

    pub fn update(&self, update: Update) -> Result<(), Status> {
        self.event(|runner| runner.update(update))
    }

    pub fn endpoint_report(&self, endpoint: EndpointId, report: Report) -> bool {
        self.event(|runner| runner.endpoint_report(endpoint, report))
    }

    pub fn load_report(&self, endpoint: EndpointId, metrics: Metrics) -> bool {
        self.event(|runner| runner.load_report(endpoint, metrics))
    }

    pub fn exit_idle(&self) {
        self.event(Runner::exit_idle);
    }

    pub fn reset_backoff(&self) {
        self.event(Runner::reset_backoff);
    }

    pub fn timer(&self, timer: TimerId) {
        self.event(|runner| runner.timer(timer));
    }

    pub fn run(&self) {
        self.event(Runner::run);
    }

    pub fn close(&self) {
        let runner = self.runner.as_ref().expect("there until the end");
        self.turn.within("free", || runner.close());
    }

    pub fn faults(&self) -> u64 {
        self.runner.as_ref().expect("there until the end").faults()
    }

    pub fn fallback(&self) -> Option<Fallback> {
        self.runner.as_ref().expect("there until the end").fallback()
    }
}

impl Drop for SerialisedRunner {
    fn drop(&mut self) {
        let runner = self.runner.take();
        self.turn.within("free", || drop(runner));
    }
}

/// A channel with one policy.
pub struct Channel {
    host: VirtualHost,
    pub runner: SerialisedRunner,
    /// Another one, of the same name, is a new release.
    pub factory: Arc<dyn PolicyFactory>,
    pub config: serde_json::Value,
    /// What was made of the latest config, for as long as it says the same.
    parsed: Mutex<Option<(serde_json::Value, steer::policy::Config)>>,
    pub target: String,
}

impl Channel {
    /// A channel with `steer_round_robin`.
    pub fn round_robin() -> Channel {
        Channel::with("steer_round_robin", serde_json::json!({}))
    }

    /// A channel with one of the engine's policies and this config.
    pub fn with(policy: &str, config: serde_json::Value) -> Channel {
        let mut channel = Channel::new(steer::policies::registry().find(policy).unwrap());
        channel.config = config;
        channel
    }

    /// What is said of this config, which has faults.
    pub fn config_fault(policy: &str, config: serde_json::Value) -> String {
        let factory = steer::policies::registry().find(policy).unwrap();
        factory.parse_config(&config).expect_err("it has faults").to_string()
    }

    pub fn new(factory: Arc<dyn PolicyFactory>) -> Channel {
        Channel::in_a_world(factory, World::default())
    }

    /// A channel whose host's randomness is this number from the start on.
    pub fn with_random(policy: &str, config: serde_json::Value, random: u64) -> Channel {
        Channel::with_chance(policy, config, Chance::Always(random))
    }

    /// A channel whose host's randomness is a sequence from this seed from the start on.
    pub fn with_seed(policy: &str, config: serde_json::Value, seed: u64) -> Channel {
        Channel::with_chance(policy, config, Chance::Seeded(fastrand::Rng::with_seed(seed)))
    }

    fn with_chance(policy: &str, config: serde_json::Value, random: Chance) -> Channel {
        let world = World { random, ..World::default() };
        let factory = steer::policies::registry().find(policy).unwrap();
        let mut channel = Channel::in_a_world(factory, world);
        channel.config = config;
        channel
    }

    fn in_a_world(factory: Arc<dyn PolicyFactory>, world: World) -> Channel {
        let turn = Arc::<Turn>::default();
        let host = VirtualHost(Arc::new(Mutex::new(world)), Arc::clone(&turn));
        let weak = Arc::new(Mutex::new(None));
        let channel_host = ChannelHost { host: host.clone(), runner: Arc::clone(&weak) };
        let runner = within("new", || {
            Runner::new(Arc::clone(&factory), steer::policies::fallback(), Box::new(channel_host))
        });
        let runner = Arc::new(runner);
        *weak.lock().unwrap() = Some(Arc::downgrade(&runner));
        let runner = SerialisedRunner { runner: Some(runner), turn };
        let (config, target) = (serde_json::json!({}), "the target".to_owned());
        Channel { host, runner, factory, config, parsed: Mutex::default(), target }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.host.world()
    }

    /// The resolver gives these addresses, one letter each. What was in the list before is the same object.
    pub fn update(&self, names: &str) -> Result<(), Status> {
        let mut former = self.world().listed.to_vec();
        let anew = std::mem::take(&mut self.world().anew);
        former.retain(|was| !anew.contains(&was.addresses[0]));
        let descriptor = |name: char| {
            let descriptor = EndpointDescriptor {
                addresses: vec![name.to_string()],
                ..EndpointDescriptor::default()
            };
            match former.iter().position(|was| **was == descriptor) {
                Some(place) => former.swap_remove(place),
                None => Arc::new(descriptor),
            }
        };
        self.update_with(Ok(names.chars().map(descriptor).collect()))
    }

    /// As [`Channel::update`], but all of the list is described anew.
    pub fn update_anew(&self, names: &str) -> Result<(), Status> {
        let former = std::mem::take(&mut self.world().listed);
        former.iter().for_each(|left| left.index.leave());
        self.update(names)
    }

    pub fn update_with(
        &self,
        endpoints: Result<Vec<Arc<EndpointDescriptor>>, Status>,
    ) -> Result<(), Status> {
        let endpoints = endpoints.map(|endpoints| {
            let mut world = self.world();
            let same = |(was, is)| Arc::ptr_eq(was, is);
            if world.listed.len() != endpoints.len()
                || !world.listed.iter().zip(&endpoints).all(same)
            {
                world.listed.iter().for_each(|left| left.index.leave());
                for (descriptor, index) in endpoints.iter().zip(0..) {
                    descriptor.index.set(index);
                }
                world.listed = endpoints.into();
            }
            // The very same one where it is the same, as hosts in C have it.
            Arc::clone(&world.listed)
        });
        let config = self.parsed_config();
        let resolution_note = "the note".to_owned();
        let factory = Arc::clone(&self.factory);
        let target = self.target.clone();
        self.runner.update(Update { endpoints, factory, config, resolution_note, target })
    }

    fn parsed_config(&self) -> steer::policy::Config {
        let mut parsed = self.parsed.lock().unwrap();
        match &*parsed {
            Some((json, config)) if *json == self.config => Arc::clone(config),
            _ => {
                let config = self.factory.parse_config(&self.config).unwrap();
                *parsed = Some((self.config.clone(), Arc::clone(&config)));
                config
            }
        }
    }

    /// The live endpoints of this name.
    pub fn ids(&self, name: char) -> Vec<EndpointId> {
        let world = self.world();
        let named = world.endpoints.iter().filter(|(_, of)| **of == name.to_string());
        named.map(|(id, _)| *id).collect()
    }

    /// All live endpoints with their names, in the order in which they were made.
    pub fn endpoints(&self) -> BTreeMap<EndpointId, String> {
        self.world().endpoints.clone()
    }

    /// One endpoint reports this state: the number of its connection if it is READY, and none else.
    pub fn report_state(&self, id: EndpointId, state: Connectivity) -> Option<usize> {
        self.world().silent.remove(&id);
        let name = self.world().endpoints[&id].clone();
        let report = match state {
            Connectivity::Idle => Report::Idle,
            Connectivity::Connecting => Report::Connecting,
            Connectivity::Ready => Report::Ready(self.connection_to(name)),
            Connectivity::TransientFailure => {
                Report::TransientFailure(Status::unavailable(format!("{name} is down")))
            }
        };
        let connection = match &report {
            Report::Ready(connection) => Some(connection.handle().number()),
            _ => None,
        };
        assert!(self.runner.endpoint_report(id, report));
        connection
    }

    fn report(&self, names: &str, report: impl Fn(char) -> Report) {
        for name in names.chars() {
            let ids = self.ids(name);
            assert!(!ids.is_empty(), "no endpoint {name}");
            for id in ids {
                // The report of one may have led to another being dropped.
                if !self.world().endpoints.contains_key(&id) {
                    continue;
                }
                self.world().silent.remove(&id);
                assert!(self.runner.endpoint_report(id, report(name)));
            }
        }
    }

    pub fn connection(&self, name: char) -> Connection {
        self.connection_to(name.to_string())
    }

    fn connection_to(&self, name: String) -> Connection {
        let mut world = self.world();
        let number = world.connections.len();
        world.connections.push((name, true));
        let host = self.host.clone();
        let release = move |handle: Handle| {
            // Tests drop calls and pickers in whatever they do, which is no function of the engine's.
            if callbacks::innermost() != "none" {
                callbacks::came("connection_free");
            }
            let connection = &mut host.world().connections[handle.number()];
            assert!(std::mem::replace(&mut connection.1, false), "given back twice");
        };
        Connection::new(Handle::from_number(number), Arc::new(release))
    }

    pub fn idle(&self, names: &str) {
        self.report(names, |_| Report::Idle);
    }

    pub fn connecting(&self, names: &str) {
        self.report(names, |_| Report::Connecting);
    }

    pub fn ready(&self, names: &str) {
        self.report(names, |name| Report::Ready(self.connection(name)));
    }

    /// Every endpoint becomes READY, whatever its name.
    pub fn ready_all(&self) {
        for id in self.endpoints().into_keys() {
            self.report_state(id, Connectivity::Ready);
        }
    }

    pub fn fail(&self, names: &str) {
        self.report(names, |name| {
            Report::TransientFailure(Status::unavailable(format!("{name} is down")))
        });
    }

    /// Every endpoint that has not reported yet reports CONNECTING, as hosts do soon after they
    /// made one.
    pub fn introduce(&self) {
        while let Some(id) = { self.world().silent.pop_first() } {
            assert!(self.runner.endpoint_report(id, Report::Connecting));
        }
    }

    /// What the engine asked for since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.world().asked)
    }

    /// The published state; none before the first.
    pub fn state(&self) -> Option<Connectivity> {
        self.world().state.as_ref().map(|(state, _)| *state)
    }

    /// The published status.
    pub fn status(&self) -> Status {
        self.world().state.as_ref().expect("a state was published").1.clone()
    }

    /// The names of the live endpoints, sorted.
    pub fn alive(&self) -> String {
        let mut names: Vec<String> = self.world().endpoints.values().cloned().collect();
        names.sort();
        names.concat()
    }

    /// How many connections the engine holds.
    pub fn held_connections(&self) -> usize {
        self.world().connections.iter().filter(|(_, held)| *held).count()
    }

    pub fn picker(&self) -> Arc<GuardedPicker> {
        Arc::clone(self.world().picker.as_ref().expect("a picker was published"))
    }

    /// One pick: a backend's name, or what else came of it. A call that is tracked is abandoned.
    pub fn pick(&self) -> String {
        self.pick_for(Call::UNKNOWN).0
    }

    /// One pick for this call: a backend's name, or what else came of it; and what tracks the call.
    pub fn pick_for(&self, call: &Call<'_>) -> (String, Option<TrackedSlot>) {
        let picker = self.picker();
        let name = |connection: &Connection| {
            let number = connection.handle().number();
            self.world().connections[number].0.clone()
        };
        let text = match within("pick", || picker.pick(call)) {
            Pick::Complete(connection) => name(connection),
            Pick::Tracked(slot) => return (name(slot.call().connection()), Some(slot)),
            Pick::Queue => "queue".to_owned(),
            Pick::Fail(status) => format!("fail {status}"),
            Pick::Drop(status) => format!("drop {status}"),
            Pick::FailWith(status) => format!("fail {status}"),
            Pick::DropWith(status) => format!("drop {status}"),
            Pick::Fault(_) => unreachable!("no policy of the tests does that"),
        };
        (text, None)
    }

    /// How often each connection is picked, by their numbers, in so many picks of which none fails or waits. Calls that are
    /// tracked are abandoned.
    pub fn connections_picked(&self, count: usize) -> BTreeMap<usize, usize> {
        let picker = self.picker();
        let mut picked = BTreeMap::new();
        for _ in 0..count {
            let number = match within("pick", || picker.pick(Call::UNKNOWN)) {
                Pick::Complete(connection) => connection.handle().number(),
                Pick::Tracked(slot) => slot.call().connection().handle().number(),
                _ => panic!("a call goes to no backend"),
            };
            *picked.entry(number).or_default() += 1;
        }
        picked
    }

    /// One pick for a call with this hash of an xDS route.
    pub fn pick_hash(&self, hash: u64) -> String {
        self.pick_for(&Call { request_hash: Some(hash), ..*Call::UNKNOWN }).0
    }

    /// One pick for a call with this header.
    pub fn pick_header(&self, name: &str, value: &str) -> String {
        self.pick_for(&Call { headers: &OneHeader { name, value }, ..*Call::UNKNOWN }).0
    }

    /// A call that is picked and starts: its backend's name, and what ends it. The policy tracks calls.
    pub fn start(&self) -> (String, TrackedSlot) {
        let (name, slot) = self.pick_for(Call::UNKNOWN);
        let mut slot = slot.unwrap_or_else(|| panic!("not a tracked call: {name}"));
        slot.call_mut().start();
        (name, slot)
    }

    /// So many picks, run together.
    pub fn picks(&self, count: usize) -> String {
        (0..count).map(|_| self.pick()).collect()
    }

    /// The backends of the current picker, sorted, by as many picks as `count`.
    pub fn picked(&self, count: usize) -> String {
        let mut names: Vec<String> = (0..count).map(|_| self.pick()).collect();
        names.sort();
        names.concat()
    }

    /// Lets time pass; timers run out in their order.
    pub fn advance(&self, time: Duration) {
        let end = self.world().now + time;
        loop {
            let next = {
                let mut world = self.world();
                let first = world.timers.iter().min_by_key(|(_, due)| **due);
                let first = first.map(|(timer, due)| (*timer, *due)).filter(|(_, due)| *due <= end);
                if let Some((timer, due)) = first {
                    world.timers.remove(&timer);
                    world.now = due;
                }
                first
            };
            match next {
                Some((timer, _)) => self.runner.timer(timer),
                None => break,
            }
        }
        self.world().now = end;
    }

    /// The host's randomness is this number, always.
    pub fn set_random(&self, random: u64) {
        self.world().random = Chance::Always(random);
    }

    /// The host's randomness is a sequence from this seed.
    pub fn seed(&self, seed: u64) {
        self.world().random = Chance::Seeded(fastrand::Rng::with_seed(seed));
    }

    /// Every endpoint of this name reports its load out of band.
    pub fn load_report(&self, name: char, metrics: &Metrics) {
        for id in self.ids(name) {
            assert!(self.runner.load_report(id, metrics.clone()));
        }
    }

    /// What the engine has asked to be run later.
    pub fn run(&self) {
        self.runner.run();
    }

    /// The host refuses to make endpoints of these names.
    pub fn refuse(&self, names: &str) {
        self.world().refused = names.chars().map(String::from).collect();
    }

    /// From now on the host makes all endpoints with something else.
    pub fn other_args(&self) {
        self.world().args += 1;
    }

    /// As [`Channel::other_args`] for the endpoints of this name alone, which shows in the next list.
    pub fn other_args_of(&self, name: char) {
        let mut world = self.world();
        *world.own_args.entry(name.to_string()).or_default() += 1;
        world.anew.insert(name.to_string());
    }

    /// Whether the host numbers what it makes all endpoints with.
    pub fn number_args(&self, numbers: bool) {
        self.world().unnumbered = !numbers;
    }

    /// Panics when there is an endpoint that the host would not make just so.
    pub fn check_args(&self) {
        let world = self.world();
        for (id, name) in &world.endpoints {
            assert_eq!(world.made_with[id], world.args_of(name), "{name} was to be made anew");
        }
    }

    pub fn cannot_run_later(&self) {
        self.world().cannot_run_later = true;
    }

    /// Endpoints report from within the request to connect.
    pub fn report_within_connect(&self, report: fn() -> Report) {
        self.world().on_connect = Some(report);
    }
}

impl Drop for Channel {
    /// The host holds the picker, and the picker the host.
    fn drop(&mut self) {
        let picker = self.world().picker.take();
        within("picker free", || drop(picker));
    }
}

/// The headers of a call that has one.
pub struct OneHeader<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl Headers for OneHeader<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == self.name).then_some(Cow::Borrowed(self.value.as_bytes()))
    }

    fn add(&self, _name: &str, _value: &[u8]) -> bool {
        false
    }
}

/// An UNAVAILABLE status as the rules word it.
pub fn all_failing(last: char) -> Status {
    Status::new(
        Code::Unavailable,
        format!("connections to all backends failing; last error: {last} is down"),
    )
}
