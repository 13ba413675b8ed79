//! The time that packets travel.
//!
//! Must not depend on: servers, clients, except for the names of their zones.

use std::time::Duration;

use super::distribution::distribution;
use super::names::Names;
use super::reader::{Fields, Node};
use crate::scenario::{Distribution, Network, ZonePair};

/// A round trip within a data centre (Dean, "Latency numbers every programmer should know").
const DEFAULT_ROUND_TRIP: Distribution = Distribution::Constant(Duration::from_micros(500));

/// Reads `[network]`.
pub(super) fn network(fields: &mut Fields<'_>, names: &Names) -> Network {
    let network = fields.read("network", |node| {
        node.table(|fields| Network {
            round_trip: fields.read_or("round_trip", DEFAULT_ROUND_TRIP, distribution),
            between: between(fields, names),
        })
    });
    network.unwrap_or(Network { round_trip: DEFAULT_ROUND_TRIP, between: Vec::new() })
}

fn between(fields: &mut Fields<'_>, names: &Names) -> Vec<ZonePair> {
    let mut earlier: Vec<[String; 2]> = Vec::new();
    let pairs = fields.read("between", |node| {
        node.list(|node| {
            let pair = node.table(|fields| {
                let zones = fields.require("zones", |node| pair(node, names, &mut earlier));
                let round_trip = fields.require("round_trip", distribution);
                Some(ZonePair { zones: zones?, round_trip: round_trip? })
            });
            pair?
        })
    });
    pairs.unwrap_or_default()
}

fn pair(node: &Node<'_>, names: &Names, earlier: &mut Vec<[String; 2]>) -> Option<[String; 2]> {
    let zones = node.list(|node| names.zone(node))?;
    let Ok([one, other]) = <[String; 2]>::try_from(zones) else {
        node.fault("expected two zones, which may be the same");
        return None;
    };
    let pair = [one.clone(), other.clone()];
    if earlier.contains(&pair) || earlier.contains(&[other, one]) {
        node.fault("these two zones have a round trip already");
    }
    earlier.push(pair.clone());
    Some(pair)
}
