//! Tests pickers, from their traits through the ABI and the real engine to calls in a test channel.
//!
//! | file | subject |
//! |---|---|
//! | `backends.rs` | backends as the resolver describes them |
//! | `calls.rs` | what pickers see of a call: headers, path, and the hash of an xDS route |
//! | `choices.rs` | which choices of pickers reach the channel, and their config |
//! | `conformance.rs` | the conformance test, with sound and broken pickers |
//! | `faults.rs` | panics of pickers and factories |
//! | `loads.rs` | load reports out of band |
//! | `metrics.rs` | custom metrics |
//! | `state.rs` | the state that a factory keeps for each channel and backend |
//! | `timers.rs` | timers, wakes, the clock, random numbers and the log |
//! | `tracking.rs` | calls that are followed to their end |
#![allow(missing_docs, reason = "a test")]

mod backends;
mod calls;
mod choices;
mod conformance;
mod faults;
mod loads;
mod metrics;
mod state;
mod timers;
mod tracking;

use steer_sdk::Severity;
use steer_sdk::testkit::TestChannel;

use backends::{Describing, TwoOfAll};
use calls::ByName;
use choices::Scripted;
use faults::{Broken, FailsToBuild, Isolated};
use loads::ShortestQueue;
use metrics::{Measured, MeasuredBackends};
use state::Remembering;
use timers::{Ejecting, Timed};
use tracking::Tracking;

steer_sdk::steer_plugin! {
    name: "pickers of the test",
    setup: Measured::register,
    pickers: [
        Scripted, ByName, Remembering, Tracking, Timed, Describing, Broken, FailsToBuild, Isolated,
        MeasuredBackends(2), ShortestQueue, TwoOfAll, Ejecting,
    ],
}

fn channel(policy: &str, config: &str) -> TestChannel {
    TestChannel::new(plugin(), policy, config).unwrap()
}

/// A channel whose backends `a`, `b`, … are READY.
fn ready_channel(policy: &str, config: &str, names: &str) -> TestChannel {
    let channel = channel(policy, config);
    channel.resolve(names.chars());
    channel.all_ready();
    channel
}

fn errors(channel: &TestChannel) -> Vec<String> {
    let errors = channel.log().into_iter().filter(|(severity, _)| *severity == Severity::Error);
    errors.map(|(_, text)| text).collect()
}
