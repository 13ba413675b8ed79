//! `steer_weighted_round_robin`: exact sequences, where weights come from and when they are usable,
//! and its config.

mod blackout;
mod config;
mod given_weights;
mod many;
mod reports;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use steer::Status;
use steer::calls::Metrics;
use steer::endpoints::Connectivity::{self, Connecting, Idle, Ready, TransientFailure};
use steer::endpoints::EndpointDescriptor;
use support::{Asked, Channel};

const POLICY: &str = "steer_weighted_round_robin";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn channel(config: Value, names: &str) -> Channel {
    let channel = Channel::with(POLICY, config);
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

/// A load report of this many calls per second at this utilization.
fn load(qps: f64, utilization: f64) -> Metrics {
    Metrics { rps_fractional: qps, application_utilization: utilization, ..Metrics::default() }
}

/// The next `count` picks of one thread. The host's random number decides where it starts.
fn sequence(channel: &Channel, count: usize) -> String {
    channel.picks(count)
}

/// How often each backend is picked.
fn shares(channel: &Channel, count: usize) -> BTreeMap<char, usize> {
    let mut shares = BTreeMap::new();
    for name in channel.picks(count).chars() {
        *shares.entry(name).or_insert(0) += 1;
    }
    shares
}

/// Each of these backends reports this utilization with a call.
fn report_with_calls(channel: &Channel, utilizations: &[(&str, f64)]) {
    for (name, utilization) in utilizations {
        loop {
            let (picked, mut call) = channel.start();
            if picked == *name {
                call.call_mut().finish(&Status::OK, Some(&load(100.0, *utilization)));
                break;
            }
        }
    }
}

/// The newest endpoint of this name reports these states.
fn report_newest(channel: &Channel, name: char, states: &[Connectivity]) {
    let id = *channel.ids(name).last().expect("it is listed");
    for state in states {
        channel.report_state(id, *state);
    }
}
