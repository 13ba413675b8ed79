//! A channel with one policy: updates, state, time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steer::Status;
use steer::endpoints::{Connectivity, EndpointDescriptor, EndpointId};
use steer::policy::{ParsedConfig, PolicyFactory, Update};
use steer::virtual_host::{
    Chance, LiveEndpoint, Request, VirtualChannel, VirtualClock, VirtualHost,
};

use super::Asked;
use super::callbacks::within;
use super::runner::SerialisedRunner;
use super::watch::ChannelWatch;

/// A channel with one policy.
pub struct Channel {
    pub runner: SerialisedRunner,
    /// Another factory of the same name is a new release of the plugin.
    pub factory: Arc<dyn PolicyFactory>,
    pub config: serde_json::Value,
    /// The latest config, parsed. Reused as long as the text is the same.
    parsed: Mutex<Option<(serde_json::Value, ParsedConfig)>>,
    pub target: String,
    /// The xDS cluster of the updates.
    pub cluster: String,
    /// The resolution note of later updates.
    pub note: String,
    /// The names of all endpoints whose requests were taken.
    names: Mutex<BTreeMap<EndpointId, String>>,
    /// Names that get new descriptors in the next list.
    pub(super) redescribed: Mutex<BTreeSet<String>>,
    pub(super) watch: Arc<ChannelWatch>,
}

impl Channel {
    /// A channel with `steer_round_robin`.
    pub fn round_robin() -> Channel {
        Channel::with("steer_round_robin", serde_json::json!({}))
    }

    /// A channel with this policy of the engine and this config.
    pub fn with(policy: &str, config: serde_json::Value) -> Channel {
        let mut channel = Channel::new(steer::policies::registry().find(policy).unwrap());
        channel.config = config;
        channel
    }

    /// The error of a config that has faults.
    pub fn config_fault(policy: &str, config: serde_json::Value) -> String {
        let factory = steer::policies::registry().find(policy).unwrap();
        let parsed = ParsedConfig::parse(&*factory, &config, steer::policies::registry());
        parsed.err().expect("it has faults").to_string()
    }

    pub fn new(factory: Arc<dyn PolicyFactory>) -> Channel {
        Channel::with_numbers(factory, Chance::Always(0))
    }

    /// A channel whose host always gives this random number.
    pub fn with_random(policy: &str, config: serde_json::Value, random: u64) -> Channel {
        Channel::with_chance(policy, config, Chance::Always(random))
    }

    /// A channel whose host gives the random numbers of this seed.
    pub fn with_seed(policy: &str, config: serde_json::Value, seed: u64) -> Channel {
        Channel::with_chance(policy, config, Chance::seeded(seed))
    }

    fn with_chance(policy: &str, config: serde_json::Value, chance: Chance) -> Channel {
        let factory = steer::policies::registry().find(policy).unwrap();
        let mut channel = Channel::with_numbers(factory, chance);
        channel.config = config;
        channel
    }

    fn with_numbers(factory: Arc<dyn PolicyFactory>, chance: Chance) -> Channel {
        let watch = Arc::<ChannelWatch>::default();
        let host = VirtualHost::watched(VirtualClock::default(), chance, Arc::clone(&watch) as _);
        host.set(|settings| settings.args_numbered = true);
        let channel = within("new", || {
            VirtualChannel::new(Arc::clone(&factory), steer::policies::fallback(), host)
        });
        watch.runner.set(Arc::downgrade(channel.runner())).expect("it is set here only");
        Channel {
            runner: SerialisedRunner::new(channel, Arc::clone(&watch)),
            factory,
            config: serde_json::json!({}),
            parsed: Mutex::default(),
            target: "the target".to_owned(),
            cluster: String::new(),
            note: "the note".to_owned(),
            names: Mutex::default(),
            redescribed: Mutex::default(),
            watch,
        }
    }

    /// The host, which a test may look into or change.
    pub fn host(&self) -> &VirtualHost {
        self.runner.channel().host()
    }

    /// The resolver gives these addresses, one letter each. Addresses of the list before have the
    /// same descriptor objects again.
    pub fn update(&self, names: &str) -> Result<(), Status> {
        let mut former = self.host().list().to_vec();
        let redescribed = std::mem::take(&mut *self.redescribed.lock().unwrap());
        former.retain(|was| !redescribed.contains(&was.addresses[0]));
        let descriptor = |name: char| {
            let descriptor = described(name);
            match former.iter().position(|was| **was == descriptor) {
                Some(index) => former.remove(index),
                None => Arc::new(descriptor),
            }
        };
        self.update_with(Ok(names.chars().map(descriptor).collect()))
    }

    /// As [`Channel::update`], with new descriptor objects for the whole list.
    pub fn update_redescribed(&self, names: &str) -> Result<(), Status> {
        self.update_with(Ok(names.chars().map(|name| Arc::new(described(name))).collect()))
    }

    pub fn update_with(
        &self,
        endpoints: Result<Vec<Arc<EndpointDescriptor>>, Status>,
    ) -> Result<(), Status> {
        let endpoints = endpoints.map(Arc::from);
        let ParsedConfig { policy: config, common } = self.parsed_config();
        let resolution_note = self.note.clone();
        let factory = Arc::clone(&self.factory);
        self.runner.update(Update {
            endpoints,
            factory,
            config,
            common,
            resolution_note,
            target: self.target.clone(),
            cluster: self.cluster.clone(),
        })
    }

    fn parsed_config(&self) -> ParsedConfig {
        let mut parsed = self.parsed.lock().unwrap();
        match &*parsed {
            Some((json, config)) if *json == self.config => config.clone(),
            _ => {
                let config =
                    ParsedConfig::parse(&*self.factory, &self.config, steer::policies::registry());
                let config = config.unwrap();
                *parsed = Some((self.config.clone(), config.clone()));
                config
            }
        }
    }

    /// The live endpoints of this name.
    pub fn ids(&self, name: char) -> Vec<EndpointId> {
        let named = |endpoint: &LiveEndpoint| endpoint.address().chars().eq([name]);
        self.host().endpoints_where(named).iter().map(|endpoint| endpoint.id).collect()
    }

    /// All live endpoints with their names, in the order in which they were made.
    pub fn endpoints(&self) -> BTreeMap<EndpointId, String> {
        let named = |endpoint: &LiveEndpoint| (endpoint.id, endpoint.address().to_owned());
        self.host().endpoints().iter().map(named).collect()
    }

    /// The live endpoints by their indices in the latest list. Without those that it left out.
    pub fn listed_endpoints(&self) -> BTreeMap<u32, EndpointId> {
        let endpoints = self.host().endpoints().into_iter();
        endpoints.filter_map(|one| Some((one.descriptor.index.get()?, one.id))).collect()
    }

    /// How often the engine asked the host to compare an endpoint with a descriptor, since the last
    /// call.
    pub fn comparisons(&self) -> usize {
        self.watch.comparisons.swap(0, std::sync::atomic::Ordering::Relaxed)
    }

    /// The requests of the engine since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        let mut requests = Vec::new();
        self.host().take_requests(&mut requests);
        requests.into_iter().map(|request| self.asked_by(request)).collect()
    }

    fn asked_by(&self, request: Request) -> Asked {
        let mut names = self.names.lock().unwrap();
        match request {
            Request::New(id, descriptor) => {
                names.insert(id, descriptor.addresses[0].clone());
                Asked::New(names[&id].clone())
            }
            Request::Drop(id) => Asked::Dropped(names[&id].clone()),
            Request::Connect(id) => Asked::Connect(names[&id].clone()),
            Request::ResetBackoff(id) => Asked::ResetBackoff(names[&id].clone()),
            Request::Reresolve => Asked::Reresolve,
            Request::State(state, _) => Asked::State(state),
            Request::RunLater => Asked::RunLater,
            Request::LoadReports(period) => Asked::LoadReports(period),
            Request::StartTimer(_, after) => Asked::StartTimer(after),
            Request::CancelTimer(_) => Asked::CancelTimer,
            Request::Log(_, message) => Asked::Log(message),
        }
    }

    /// The published state. `None` before the first.
    pub fn state(&self) -> Option<Connectivity> {
        self.host().published().map(|(state, _)| state)
    }

    /// The published status.
    pub fn status(&self) -> Status {
        self.host().published().expect("a state was published").1
    }

    /// The names of the live endpoints, sorted.
    pub fn alive(&self) -> String {
        let mut names: Vec<String> = self.endpoints().into_values().collect();
        names.sort();
        names.concat()
    }

    /// The number of connections that the engine holds.
    pub fn held_connections(&self) -> usize {
        self.host().held_connections()
    }

    /// Lets time pass. Timers run out in their order.
    pub fn advance(&self, time: Duration) {
        self.runner.event(|channel| channel.advance(time));
    }

    /// Runs the work that the engine asked to run later.
    pub fn run(&self) {
        self.runner.run();
    }
}

fn described(name: char) -> EndpointDescriptor {
    EndpointDescriptor { addresses: vec![name.to_string()], ..EndpointDescriptor::default() }
}
