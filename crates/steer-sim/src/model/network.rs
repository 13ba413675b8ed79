//! How long packets travel.
//!
//! Must not depend on: what they carry.

use std::collections::BTreeMap;

use super::chance::{Stream, in_ns};
use super::events::Time;
use crate::scenario::{Distribution, Network, Scenario};

/// The network between all zones.
pub(super) struct Routes {
    /// The round-trip time between two zones, by both numbers.
    round_trips: Vec<Distribution>,
    zones: usize,
    chance: Stream,
}

/// The zones of a scenario, numbered.
pub(super) struct Zones(BTreeMap<String, usize>);

impl Zones {
    pub(super) fn of(scenario: &Scenario) -> Zones {
        let servers = scenario.servers.iter().flat_map(|group| &group.zones);
        let clients = scenario.clients.iter().flat_map(|group| &group.zones);
        let mut zones: BTreeMap<String, usize> =
            servers.chain(clients).map(|zone| (zone.clone(), 0)).collect();
        zones.values_mut().enumerate().for_each(|(number, zone)| *zone = number);
        Zones(zones)
    }

    /// The number of a zone of the scenario.
    pub(super) fn number(&self, zone: &str) -> usize {
        self.0[zone]
    }
}

impl Routes {
    pub(super) fn new(network: &Network, zones: &Zones, seed: u64) -> Routes {
        let count = zones.0.len();
        let mut round_trips = vec![network.round_trip.clone(); count * count];
        for pair in &network.between {
            // A scenario may name a zone that nobody is in.
            let [Some(a), Some(b)] = pair.zones.each_ref().map(|zone| zones.0.get(zone)) else {
                continue;
            };
            round_trips[a * count + b] = pair.round_trip.clone();
            round_trips[b * count + a] = pair.round_trip.clone();
        }
        Routes { round_trips, zones: count, chance: Stream::new(seed, "network", 0) }
    }

    /// The time of one way between two zones.
    pub(super) fn one_way(&mut self, from: usize, to: usize) -> Time {
        self.chance.time(&self.round_trips[from * self.zones + to], 0.5)
    }

    /// One-way times that do not vary.
    pub(super) fn constant(&self) -> impl Iterator<Item = Time> {
        self.round_trips.iter().filter_map(|round_trip| match round_trip {
            Distribution::Constant(time) => Some((in_ns(*time) as f64 * 0.5) as Time),
            _ => None,
        })
    }
}
