//! Faults, changes of the list, rolling restarts.
//!
//! Must not depend on: policies.

use super::call::AtServer;
use super::chance::in_ns;
use super::server::AttemptId;
use super::simulation::{Event, Simulation, descriptor};
use crate::scenario::{Happening, Rolling, ServerFault};

/// The steps of the rolling restart of one server.
const LEAVES: u32 = 0;
const ENDS: u32 = 1;
const STARTS: u32 = 2;

impl Simulation<'_> {
    pub(super) fn happens(&mut self, number: u32) {
        let scenario = self.scenario;
        match &scenario.events[number as usize].what {
            Happening::Fault { servers, fault, lasts } => {
                for server in self.servers_named(servers) {
                    self.fault_begins(number, server, fault);
                }
                if let Some(lasts) = lasts {
                    self.events.after(in_ns(*lasts), Event::FaultEnds(number));
                }
            }
            Happening::Add(servers) => {
                for server in self.servers_named(servers) {
                    self.servers[server as usize].start();
                    self.servers[server as usize].listed = true;
                }
                self.list_changed();
            }
            Happening::Remove(servers) => {
                for server in self.servers_named(servers) {
                    self.servers[server as usize].listed = false;
                }
                self.list_changed();
            }
            Happening::Weight(servers, weight) => {
                for server in self.servers_named(servers) {
                    let server = &mut self.servers[server as usize];
                    let mut changed = (*server.descriptor).clone();
                    changed.weight = *weight;
                    server.descriptor = changed.into();
                }
                self.list_changed();
            }
            Happening::Rolling(rolling) => self.rolling(number, rolling),
            Happening::Load(groups, factor) => {
                for (number, group) in scenario.clients.iter().enumerate() {
                    if groups.contains(&group.name) {
                        self.set_load(number, *factor);
                    }
                }
            }
            Happening::Resolve => self.list_changed(),
        }
    }

    fn fault_begins(&mut self, number: u32, server: u32, fault: &ServerFault) {
        self.servers[server as usize].add_fault(number as usize, fault.clone());
        match fault {
            ServerFault::Crash => {
                self.servers[server as usize].stop();
                self.lose_attempts(server);
                self.close_connections(server);
            }
            ServerFault::CloseConnections => {
                self.abandon_attempts(server);
                self.close_connections(server);
            }
            _ => {}
        }
    }

    pub(super) fn fault_ends(&mut self, number: u32) {
        let scenario = self.scenario;
        let Happening::Fault { servers, fault, .. } = &scenario.events[number as usize].what else {
            return;
        };
        for server in self.servers_named(servers) {
            self.servers[server as usize].remove_fault(number as usize);
            if *fault == ServerFault::Crash {
                self.servers[server as usize].start();
            }
            if !self.servers[server as usize].is_silent() {
                self.speak_again(server);
            }
        }
    }

    /// The attempts at a server that it has not answered.
    fn attempts_at(&self, server: u32) -> Vec<AttemptId> {
        let there = self
            .attempts
            .iter()
            .filter(|(_, attempt)| attempt.server == server && attempt.at_server != AtServer::Over);
        let id = |(slot, attempt): (usize, &super::call::Attempt)| AttemptId {
            slot: slot as u32,
            use_number: attempt.use_number,
        };
        there.map(id).collect()
    }

    /// A server that has stopped answers none of its attempts.
    fn lose_attempts(&mut self, server: u32) {
        for id in self.attempts_at(server) {
            self.lost(id);
        }
    }

    /// A server whose connections break drops the attempts that came over them.
    fn abandon_attempts(&mut self, server: u32) {
        for id in self.attempts_at(server) {
            self.abandon(id);
            self.lost(id);
        }
        self.serve_queue(server);
    }

    fn rolling(&mut self, number: u32, rolling: &Rolling) {
        for (position, server) in self.servers_named(&rolling.servers).into_iter().enumerate() {
            let batch = (position / rolling.batch) as u64;
            self.events.after(batch * in_ns(rolling.every), Event::Rolling(number, server, LEAVES));
        }
    }

    pub(super) fn rolling_step(&mut self, number: u32, server: u32, step: u32) {
        let scenario = self.scenario;
        let Happening::Rolling(rolling) = &scenario.events[number as usize].what else { return };
        match step {
            LEAVES => {
                self.servers[server as usize].listed = false;
                self.list_changed();
                self.events.after(in_ns(rolling.drain), Event::Rolling(number, server, ENDS));
            }
            ENDS => {
                // Gracefully: attempts in flight end by themselves.
                self.servers[server as usize].refuse();
                self.close_connections(server);
                self.events.after(in_ns(rolling.down), Event::Rolling(number, server, STARTS));
            }
            _ => {
                if rolling.new_address {
                    self.give_new_address(server);
                }
                self.servers[server as usize].start();
                self.servers[server as usize].listed = true;
                self.list_changed();
            }
        }
    }

    fn give_new_address(&mut self, number: u32) {
        let server = &mut self.servers[number as usize];
        server.lives += 1;
        let (zone, weight) = (server.descriptor.locality.zone.clone(), server.descriptor.weight);
        server.descriptor = descriptor(number as usize, server.lives, &zone, weight);
        self.addresses.insert(server.descriptor.addresses[0].clone(), number);
    }
}
