//! Channels and their backends.

use super::*;

#[test]
fn states_and_their_statuses_are_visible() {
    let channel = channel("state", "steer_round_robin", json!({}));
    assert!(seen("state").is_empty(), "there is no target before the first update");
    channel.update("ab").unwrap();
    let state = |one: &ChannelStats| (one.state, one.status.clone(), one.pickers);
    assert_eq!(state(&seen("state")[0]), (Connectivity::Connecting, Status::OK, 1));
    channel.fail("ab");
    let status = Status::unavailable("connections to all backends failing; last error: b is down");
    assert_eq!(state(&seen("state")[0]), (TransientFailure, status, 2));
    channel.ready("b");
    assert_eq!(state(&seen("state")[0]), (Ready, Status::OK, 3));
    let states: Vec<_> = backends("state").into_iter().map(|one| one.state).collect();
    assert_eq!(states, [TransientFailure, Ready]);
}

#[test]
fn backends_are_those_of_the_lists() {
    let channel = channel("backends", "steer_least_request", json!({}));
    let names =
        || -> String { backends("backends").iter().map(|one| &*one.addresses[0]).collect() };
    channel.update("ab").unwrap();
    channel.ready("ab");
    assert_eq!(names(), "ab");
    // Those of the pending list, too.
    channel.update("bc").unwrap();
    channel.report_first();
    assert_eq!(names(), "bc");
    channel.update("d").unwrap();
    assert_eq!(names(), "bcd");
    channel.ready("d");
    assert_eq!(names(), "d");
}

#[test]
fn a_policy_has_the_locality_that_all_its_backends_have() {
    let mut channel = channel("locality", "steer_round_robin", json!({}));
    let place = || {
        let seen = seen("locality").remove(0);
        (seen.cluster, seen.locality)
    };
    let zone = |zone: &str| Locality { zone: zone.into(), ..Locality::default() };
    channel.cluster = "first".to_owned();
    channel.update_with(Ok(vec![located("a", &zone("one")), located("b", &zone("one"))])).unwrap();
    assert_eq!(place(), ("first".to_owned(), Some(zone("one"))));
    channel.ready("ab");
    channel.cluster.clear();
    channel.update_with(Ok(vec![located("a", &zone("one")), located("c", &zone("two"))])).unwrap();
    channel.ready("c");
    assert_eq!(place(), (String::new(), None), "they are in several");
    channel.update_with(Ok(vec![located("d", &zone(""))])).unwrap();
    channel.ready("d");
    assert_eq!(place(), (String::new(), None), "they are in none");
}

#[test]
fn counts_of_calls_stay_while_a_backend_is_not_ready() {
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
    assert_eq!(backends("away")[0].picks, Some(0), "it left, and came back as another");
}

#[test]
fn a_policy_leaves_with_its_channel() {
    let first = channel("leaves", "steer_round_robin", json!({}));
    let second = channel("leaves", "steer_random", json!({}));
    first.update("a").unwrap();
    second.update("a").unwrap();
    first.ready("a");
    let policies = || -> Vec<_> { seen("leaves").into_iter().map(|one| one.policy).collect() };
    assert_eq!(policies(), ["steer_round_robin", "steer_random"]);
    let picker = first.picker();
    first.runner.close();
    assert_eq!(policies(), ["steer_random"]);
    drop((first, picker));
    drop(second);
    assert!(seen("leaves").is_empty());
}

/// A custom policy that fails at its first update.
struct Broken;

impl PolicyFactory for Broken {
    fn name(&self) -> &str {
        "broken"
    }

    fn parse_config(
        &self,
        _json: &serde_json::Value,
        _policies: &dyn steer::policy::Policies,
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
fn a_failed_policy_is_visible() {
    let mut channel = Channel::new(std::sync::Arc::new(Broken));
    channel.target = "broken".to_owned();
    channel.update("a").unwrap();
    channel.ready("a");
    let seen = seen("broken").remove(0);
    assert_eq!((seen.policy.as_str(), seen.fallen_back, seen.faults), ("broken", true, 1));
    assert_eq!((seen.state, seen.backends[0].state), (Ready, Ready));
}
