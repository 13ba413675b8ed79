//! A channel with one policy: updates, state, time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use steer::Status;
use steer::endpoints::{Connectivity, EndpointDescriptor, EndpointId};
use steer::policy::{PolicyFactory, Runner, Update};

use super::Asked;
use super::callbacks::{Turn, within};
use super::host::{ChannelHost, VirtualHost};
use super::runner::SerialisedRunner;
use super::world::{Chance, World};

/// A channel with one policy.
pub struct Channel {
    pub(super) host: VirtualHost,
    pub runner: SerialisedRunner,
    /// Another factory of the same name is a new release of the plugin.
    pub factory: Arc<dyn PolicyFactory>,
    pub config: serde_json::Value,
    /// The latest config, parsed. Reused as long as the text is the same.
    parsed: Mutex<Option<(serde_json::Value, steer::policy::Config)>>,
    pub target: String,
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
        factory.parse_config(&config).expect_err("it has faults").to_string()
    }

    pub fn new(factory: Arc<dyn PolicyFactory>) -> Channel {
        Channel::in_a_world(factory, World::default())
    }

    /// A channel whose host always gives this random number.
    pub fn with_random(policy: &str, config: serde_json::Value, random: u64) -> Channel {
        Channel::with_chance(policy, config, Chance::Always(random))
    }

    /// A channel whose host gives the random numbers of this seed.
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
        let host = VirtualHost { world: Arc::new(Mutex::new(world)), turn: Arc::clone(&turn) };
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

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.host.world()
    }

    /// The resolver gives these addresses, one letter each. Addresses of the list before have the
    /// same descriptor objects again.
    pub fn update(&self, names: &str) -> Result<(), Status> {
        let mut former = self.world().listed.to_vec();
        let redescribed = std::mem::take(&mut self.world().redescribed);
        former.retain(|was| !redescribed.contains(&was.addresses[0]));
        let descriptor = |name: char| {
            let descriptor = EndpointDescriptor {
                addresses: vec![name.to_string()],
                ..EndpointDescriptor::default()
            };
            match former.iter().position(|was| **was == descriptor) {
                Some(index) => former.swap_remove(index),
                None => Arc::new(descriptor),
            }
        };
        self.update_with(Ok(names.chars().map(descriptor).collect()))
    }

    /// As [`Channel::update`], with new descriptor objects for the whole list.
    pub fn update_redescribed(&self, names: &str) -> Result<(), Status> {
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
            // The same object for the same list, as with hosts in C.
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
        let named = world.endpoints.iter().filter(|(_, other)| **other == name.to_string());
        named.map(|(id, _)| *id).collect()
    }

    /// All live endpoints with their names, in the order in which they were made.
    pub fn endpoints(&self) -> BTreeMap<EndpointId, String> {
        self.world().endpoints.clone()
    }

    /// The requests of the engine since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.world().asked)
    }

    /// The published state. `None` before the first.
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

    /// The number of connections that the engine holds.
    pub fn held_connections(&self) -> usize {
        self.world().connections.iter().filter(|(_, held)| *held).count()
    }

    /// Lets time pass. Timers run out in their order.
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

    /// Runs the work that the engine asked to run later.
    pub fn run(&self) {
        self.runner.run();
    }
}

impl Drop for Channel {
    /// Breaks a cycle: the host holds the picker, and the picker holds the host.
    fn drop(&mut self) {
        let picker = self.world().picker.take();
        within("picker free", || drop(picker));
    }
}
