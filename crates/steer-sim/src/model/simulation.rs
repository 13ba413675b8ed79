//! One run: its parts, and the loop over its events.
//!
//! Must not depend on: what an event leads to.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use slab::Slab;
use steer::endpoints::{EndpointDescriptor, EndpointId, Locality};
use steer::policy::PolicyFactory;
use steer::virtual_host::{Request, VirtualClock};

use super::call::{Attempt, Call};
use super::chance::{KeyChooser, Stream, in_ns};
use super::client::{CallId, Client};
use super::client_config::ClientConfigs;
use super::events::{Events, Time};
use super::network::{Routes, Zones};
use super::record::Record;
use super::server::{AttemptId, Place, Server};
use super::watch::Watch;
use crate::outcome::{LimitOutcome, Outcome};
use crate::scenario::{Distribution, Limit, Measure, PolicyChoice, Scenario, Threshold};

/// Something that happens to a part of the simulation. All data are numbers of 32 bits: with bytes
/// among them, a copy of an event stalls the processor.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A client starts.
    Start(u32),
    /// A client hears of a change of its list.
    Resolved(u32),
    /// The next call of an open loop of this group begins.
    Arrival(u32),
    /// A caller of a closed loop begins a call.
    Caller(u32),
    /// An attempt reaches its server.
    Reaches(AttemptId),
    /// A server has served an attempt.
    Served(AttemptId),
    /// The server's answer reaches the client.
    Returns(AttemptId),
    /// The server learns that the client has given up an attempt.
    GivenUp(AttemptId),
    /// A call has met its deadline.
    Deadline(CallId),
    /// The caller cancels a call.
    Cancel(CallId),
    /// A call is tried again.
    Retry(CallId),
    /// Another attempt of hedging is due.
    Hedge(CallId),
    /// An attempt to connect ends: the client, its endpoint's slot, and the change it belongs to.
    Connect(u32, u32, u32),
    /// The backoff of an endpoint ends.
    Backoff(u32, u32, u32),
    /// An endpoint's load report out of band is due.
    LoadReport(u32, u32, u32),
    /// A timer of a policy ends.
    Timer(u32),
    /// An event of the scenario begins.
    Happens(u32),
    /// The fault of such an event ends.
    FaultEnds(u32),
    /// A step of a rolling restart: the event, the server, the step.
    Rolling(u32, u32, u32),
    /// An interval of the record ends.
    Interval,
}

/// A run of a scenario with a policy.
pub(super) struct Simulation<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) end: Time,
    pub(super) factory: Arc<dyn PolicyFactory>,
    pub(super) configs: ClientConfigs,
    pub(super) clock: VirtualClock,
    pub(super) events: Events<Event>,
    pub(super) routes: Routes,
    pub(super) servers: Vec<Server>,
    /// The number of the server at each address.
    pub(super) addresses: HashMap<String, u32>,
    /// The list of clients that are told of all servers in the order of the scenario.
    pub(super) whole_list: Option<Arc<[Arc<EndpointDescriptor>]>>,
    pub(super) clients: Vec<Client>,
    /// The clients of each group.
    pub(super) members: Vec<std::ops::Range<u32>>,
    pub(super) calls: Slab<Call>,
    pub(super) attempts: Slab<Attempt>,
    /// Uses of places in the two tables.
    pub(super) uses: u32,
    pub(super) arrivals: Vec<Stream>,
    pub(super) keys: Vec<Option<KeyChooser>>,
    /// The load of each group of clients, as a multiple of what the scenario says.
    pub(super) load: Vec<f64>,
    pub(super) next_client: Vec<u32>,
    pub(super) record: Record,
    /// Reused memory for requests of the engine.
    pub(super) requests: Vec<Request>,
}

/// Why a scenario cannot be run.
#[derive(Debug)]
pub enum RunError {
    /// There is no policy of this name.
    UnknownPolicy(String),
    /// The policy rejects its config.
    Config(String, String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::UnknownPolicy(name) => {
                let mut known = steer::policies::registry().names();
                known.sort();
                write!(f, "there is no policy {name:?}; there are: {}", known.join(", "))
            }
            RunError::Config(policy, faults) => write!(f, "the config of {policy}: {faults}"),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a scenario with a policy and a seed. The outcome is the same for the same three, on every
/// machine. `progress` is told from time to time which share of the run is done.
pub fn simulate(
    scenario: &Scenario,
    policy: &PolicyChoice,
    seed: u64,
    progress: &dyn Fn(f64),
) -> Result<Outcome, RunError> {
    let factory = steer::policies::registry()
        .find(&policy.name)
        .ok_or_else(|| RunError::UnknownPolicy(policy.name.clone()))?;
    let configs = ClientConfigs::new(&factory, policy, scenario)
        .map_err(|faults| RunError::Config(policy.name.clone(), faults.to_string()))?;
    // Rotations start differently for each thread. Which one this is must not matter.
    Ok(steer::sync::with_first_slot(|| {
        let mut simulation = Simulation::new(scenario, policy, factory, configs, seed);
        simulation.run(progress);
        simulation.outcome(policy, seed)
    }))
}

/// The names of all servers of a scenario, with the numbers of their groups.
fn server_names(scenario: &Scenario) -> Vec<(usize, usize, String)> {
    let mut names = Vec::new();
    for (number, group) in scenario.servers.iter().enumerate() {
        for index in 0..group.count {
            let name = match group.count {
                1 => group.name.clone(),
                _ => format!("{}-{}", group.name, index + 1),
            };
            names.push((number, index, name));
        }
    }
    names
}

impl<'s> Simulation<'s> {
    fn new(
        scenario: &'s Scenario,
        policy: &PolicyChoice,
        factory: Arc<dyn PolicyFactory>,
        configs: ClientConfigs,
        seed: u64,
    ) -> Simulation<'s> {
        let zones = Zones::of(scenario);
        let routes = Routes::new(&scenario.network, &zones, seed);
        let constant_deadlines =
            scenario.clients.iter().filter_map(|group| match &group.deadline {
                Some(Distribution::Constant(time)) => Some(in_ns(*time)),
                _ => None,
            });
        let events = Events::new(routes.constant().chain(constant_deadlines).collect::<Vec<_>>());
        let clock = VirtualClock::default();
        let servers = servers_of(scenario, &zones, seed);
        let (clients, members) = clients_of(scenario, &zones, servers.len(), seed, &clock);
        let groups: Vec<usize> = servers.iter().map(|server| server.group).collect();
        let addresses = servers
            .iter()
            .enumerate()
            .map(|(number, server)| (server.descriptor.addresses[0].clone(), number as u32))
            .collect();
        let stream = |number| Stream::new(seed, "arrivals", number as u64);
        let mut simulation = Simulation {
            scenario,
            end: in_ns(scenario.duration),
            factory,
            configs,
            clock,
            events,
            routes,
            addresses,
            whole_list: None,
            clients,
            members,
            calls: Slab::new(),
            attempts: Slab::new(),
            uses: 0,
            arrivals: (0..scenario.clients.len()).map(stream).collect(),
            keys: scenario
                .clients
                .iter()
                .map(|group| group.keys.as_ref().map(KeyChooser::new))
                .collect(),
            load: vec![1.0; scenario.clients.len()],
            next_client: vec![0; scenario.clients.len()],
            record: Record::new(scenario, &groups, Vec::new()),
            requests: Vec::new(),
            servers,
        };
        simulation.record.watches = simulation.watches(policy);
        simulation.list_changed();
        simulation.schedule_start();
        simulation
    }

    /// The limits that hold for this policy.
    fn watches(&self, policy: &PolicyChoice) -> Vec<Watch> {
        let holds =
            |limit: &&Limit| limit.policies.is_empty() || limit.policies.contains(&policy.name);
        let width = in_ns(self.scenario.interval);
        let limits = self.scenario.limits.iter().filter(holds);
        limits
            .map(|limit| {
                let names = match &limit.measure {
                    Measure::Share(names)
                    | Measure::FairShare(names)
                    | Measure::PeakFairShare(names)
                    | Measure::InFlight(names)
                    | Measure::QueueAboveOthers(names) => names.as_slice(),
                    _ => &[],
                };
                let mut members = vec![false; self.servers.len()];
                for number in self.servers_named(names) {
                    members[number as usize] = true;
                }
                Watch::new(limit.clone(), members, width)
            })
            .collect()
    }

    /// The servers with these names: of servers, of groups, or `zone:NAME`.
    pub(super) fn servers_named(&self, names: &[String]) -> Vec<u32> {
        let is_named = |server: &Server| {
            let group = &self.scenario.servers[server.group];
            names.iter().any(|name| match name.strip_prefix("zone:") {
                Some(zone) => server.descriptor.locality.zone == zone,
                None => *name == server.name || *name == group.name,
            })
        };
        let servers = self.servers.iter().enumerate();
        servers.filter(|(_, server)| is_named(server)).map(|(number, _)| number as u32).collect()
    }

    fn run(&mut self, progress: &dyn Fn(f64)) {
        while let Some(event) = self.events.next(self.end) {
            let now = self.events.now();
            self.clock.set(std::time::Duration::from_nanos(now));
            if matches!(event, Event::Interval) {
                progress(now as f64 / self.end as f64);
            }
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Start(client) => self.start_client(client),
            Event::Resolved(client) => self.resolved(client),
            Event::Arrival(group) => self.arrival(group),
            Event::Caller(client) => self.begin_call(client, true),
            Event::Reaches(attempt) => self.reaches(attempt),
            Event::Served(attempt) => self.served(attempt),
            Event::Returns(attempt) => self.returns(attempt),
            Event::GivenUp(attempt) => self.given_up(attempt),
            Event::Deadline(call) => self.deadline(call),
            Event::Cancel(call) => self.cancelled_by_caller(call),
            Event::Retry(call) => self.retry(call),
            Event::Hedge(call) => self.hedge(call),
            Event::Connect(client, slot, change) => self.connect_ends(client, slot, change),
            Event::Backoff(client, slot, change) => self.backoff_ends(client, slot, change),
            Event::LoadReport(client, slot, change) => self.load_report(client, slot, change),
            Event::Timer(client) => self.timer(client),
            Event::Happens(number) => self.happens(number),
            Event::FaultEnds(number) => self.fault_ends(number),
            Event::Rolling(number, server, step) => self.rolling_step(number, server, step),
            Event::Interval => self.interval(),
        }
    }

    fn schedule_start(&mut self) {
        for (group, members) in self.members.clone().into_iter().enumerate() {
            let within = in_ns(self.scenario.clients[group].start_within);
            let count = u64::from(members.end - members.start);
            for (position, client) in members.enumerate() {
                self.events.at(within * position as u64 / count, Event::Start(client));
            }
        }
        for number in 0..self.scenario.events.len() {
            let at = in_ns(self.scenario.events[number].at);
            self.events.at(at, Event::Happens(number as u32));
        }
        self.events.at(self.record.width(), Event::Interval);
        for group in 0..self.scenario.clients.len() {
            self.schedule_first_arrivals(group);
        }
    }

    fn interval(&mut self) {
        let last = self.events.now() >= self.end;
        self.record.end_interval(last);
        if !last {
            let next = (self.events.now() + self.record.width()).min(self.end);
            self.events.at(next, Event::Interval);
        }
    }

    fn outcome(mut self, policy: &PolicyChoice, seed: u64) -> Outcome {
        let now = self.end;
        for server in 0..self.servers.len() as u32 {
            self.advance_load_until(server, now);
        }
        let fullest = self.record.fullest_connections();
        let mut watches = std::mem::take(&mut self.record.watches);
        let serves = |server: &Server| server.runs() && server.listed;
        let serving: Vec<bool> = self.servers.iter().map(serves).collect();
        let limits =
            watches.iter_mut().map(|watch| judge(watch, policy, &serving, fullest)).collect();
        let servers = self.servers.iter().map(|server| crate::outcome::Server {
            name: server.name.clone(),
            group: self.scenario.servers[server.group].name.clone(),
            zone: server.descriptor.locality.zone.clone(),
            ..crate::outcome::Server::default()
        });
        let mut outcome = Outcome {
            scenario: self.scenario.name.clone(),
            title: self.scenario.title.clone(),
            look_for: self.scenario.look_for.clone(),
            policy: policy.name.clone(),
            config: policy.config.clone(),
            seed,
            duration: self.scenario.duration.as_secs_f64(),
            warm_up: self.scenario.warm_up.as_secs_f64(),
            calls: 0,
            unfinished: 0,
            statuses: BTreeMap::new(),
            errors: 0.0,
            attempts: 0,
            latency: Default::default(),
            servers: servers.collect(),
            intervals: Default::default(),
            calls_in_system: 0.0,
            calls_at_server: Vec::new(),
            log: BTreeMap::new(),
            limits,
        };
        self.record.fill(&mut outcome, self.scenario, now);
        outcome
    }
}

fn judge(
    watch: &mut Watch,
    policy: &PolicyChoice,
    serving: &[bool],
    fullest_connections: f64,
) -> LimitOutcome {
    let measured = watch.measured(serving, fullest_connections);
    let limit = &watch.limit;
    let (bound, kept) = match limit.threshold {
        Threshold::AtMost(most) => (most, measured <= most),
        Threshold::AtLeast(least) => (least, measured >= least),
    };
    let known = limit.not_yet.contains(&policy.name);
    LimitOutcome {
        words: limit.to_string(),
        measured,
        unit: limit.measure.unit(),
        limit: bound,
        kept,
        not_yet: if known { limit.not_yet_because.clone() } else { String::new() },
        line: limit.line,
    }
}

fn servers_of(scenario: &Scenario, zones: &Zones, seed: u64) -> Vec<Server> {
    let named = server_names(scenario).into_iter().enumerate();
    named
        .map(|(number, (group_number, index, name))| {
            let group = &scenario.servers[group_number];
            let zone = &group.zones[index % group.zones.len()];
            let descriptor = descriptor(number, 0, zone, group.weight);
            let zone = zones.number(zone);
            let place = Place { number, name, group: group_number, zone, descriptor };
            Server::new(group, place, seed)
        })
        .collect()
}

/// Describes a server to clients. `life` tells apart the addresses that it has had.
pub(super) fn descriptor(
    number: usize,
    life: u32,
    zone: &str,
    weight: u32,
) -> Arc<EndpointDescriptor> {
    let [_, a, b, c] = (number as u32 + 1).to_be_bytes();
    Arc::new(EndpointDescriptor {
        addresses: vec![format!("ipv4:10.{a}.{b}.{c}:{}", 50_000 + life % 10_000)],
        weight,
        locality: Locality { zone: zone.to_owned(), ..Locality::default() },
        ..EndpointDescriptor::default()
    })
}

fn clients_of(
    scenario: &Scenario,
    zones: &Zones,
    servers: usize,
    seed: u64,
    clock: &VirtualClock,
) -> (Vec<Client>, Vec<std::ops::Range<u32>>) {
    let mut clients: Vec<Client> = Vec::new();
    let mut members = Vec::new();
    for (number, group) in scenario.clients.iter().enumerate() {
        let first = clients.len() as u32;
        for index in 0..group.count {
            let zone = zones.number(&group.zones[index % group.zones.len()]);
            let retries = group.retries.as_ref();
            let mut client = Client::new(number, zone, clients.len(), seed, clock, retries);
            client.choose_order(group, servers);
            clients.push(client);
        }
        members.push(first..clients.len() as u32);
    }
    (clients, members)
}

/// The number that marks an endpoint that is not known.
pub(super) fn slot_of(id: EndpointId) -> u32 {
    id.slot() as u32
}
