//! `steer_ring_hash`: which endpoint a call goes to, when connections are made, and which states
//! the channel gets.

mod balance;
mod choice;
mod config;
mod connecting;
#[path = "../support/mod.rs"]
mod support;
mod updates;

use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use steer::calls::Call;
use steer::endpoints::{Connectivity, EndpointDescriptor};
use steer::hashing::{Member, Ring};
use steer::{Code, Status};
use support::statistics::assert_shares;
use support::{Asked, Channel, OneHeader};

fn channel(config: serde_json::Value) -> Channel {
    Channel::with("steer_ring_hash", config)
}

/// The ring of these backends, one letter each, with the default sizes.
fn ring(names: &str) -> Ring {
    let members: Vec<Member<'_>> = names
        .char_indices()
        .map(|(at, _)| Member { key: Cow::Borrowed(&names.as_bytes()[at..=at]), weight: 1 })
        .collect();
    Ring::new(&members, 1024, 4096)
}

/// For each of these backends, one letter each, the hash of its first entry on their ring.
fn hashes(names: &str) -> BTreeMap<char, u64> {
    let letters: Vec<char> = names.chars().collect();
    let mut hashes = BTreeMap::new();
    for (hash, owner) in ring(names).entries() {
        hashes.entry(letters[owner]).or_insert(hash);
    }
    hashes
}

/// A channel with all of these backends READY.
fn connected(names: &str, config: serde_json::Value) -> Channel {
    let channel = channel(config);
    channel.update(names).unwrap();
    connect(&channel, names);
    channel
}

/// Sends a call to each of these backends, which makes its connection.
fn connect(channel: &Channel, names: &str) {
    for (name, hash) in hashes(names) {
        channel.pick_hash(hash);
        channel.run();
        channel.connecting(&name.to_string());
    }
    channel.ready(names);
    channel.asked();
}

fn fault(config: serde_json::Value) -> String {
    let factory = steer::policies::registry().find("steer_ring_hash").unwrap();
    factory
        .parse_config(&config, steer::policies::registry())
        .expect_err("a config with faults")
        .to_string()
}

/// Picks for a call with this hash. Returns the backend, and the tracked call.
fn start(channel: &Channel, hash: u64) -> (String, Option<steer::calls::TrackedSlot>) {
    channel.pick_for(&Call { request_hash: Some(hash), ..*Call::UNKNOWN })
}
