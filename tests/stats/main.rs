//! The statistics of a process: exact texts of a virtual channel, and agreement with the events.

mod calls;
mod channels;
mod formats;
mod loads;
mod ownership;
#[path = "../support/mod.rs"]
mod support;

use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use steer::calls::{Call, Metrics, TrackedSlot};
use steer::endpoints::Connectivity::{self, Ready, TransientFailure};
use steer::endpoints::{Connection, Endpoint, EndpointDescriptor, EndpointId, Locality, Report};
use steer::policy::{Helper, Pick, Picker, PolicyFactory, Registry, TimerId, Update};
use steer::stats::{self, BackendStats, ChannelStats, StatsSource};
use steer::sync::Handle;
use steer::{Code, Severity, Status};
use support::Channel;

/// Whether calls are tracked is global for the process, so tests that depend on it take turns.
static TRACKING: Mutex<()> = Mutex::new(());

struct Tracking(#[expect(dead_code, reason = "held until the test ends")] MutexGuard<'static, ()>);

impl Tracking {
    fn set(on: bool) -> Tracking {
        let guard = TRACKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        stats::track_calls(on);
        Tracking(guard)
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        stats::track_calls(false);
    }
}

fn channel(target: &str, policy: &str, config: serde_json::Value) -> Channel {
    let mut channel = Channel::with(policy, config);
    channel.target = target.to_owned();
    channel
}

/// The statistics of the channels with this target, numbered from 1.
fn seen(target: &str) -> Vec<ChannelStats> {
    let mut seen = stats::snapshot();
    seen.retain(|channel| channel.target == target);
    assert!(seen.is_sorted_by_key(|channel| channel.id));
    for (channel, number) in seen.iter_mut().zip(1..) {
        channel.id = number;
        channel.grpc_channel = Some(number);
    }
    seen
}

/// A backend in this locality.
fn located(name: &str, locality: &Locality) -> Arc<EndpointDescriptor> {
    let (addresses, locality) = (vec![name.to_owned()], locality.clone());
    Arc::new(EndpointDescriptor { addresses, locality, ..EndpointDescriptor::default() })
}

fn backends(target: &str) -> Vec<BackendStats> {
    seen(target).remove(0).backends
}

/// A pick for a call with a hash, which some policies need.
fn pick_hashed(channel: &Channel) -> (String, Option<TrackedSlot>) {
    channel.pick_for(&Call { request_hash: Some(7), ..*Call::UNKNOWN })
}

fn start(channel: &Channel) -> TrackedSlot {
    let mut slot = pick_hashed(channel).1.expect("it is tracked");
    slot.call_mut().start();
    slot
}

/// Makes five calls. Two end with OK, one fails, one is abandoned, and one goes on.
fn call(channel: &Channel) {
    for millis in [10, 30] {
        let mut slot = start(channel);
        channel.advance(Duration::from_millis(millis));
        slot.call_mut().finish(&Status::OK, None);
    }
    start(channel).call_mut().finish(&Status::unavailable("gone"), None);
    drop(start(channel));
    std::mem::forget(start(channel));
}
