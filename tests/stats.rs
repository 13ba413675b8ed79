//! What can be seen of a process: exact texts of a virtual channel, and that it agrees with what happened.

mod support;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::json;
use steer::calls::{Call, Metrics, TrackedSlot};
use steer::endpoints::Connectivity::{self, Ready, TransientFailure};
use steer::endpoints::{Connection, Endpoint, EndpointDescriptor, EndpointId, Report};
use steer::policy::{Helper, Pick, Picker, PolicyFactory, Registry, TimerId, Update};
use steer::stats::{self, BackendStats, ChannelStats, StatsSource};
use steer::sync::Handle;
use steer::{Code, Severity, Status};
use support::Channel;

/// Whether calls are tracked is a matter of the process: tests that depend on it take turns.
static TRACKING: Mutex<()> = Mutex::new(());

struct Tracking(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

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

/// What is seen of the channels with this target, numbered from 1.
fn seen(target: &str) -> Vec<ChannelStats> {
    let mut seen = stats::snapshot();
    seen.retain(|channel| channel.target == target);
    assert!(seen.is_sorted_by_key(|channel| channel.id));
    for (channel, number) in seen.iter_mut().zip(1..) {
        channel.id = number;
    }
    seen
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

/// Two calls end well and one does not, one is abandoned, and one goes on.
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

#[test]
fn the_json_of_a_policy_that_tracks_calls() {
    let channel = channel("json", "steer_least_request", json!({}));
    channel.update("ab").unwrap();
    channel.ready("a");
    channel.fail("b");
    call(&channel);
    assert_eq!(
        stats::to_json(&seen("json")),
        concat!(
            r#"{"steer":"0.1.0","channels":[{"id":1,"target":"json","policy":"steer_least_request","#,
            r#""fallen_back":false,"state":"READY","status":"","faults":0,"pickers":3,"calls_tracked":true,"#,
            r#""backends":[{"addresses":["a"],"state":"READY","picks":5,"in_flight":1,"abandoned":1,"#,
            r#""finished":{"OK":2,"UNAVAILABLE":1},"latency_seconds":{"count":3,"sum":0.04,"p50":0.01024,"#,
            r#""p90":0.03,"p99":0.03,"p999":0.03,"max":0.03}},{"addresses":["b"],"#,
            r#""state":"TRANSIENT_FAILURE","picks":0,"in_flight":0,"abandoned":0,"finished":{}}]}]}"#
        )
    );
}

#[test]
fn the_text_for_prometheus() {
    let channel = channel("a \"quoted\\\ntarget", "steer_least_request", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    call(&channel);
    let text = stats::to_prometheus(seen(&channel.target));
    assert_eq!(text, include_str!("stats.prometheus"), "{text}");
}

/// A target may name each backend, as `ipv4:` does.
#[test]
fn the_text_for_prometheus_grows_as_the_backends_do() {
    let length = |backends: usize| {
        let addresses = (0..backends).map(|number| format!("10.0.0.{number:03}:50051"));
        let addresses: Vec<String> = addresses.collect();
        let target = format!("ipv4:{}", addresses.join(","));
        let channel = channel(&target, "steer_least_request", json!({}));
        let endpoint =
            |address| EndpointDescriptor { addresses: vec![address], ..Default::default() };
        channel
            .update_with(Ok(addresses.into_iter().map(endpoint).map(Arc::new).collect()))
            .unwrap();
        channel.ready_all();
        let text = stats::to_prometheus(seen(&target));
        assert_eq!(text.matches(&target).count(), 1);
        text.len()
    };
    let (few, many) = (length(50), length(400));
    assert!(many < 9 * few, "{few} bytes for 50 backends, {many} for 400");
}

#[test]
fn a_status_and_its_end_are_seen() {
    let channel = channel("state", "steer_round_robin", json!({}));
    assert!(seen("state").is_empty(), "there is no target before the first update");
    channel.update("ab").unwrap();
    let state = |of: &ChannelStats| (of.state, of.status.clone(), of.pickers);
    assert_eq!(state(&seen("state")[0]), (Connectivity::Connecting, Status::OK, 1));
    channel.fail("ab");
    let status = Status::unavailable("connections to all backends failing; last error: b is down");
    assert_eq!(state(&seen("state")[0]), (TransientFailure, status, 2));
    channel.ready("b");
    assert_eq!(state(&seen("state")[0]), (Ready, Status::OK, 3));
    let states: Vec<_> = backends("state").into_iter().map(|of| of.state).collect();
    assert_eq!(states, [TransientFailure, Ready]);
}

#[test]
fn backends_are_those_that_there_are() {
    let channel = channel("backends", "steer_least_request", json!({}));
    let names = || -> String { backends("backends").iter().map(|of| &*of.addresses[0]).collect() };
    channel.update("ab").unwrap();
    channel.ready("ab");
    assert_eq!(names(), "ab");
    // The pending list's, too: they are being connected.
    channel.update("bc").unwrap();
    channel.introduce();
    assert_eq!(names(), "bc");
    channel.update("d").unwrap();
    assert_eq!(names(), "bcd");
    channel.ready("d");
    assert_eq!(names(), "d");
}

#[test]
fn what_is_known_of_calls_stays_while_a_backend_is_away() {
    let channel = channel("away", "steer_least_request", json!({}));
    channel.update("ab").unwrap();
    channel.ready("a");
    call(&channel);
    channel.ready("b");
    channel.fail("a");
    let a = &backends("away")[0];
    assert_eq!((a.state, a.picks), (TransientFailure, Some(5)));
    channel.fail("b");
    assert_eq!(backends("away")[0].picks, Some(5));
    channel.update("b").unwrap();
    channel.update("ab").unwrap();
    channel.ready("a");
    assert_eq!(backends("away")[0].picks, Some(0), "it left, and another came");
}

#[test]
fn a_policy_leaves_with_its_channel() {
    let first = channel("leaves", "steer_round_robin", json!({}));
    let second = channel("leaves", "steer_random", json!({}));
    first.update("a").unwrap();
    second.update("a").unwrap();
    first.ready("a");
    let policies = || -> Vec<_> { seen("leaves").into_iter().map(|of| of.policy).collect() };
    assert_eq!(policies(), ["steer_round_robin", "steer_random"]);
    let picker = first.picker();
    first.runner.close();
    assert_eq!(policies(), ["steer_random"]);
    drop((first, picker));
    drop(second);
    assert!(seen("leaves").is_empty());
}

#[test]
fn calls_are_not_tracked_for_the_statistics_unless_asked() {
    let _tracking = Tracking::set(false);
    let channel = channel("untracked", "steer_round_robin", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    // A thread's first turn takes longer.
    channel.pick();
    assert!(channel.picker().next_in_rotation().is_some(), "the shortest way is taken");
    let seen = seen("untracked").remove(0);
    assert!(!seen.calls_tracked);
    let a = &seen.backends[0];
    assert_eq!((a.picks, a.in_flight, &a.finished, &a.latency_seconds), (None, None, &None, &None));
}

#[test]
fn every_policy_tracks_calls_when_asked() {
    let _tracking = Tracking::set(true);
    for policy in steer::policies::registry().names() {
        let target = format!("tracked {policy}");
        let channel = channel(&target, &policy, json!({}));
        channel.update("a").unwrap();
        if channel.ids('a').is_empty() {
            // It connects when a call wants it to.
            assert_eq!(pick_hashed(&channel).0, "queue", "{policy}");
            channel.runner.run();
        }
        channel.ready("a");
        drop(pick_hashed(&channel));
        call(&channel);
        let seen = seen(&target).remove(0);
        assert!(seen.calls_tracked, "{policy}");
        let a = &seen.backends[0];
        // One of the picks above was to look whether it fails.
        let counts = (a.picks, a.in_flight, a.abandoned);
        assert_eq!(counts, (Some(6), Some(1), Some(2)), "{policy}");
        assert_eq!(a.finished, Some(vec![(Code::Ok, 2), (Code::Unavailable, 1)]), "{policy}");
        assert_eq!(a.latency_seconds.as_ref().map(|of| of.count), Some(3), "{policy}");
    }
}

#[test]
fn tracking_begins_and_ends_with_the_next_picker() {
    let tracking = Tracking::set(false);
    let channel = channel("switched", "steer_round_robin", json!({}));
    channel.update("ab").unwrap();
    channel.ready("a");
    stats::track_calls(true);
    assert!(channel.pick_for(Call::UNKNOWN).1.is_none());
    channel.ready("b");
    assert_eq!(channel.picked(4), "aabb");
    let picks = || -> Vec<_> { backends("switched").iter().map(|of| of.picks).collect() };
    assert_eq!(picks(), [Some(2), Some(2)]);
    stats::track_calls(false);
    assert_eq!(channel.picked(2), "ab");
    assert_eq!(picks(), [Some(3), Some(3)]);
    channel.ready("b");
    channel.picks(2);
    assert_eq!(picks(), [None, None]);
    drop(tracking);
}

#[test]
fn numbers_never_go_back_while_calls_come_and_end() {
    use std::thread;
    let channel = channel("storm", "steer_least_request", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    let picker = channel.picker();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let pick = picker.pick(Call::UNKNOWN);
                        let Pick::Tracked(mut slot) = pick else { panic!() };
                        slot.call_mut().finish(&Status::OK, None);
                    }
                })
            })
            .collect();
        let mut last = 0;
        while calls.iter().any(|calls| !calls.is_finished()) {
            let a = backends("storm").remove(0);
            let picks = a.picks.unwrap();
            assert!(picks >= last && picks <= 40_000, "{picks} after {last}");
            last = picks;
        }
    });
    let a = backends("storm").remove(0);
    assert_eq!((a.picks, a.in_flight), (Some(40_000), Some(0)));
    assert_eq!(a.finished, Some(vec![(Code::Ok, 40_000)]));
}

/// What is told of backends but for their calls: weight, EWMA and share.
fn load(target: &str) -> Vec<(Option<f64>, Option<f64>, Option<f64>)> {
    backends(target).iter().map(|of| (of.weight, of.ewma_seconds, of.share)).collect()
}

#[test]
fn the_ewma_decays_while_nothing_happens() {
    let channel = channel("ewma", "steer_peak_ewma", json!({"decayTime": "10s"}));
    channel.update("a").unwrap();
    channel.ready("a");
    let mut slot = start(&channel);
    channel.advance(Duration::from_secs(1));
    slot.call_mut().finish(&Status::OK, None);
    assert_eq!(load("ewma"), [(None, Some(1.0), None)]);
    channel.advance(Duration::from_secs(10));
    let (_, ewma, _) = load("ewma")[0];
    assert!((ewma.unwrap() - (-1_f64).exp()).abs() < 1e-6);
}

#[test]
fn weights_are_those_in_use() {
    let _tracking = Tracking::set(false);
    let weights = json!({"weights": {"a": 3, "b": 1}});
    let fixed = channel("fixed weights", "steer_weighted_round_robin", weights);
    fixed.update("ab").unwrap();
    fixed.ready("ab");
    let (a, b) = (load("fixed weights")[0], load("fixed weights")[1]);
    assert_eq!((a.0, b.0), (Some(3.0), Some(1.0)));
    assert!(
        (a.2.unwrap() - 0.75).abs() < 1e-4 && (b.2.unwrap() - 0.25).abs() < 1e-4,
        "{a:?} {b:?}"
    );
    assert_eq!(backends("fixed weights")[0].picks, None, "it needs no reports");

    let config = json!({"blackoutPeriod": "0s"});
    let reported = channel("reported weights", "steer_weighted_round_robin", config);
    reported.update("ab").unwrap();
    reported.ready("ab");
    assert_eq!(load("reported weights"), [(None, None, Some(0.5)); 2]);
    for (utilization, weight) in [(0.5, 200.0), (0.25, 400.0)] {
        for _ in 0..2 {
            let metrics = Metrics {
                rps_fractional: 100.0,
                application_utilization: utilization,
                ..Metrics::default()
            };
            start(&reported).call_mut().finish(&Status::OK, Some(&metrics));
        }
        reported.advance(Duration::from_secs(1));
        assert_eq!(load("reported weights"), [(Some(weight), None, Some(0.5)); 2]);
    }
    assert_eq!(
        backends("reported weights")[0].picks,
        None,
        "it follows calls and does not count them"
    );
}

#[test]
fn shares_of_rings_and_tables_are_told_and_idle_backends_too() {
    for policy in ["steer_ring_hash", "steer_maglev"] {
        let target = format!("shares {policy}");
        let channel = channel(&target, policy, json!({}));
        channel.update("abcd").unwrap();
        channel.introduce();
        if !channel.ids('a').is_empty() {
            channel.ready("a");
        }
        let shares: Vec<f64> = load(&target).iter().map(|of| of.2.unwrap()).collect();
        assert_eq!(shares.len(), 4, "{policy}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{policy}: {shares:?}");
        assert!(shares.iter().all(|share| (0.2..0.3).contains(share)), "{policy}: {shares:?}");
    }
}

/// A policy of one's own that breaks at its first update.
struct Broken;

impl PolicyFactory for Broken {
    fn name(&self) -> &str {
        "broken"
    }

    fn parse_config(
        &self,
        _json: &serde_json::Value,
    ) -> Result<steer::policy::Config, steer::policy::ConfigError> {
        Ok(std::sync::Arc::new(()))
    }

    fn new_policy(
        &self,
        _helper: std::sync::Arc<dyn steer::policy::Helper>,
    ) -> Box<dyn steer::policy::Policy> {
        Box::new(Broken)
    }
}

impl steer::policy::Policy for Broken {
    fn update(&mut self, _update: &steer::policy::Update) -> Result<(), Status> {
        steer::fault::raise("update", "broken")
    }

    fn endpoint_report(
        &mut self,
        _endpoint: steer::endpoints::EndpointId,
        _report: steer::endpoints::Report,
    ) -> bool {
        false
    }

    fn reset_backoff(&mut self) {}
}

#[test]
fn a_broken_policy_is_seen_as_such() {
    let mut channel = Channel::new(std::sync::Arc::new(Broken));
    channel.target = "broken".to_owned();
    channel.update("a").unwrap();
    channel.ready("a");
    let seen = seen("broken").remove(0);
    assert_eq!((seen.policy.as_str(), seen.fallen_back, seen.faults), ("broken", true, 1));
    assert_eq!((seen.state, seen.backends[0].state), (Ready, Ready));
}

/// The host of one policy, without a runner: keeps who can tell of it, and its picker.
#[derive(Default)]
struct Host {
    made: Mutex<u64>,
    describe: Mutex<Option<Arc<dyn StatsSource>>>,
    picker: Mutex<Option<Box<dyn Picker>>>,
}

struct HostsEndpoint(EndpointId);

impl Endpoint for HostsEndpoint {
    fn id(&self) -> EndpointId {
        self.0
    }
    fn matches(&self, _: &EndpointDescriptor) -> bool {
        true
    }
    fn connect(&self) {}
    fn reset_backoff(&self) {}
}

impl Helper for Host {
    fn create_endpoint(&self, _: &Arc<EndpointDescriptor>) -> Result<Box<dyn Endpoint>, Status> {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        Ok(Box::new(HostsEndpoint(EndpointId(*made))))
    }
    fn update_state(&self, _: Connectivity, _: &Status, picker: Box<dyn Picker>) {
        let former = self.picker.lock().unwrap().replace(picker);
        drop(former);
    }
    fn request_reresolution(&self) {}
    fn start_timer(&self, _: Duration) -> TimerId {
        TimerId(1)
    }
    fn cancel_timer(&self, _: TimerId) {}
    fn set_stats_source(&self, describe: Arc<dyn StatsSource>) {
        *self.describe.lock().unwrap() = Some(describe);
    }
    fn request_load_reports(&self, _: Option<Duration>) {}
    fn wake(&self) -> bool {
        true
    }
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn random(&self) -> u64 {
        7
    }
    fn log(&self, _: Severity, _: &str) {}
}

/// Statistics may be asked for on any thread, while the policy ends: what tells of it must not be
/// the last owner of a connection.
#[test]
fn what_tells_of_a_policy_owns_no_connection() {
    let _tracking = Tracking::set(true);
    for name in Registry::with_built_ins(steer::policies::built_ins()).names() {
        let factory = steer::policies::registry().find(&name).unwrap();
        let host = Arc::new(Host::default());
        let mut policy = factory.new_policy(Arc::clone(&host) as Arc<dyn Helper>);
        let endpoint = |address: &str| EndpointDescriptor {
            addresses: vec![address.to_owned()],
            ..EndpointDescriptor::default()
        };
        let list = ["a", "b"].map(endpoint).map(Arc::new);
        list.iter().zip(0..).for_each(|(descriptor, place)| descriptor.index.set(place));
        let update = Update {
            endpoints: Ok(Arc::from(list)),
            config: factory.parse_config(&json!({})).unwrap(),
            factory,
            resolution_note: String::new(),
            target: String::new(),
        };
        policy.update(&update).unwrap();
        let released = Arc::new(Mutex::new(0));
        let mut reported = 0;
        for number in [1, 2] {
            let count = Arc::clone(&released);
            let release = move |_: Handle| *count.lock().unwrap() += 1;
            let connection = Connection::new(Handle::from_number(number), Arc::new(release));
            let endpoint = EndpointId(number as u64);
            policy.endpoint_report(endpoint, Report::Connecting);
            reported += usize::from(policy.endpoint_report(endpoint, Report::Ready(connection)));
        }
        let describe = host.describe.lock().unwrap().take();
        drop(policy);
        drop(host.picker.lock().unwrap().take());
        assert_eq!(*released.lock().unwrap(), 2, "{name}, of whose endpoints {reported} are READY");
        drop(describe);
    }
}
