//! The fields that every policy takes, and those that none knows.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use steer::Status;
use steer::endpoints::{EndpointDescriptor, EndpointId, Locality, Report};
use steer::policies::registry;
use steer::policy::{
    CommonFields, Config, ConfigError, Helper, ParsedConfig, Policy, PolicyFactory, Registry,
    Update,
};
use support::{Asked, Channel};

fn built_ins() -> Vec<String> {
    Registry::with_built_ins(steer::policies::built_ins()).names()
}

/// The lines that the engine has logged since the last call.
fn logs(channel: &Channel) -> Vec<String> {
    let asked = channel.asked().into_iter();
    asked.filter_map(|asked| if let Asked::Log(text) = asked { Some(text) } else { None }).collect()
}

/// The names of the fields in a page's table of them.
fn documented(page: &str) -> Vec<String> {
    let path = format!("{}/docs/policies/{page}.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("| field |"));
    let table = table.take_while(|line| line.starts_with('|'));
    let rows = table.filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut names: Vec<String> = rows.map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

/// A config of each policy is told of its fields by the code that reads them, so the log, the pages
/// and the parser cannot differ.
#[test]
fn the_pages_name_the_fields_that_are_read() {
    for policy in built_ins() {
        let policy = policy.as_str();
        let factory = registry().find(policy).unwrap();
        let config = factory.parse_config(&json!({}), steer::policies::registry()).unwrap();
        let known = factory.known_fields(&config).unwrap();
        assert_eq!(known.into_iter().collect::<Vec<_>>(), documented(policy), "{policy}");
    }
    // The policies that follow calls read this one.
    let mut common: Vec<&str> = CommonFields::NAMES.to_vec();
    common.push("failureCodes");
    common.sort_unstable();
    assert_eq!(common, documented("common_fields"));
}

#[test]
fn a_field_that_no_policy_knows_is_ignored_and_logged_once() {
    for policy in built_ins() {
        let policy = policy.as_str();
        let config = json!({"weigths": {}, "zzz": {"nested": 1}});
        let mut channel = Channel::with(policy, config);
        channel.update("ab").unwrap();
        let unknown =
            |name: &str| format!("{policy}: the config's field {name:?} is not known, and ignored");
        let mut expected = vec![unknown("weigths"), unknown("zzz")];
        if ["steer_weighted_round_robin", "steer_locality"].contains(&policy) {
            expected[0] += ": did you mean \"weights\"?";
        }
        assert_eq!(logs(&channel), expected);
        channel.update("abc").unwrap();
        channel.config = json!({"weigths": {}, "other_of_this_test": null});
        channel.update("abc").unwrap();
        assert_eq!(logs(&channel), [unknown("other_of_this_test")]);
        let again = Channel::with(policy, json!({"weigths": {}, "zzz": 1}));
        again.update("ab").unwrap();
        assert_eq!(logs(&again), [""; 0]);
    }
}

#[test]
fn a_misspelt_common_field_is_recognised() {
    let channel = Channel::with("steer_random", json!({"reresolutionPeroid": "10s"}));
    channel.update("a").unwrap();
    assert!(logs(&channel)[0].ends_with(": did you mean \"reresolutionPeriod\"?"));
}

#[test]
fn faults_of_the_policy_and_of_common_fields_come_together() {
    let config = json!({"choiceCount": 1, "reresolutionPeriod": "0.5s"});
    assert_eq!(
        Channel::config_fault("steer_least_request", config),
        "errors validating steer_least_request LB policy config: [\
         field:steer_least_request.choiceCount error:must be at least 2; \
         field:steer_least_request.reresolutionPeriod error:must be at least 1s; leave it out to \
         ask only when a connection fails]"
    );
    for wrong in [json!("0s"), json!(5), json!("-1s"), json!("x")] {
        let error = Channel::config_fault("steer_random", json!({"reresolutionPeriod": wrong}));
        assert!(error.contains("field:steer_random.reresolutionPeriod error:"), "{error}");
    }
    let factory = registry().find("steer_random").unwrap();
    for right in [json!(null), json!("1s"), json!("315576000000s")] {
        let config = json!({"reresolutionPeriod": right});
        assert!(
            ParsedConfig::parse(&*factory, &config, steer::policies::registry()).is_ok(),
            "{config}"
        );
    }
    assert!(ParsedConfig::parse(&*factory, &Value::Null, steer::policies::registry()).is_ok());
}

/// When the engine has asked the resolver again, in seconds from the last look, in steps of 1 s.
fn asks_within(channel: &Channel, seconds: u64) -> Vec<u64> {
    channel.asked();
    let mut asks = Vec::new();
    for second in 1..=seconds {
        channel.advance(Duration::from_secs(1));
        let count = channel.asked().iter().filter(|asked| **asked == Asked::Reresolve).count();
        asks.extend(std::iter::repeat_n(second, count));
    }
    asks
}

#[test]
fn the_resolver_is_asked_again_once_in_each_period() {
    for policy in built_ins() {
        let policy = policy.as_str();
        let channel = Channel::with(policy, json!({"reresolutionPeriod": "10s"}));
        channel.update("ab").unwrap();
        assert_eq!(asks_within(&channel, 35), [10, 20, 30], "{policy}");
        // An update does not begin the period again: it may come for another reason.
        channel.update("abc").unwrap();
        assert_eq!(asks_within(&channel, 10), [5], "{policy}");
    }
}

#[test]
fn without_a_period_the_resolver_is_not_asked() {
    let channel = Channel::with("steer_random", json!({}));
    channel.update("ab").unwrap();
    channel.ready("ab");
    assert_eq!(asks_within(&channel, 3600), [0; 0]);
}

#[test]
fn another_period_replaces_the_timer() {
    let mut channel = Channel::with("steer_random", json!({"reresolutionPeriod": "10s"}));
    channel.update("ab").unwrap();
    assert_eq!(asks_within(&channel, 9), [0; 0]);
    channel.config = json!({"reresolutionPeriod": "4s"});
    channel.update("ab").unwrap();
    assert_eq!(asks_within(&channel, 9), [4, 8]);
    channel.config = json!({});
    channel.update("ab").unwrap();
    assert_eq!(asks_within(&channel, 100), [0; 0]);
    channel.config = json!({"reresolutionPeriod": "5s"});
    channel.update("ab").unwrap();
    channel.runner.close();
    assert_eq!(asks_within(&channel, 100), [0; 0]);
}

/// So that the clients of a fleet do not ask at the same time.
#[test]
fn a_period_is_up_to_a_fifth_shorter_by_chance() {
    let config = json!({"reresolutionPeriod": "10s"});
    let channel = Channel::with_random("steer_random", config, u64::MAX);
    channel.update("ab").unwrap();
    let timers: Vec<Duration> = channel
        .asked()
        .into_iter()
        .filter_map(|asked| if let Asked::StartTimer(after) = asked { Some(after) } else { None })
        .collect();
    assert_eq!(timers, [Duration::from_secs(8)]);
}

/// How many of 600 calls each backend of "abc" gets in turn.
fn shares(channel: &Channel) -> BTreeMap<char, usize> {
    let mut shares = BTreeMap::new();
    channel.picks(600).chars().for_each(|name| *shares.entry(name).or_default() += 1);
    shares
}

/// A list of these names. Those of `zones` have a zone from the resolver.
fn list(names: &str, zones: &str) -> Vec<Arc<EndpointDescriptor>> {
    let endpoint = |name: char| {
        let zone = if zones.contains(name) { "resolved".to_owned() } else { String::new() };
        Arc::new(EndpointDescriptor {
            addresses: vec![name.to_string()],
            locality: Locality { zone, ..Locality::default() },
            ..EndpointDescriptor::default()
        })
    };
    names.chars().map(endpoint).collect()
}

#[test]
fn weights_of_attributes_count_as_the_resolvers() {
    let weights = |a: Value, b: Value, c: Value| {
        let attributes = json!({"a": {"weight": a}, "b": {"weight": b}, "c": {"weight": c}});
        json!({ "attributes": attributes })
    };
    let config = weights(json!(4), json!("1"), json!(1));
    let mut channel = Channel::with("steer_weighted_round_robin", config);
    channel.update("abc").unwrap();
    channel.ready("abc");
    assert_eq!(shares(&channel), BTreeMap::from([('a', 400), ('b', 100), ('c', 100)]));
    channel.asked();
    // Other attributes change no connection.
    channel.config = weights(json!(1), json!(1), json!(4));
    channel.update("abc").unwrap();
    assert_eq!(shares(&channel), BTreeMap::from([('a', 100), ('b', 100), ('c', 400)]));
    channel.config = json!({});
    channel.update("abc").unwrap();
    assert_eq!(shares(&channel), BTreeMap::from([('a', 200), ('b', 200), ('c', 200)]));
    let asked = channel.asked();
    let made = |asked: &Asked| matches!(asked, Asked::New(_) | Asked::Dropped(_));
    assert!(!asked.iter().any(made), "{asked:?}");
}

/// The virtual host checks that each endpoint is made at its own place of the list.
#[test]
fn endpoints_with_attributes_move_in_the_list() {
    let config = json!({"attributes": {"a": {"x": 1}, "c": {"x": 2}, "d": {"x": 3}}});
    for policy in built_ins() {
        let policy = policy.as_str();
        let channel = Channel::with(policy, config.clone());
        for names in ["abc", "cab", "cab", "bc", "dcba", "d", "abcd", ""] {
            _ = channel.update(names);
            channel.runner.exit_idle();
        }
        channel.update("ba").unwrap();
        channel.update_redescribed("ab").unwrap();
    }
}

/// The backend of each of some hashes.
fn owners(policy: &str, attributes: &Value) -> String {
    let channel = Channel::with(policy, json!({ "attributes": attributes }));
    channel.update("ab").unwrap();
    if policy == "steer_maglev" {
        channel.ready("ab");
    }
    let mut numbers = fastrand::Rng::with_seed(1);
    let owner = |hash: u64| {
        while channel.pick_hash(hash) == "queue" {
            channel.run();
            channel.ready(&channel.alive());
        }
        channel.pick_hash(hash)
    };
    (0..50).map(|_| owner(numbers.u64(..))).collect()
}

#[test]
fn a_hash_key_of_attributes_is_hashed() {
    for policy in ["steer_ring_hash", "steer_maglev"] {
        let plain = owners(policy, &json!({}));
        // With the keys exchanged, each call goes to the other backend.
        let exchanged = owners(policy, &json!({"a": {"hashKey": "b"}, "b": {"hashKey": "a"}}));
        let other = |name: char| if name == 'a' { 'b' } else { 'a' };
        assert_eq!(exchanged, plain.chars().map(other).collect::<String>(), "{policy}");
        assert!(plain.contains('a') && plain.contains('b'), "{policy}");
    }
}

#[test]
fn a_locality_of_the_resolver_wins() {
    let seen = Arc::new(Mutex::new(String::new()));
    let mut channel = Channel::new(Arc::new(Zones(Arc::clone(&seen))));
    channel.config = json!({"attributes": {"a": {"zone": "given"}, "b": {"zone": "given"}}});
    channel.update_with(Ok(list("abc", "b"))).unwrap();
    assert_eq!(*seen.lock().unwrap(), "a given,b resolved,c ,");
}

/// A policy that notes the zones of its list.
struct Zones(Arc<Mutex<String>>);

impl PolicyFactory for Zones {
    fn name(&self) -> &str {
        "zones"
    }

    fn parse_config(
        &self,
        _json: &Value,
        _: &dyn steer::policy::Policies,
    ) -> Result<Config, ConfigError> {
        Ok(Arc::new(()))
    }

    fn new_policy(&self, _helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(Zones(Arc::clone(&self.0)))
    }
}

impl Policy for Zones {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        for endpoint in update.endpoints.as_ref().unwrap().iter() {
            let zone = &endpoint.locality.zone;
            *self.0.lock().unwrap() += &format!("{} {zone},", endpoint.addresses[0]);
        }
        Ok(())
    }

    fn endpoint_report(&mut self, _endpoint: EndpointId, _report: Report) -> bool {
        false
    }

    fn reset_backoff(&mut self) {}
}

#[test]
fn addresses_that_no_backend_has_are_logged() {
    let config = json!({"attributes": {"a": {"x": 1}, "y": {"x": 1}, "z": {}}});
    let channel = Channel::with("steer_random", config);
    channel.update("ab").unwrap();
    let line = "steer_random: no backend has these addresses in \"attributes\": y, z";
    assert_eq!(logs(&channel), [line]);
    channel.update("ab").unwrap();
    channel.update("abc").unwrap();
    assert_eq!(logs(&channel), [""; 0]);
    channel.update("ay").unwrap();
    let line = "steer_random: no backend has these addresses in \"attributes\": z";
    assert_eq!(logs(&channel), [line]);
}
