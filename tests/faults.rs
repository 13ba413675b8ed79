//! Policies and pickers that panic. The process, the channel and its calls go on.

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use steer::Status;
use steer::calls::{Call, Wants};
use steer::endpoints::Connectivity::{self, Connecting, Ready, TransientFailure};
use steer::endpoints::{EndpointId, Report};
use steer::policy::{
    Backend, BuiltIn, Config, ConfigError, FallbackMode, Fields, Helper, LeafFactory, OnFault,
    Pick, Picker, PickerFactory, Policies, Policy, PolicyFactory, Update,
};
use steer::stats::Plugin;
use support::Asked::{Log, RunLater};
use support::Channel;

/// Where a policy panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
enum At {
    Nowhere,
    Build,
    Wants,
    Pick,
    /// While [`FAULTY`] is set.
    PickAtTimes,
    Drop,
}

thread_local! {
    /// Whether pickers of [`At::PickAtTimes`] panic.
    static FAULTY: std::cell::Cell<bool> = const { std::cell::Cell::new(true) };
}

struct Faulty {
    at: At,
}

struct FaultyPickers;

impl BuiltIn for FaultyPickers {
    const NAME: &'static str = "faulty_pickers";

    fn parse(fields: &mut Fields<'_>) -> Faulty {
        Faulty { at: fields.read("at", At::Nowhere) }
    }

    fn new(_helper: &dyn Helper) -> Self {
        FaultyPickers
    }
}

impl PickerFactory for FaultyPickers {
    type Config = Faulty;

    fn build(
        &mut self,
        config: &Arc<Faulty>,
        ready: &steer::policy::Ready<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        assert!(config.at != At::Build, "faulty build");
        Box::new(FaultyPicker(config.at, ready.backends().collect()))
    }
}

struct FaultyPicker(At, Vec<Backend>);

impl Picker for FaultyPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        assert!(self.0 != At::Pick, "faulty pick");
        assert!(self.0 != At::PickAtTimes || !FAULTY.get(), "faulty at times");
        Pick::Complete(&self.1[0].connection)
    }

    fn wants(&self) -> Wants {
        assert!(self.0 != At::Wants, "faulty wants");
        Wants::default()
    }
}

fn faulty(at: At) -> Channel {
    let mut channel = Channel::new(Arc::new(LeafFactory::<FaultyPickers>::new()));
    channel.config = serde_json::json!({ "at": format!("{at:?}") });
    channel
}

/// The same pickers from a plugin, whose author chose what a fault does.
struct Chosen(LeafFactory<FaultyPickers>, OnFault);

impl PolicyFactory for Chosen {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn parse_config(&self, json: &Value, policies: &dyn Policies) -> Result<Config, ConfigError> {
        self.0.parse_config(json, policies)
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        self.0.new_policy(helper)
    }

    fn on_fault(&self) -> OnFault {
        self.1
    }

    fn plugin(&self) -> Option<Plugin> {
        Some(Plugin { name: "wrong".into(), version: "1.2".into(), path: Some("/w.so".into()) })
    }
}

fn chosen(at: At, fallback_mode: FallbackMode, per_minute: u32) -> Channel {
    let on_fault = OnFault { fallback: fallback_mode, per_minute };
    let mut channel = Channel::new(Arc::new(Chosen(LeafFactory::new(), on_fault)));
    channel.config = serde_json::json!({ "at": format!("{at:?}") });
    channel
}

fn logs(channel: &Channel) -> Vec<String> {
    let asked = channel.asked().into_iter();
    asked.filter_map(|asked| if let Log(text) = asked { Some(text) } else { None }).collect()
}

#[test]
fn a_pick_that_panics_fails_with_internal_and_round_robin_replaces_the_policy() {
    let channel = faulty(At::Pick);
    channel.update("abc").unwrap();
    channel.ready("abc");
    channel.asked();
    assert_eq!(channel.pick(), "fail INTERNAL: faulty_pickers: pick panicked: faulty pick");
    let asked = channel.asked();
    assert!(asked.contains(&RunLater), "{asked:?}");
    assert_eq!(channel.pick(), "queue", "other calls wait for the new picker");
    channel.runner.run();
    channel.ready("abc");
    assert_eq!((channel.picked(6).as_str(), channel.alive().as_str()), ("aabbcc", "abc"));
    assert_eq!(channel.runner.faults(), 1);
    channel.update("cd").unwrap();
    channel.ready("d");
    assert_eq!(channel.picked(4), "ccdd");
}

/// A channel with "abc", whose picker has failed once and would not fail again.
fn failed_once() -> Channel {
    let channel = faulty(At::PickAtTimes);
    channel.update("abc").unwrap();
    channel.ready("abc");
    assert!(channel.pick().starts_with("fail INTERNAL"));
    channel.runner.run();
    channel.ready("abc");
    FAULTY.set(false);
    assert_eq!(channel.picked(6), "aabbcc", "round robin");
    channel.asked();
    channel
}

#[test]
fn another_config_ends_a_fallback() {
    let mut channel = failed_once();
    channel.config = serde_json::json!({ "at": "Nowhere" });
    channel.update("abc").unwrap();
    assert_eq!(channel.picked(6), "aabbcc", "the old picker stays until there is another");
    channel.ready("abc");
    assert_eq!(channel.picked(6), "aaaaaa", "the choice of the policy's picker");
    assert!(channel.runner.fallback().is_none());
    let logs = logs(&channel);
    assert!(logs.iter().any(|line| line.contains("tried again, with another config")), "{logs:?}");
}

#[test]
fn a_new_list_ends_a_fallback_after_a_pause() {
    let channel = failed_once();
    channel.update("ab").unwrap();
    assert_eq!(channel.picked(6), "aaabbb", "too early");
    channel.advance(Duration::from_secs(10));
    let _ = channel.update_with(Err(Status::unavailable("resolver")));
    assert_eq!(channel.picked(6), "aaabbb", "no list");
    channel.update("ab").unwrap();
    channel.ready("ab");
    assert_eq!(channel.picked(6), "aaaaaa");
    // It may fail again, and round robin replaces it again.
    FAULTY.set(true);
    assert!(channel.pick().starts_with("fail INTERNAL"));
    channel.runner.run();
    channel.ready("ab");
    assert_eq!((channel.picked(6).as_str(), channel.runner.faults()), ("aaabbb", 2));
}

#[test]
fn a_new_release_ends_a_fallback() {
    let mut channel = failed_once();
    channel.factory = Arc::new(LeafFactory::<FaultyPickers>::new());
    channel.update("abc").unwrap();
    channel.ready("abc");
    assert_eq!(channel.picked(6), "aaaaaa");
    let logs = logs(&channel);
    assert!(logs.iter().any(|line| line.contains("tried again, with a new release")), "{logs:?}");
}

#[test]
fn faults_below_the_limit_per_minute_fail_only_their_calls() {
    let channel = chosen(At::PickAtTimes, FallbackMode::RoundRobin, 2);
    channel.update("ab").unwrap();
    channel.ready("ab");
    for _ in 0..2 {
        FAULTY.set(true);
        assert!(channel.pick().starts_with("fail INTERNAL"));
        FAULTY.set(false);
        assert_eq!(channel.pick(), "a", "the policy's picker gets the next call");
    }
    channel.advance(Duration::from_secs(60));
    FAULTY.set(true);
    assert!(channel.pick().starts_with("fail INTERNAL"));
    assert!(channel.pick().starts_with("fail INTERNAL"));
    assert!(channel.pick().starts_with("fail INTERNAL"), "this one exceeds the limit");
    assert_eq!(channel.pick(), "queue");
    channel.runner.run();
    channel.ready("ab");
    assert_eq!(channel.picked(4), "aabb");
}

#[test]
fn a_policy_may_choose_that_faults_only_fail_their_calls() {
    let channel = chosen(At::PickAtTimes, FallbackMode::Failing, u32::MAX);
    channel.update("ab").unwrap();
    channel.ready("ab");
    FAULTY.set(true);
    for _ in 0..1000 {
        assert!(channel.pick().starts_with("fail INTERNAL"));
    }
    FAULTY.set(false);
    assert_eq!((channel.picks(3).as_str(), channel.runner.faults()), ("aaa", 1000));
    assert!(channel.runner.fallback().is_none());
}

#[test]
fn a_policy_whose_fallback_fails_calls_sends_none_elsewhere() {
    for (at, limit) in [(At::PickAtTimes, 1), (At::Build, u32::MAX), (At::Wants, u32::MAX)] {
        FAULTY.set(true);
        let mut channel = chosen(at, FallbackMode::Failing, limit);
        channel.update("ab").unwrap();
        channel.ready("a");
        channel.pick();
        channel.pick();
        channel.runner.run();
        channel.ready("ab");
        FAULTY.set(false);
        for _ in 0..5 {
            let picked = channel.pick();
            assert!(picked.starts_with("fail INTERNAL: faulty_pickers"), "{at:?}: {picked}");
        }
        assert_eq!(channel.alive(), "ab", "connections stay");
        channel.config = serde_json::json!({ "at": "Nowhere" });
        channel.update("ab").unwrap();
        channel.ready("ab");
        assert_eq!(channel.pick(), "a", "{at:?}");
    }
}

#[test]
fn a_fault_is_reported_with_its_plugin() {
    let mut channel = chosen(At::Pick, FallbackMode::RoundRobin, 0);
    channel.target = "from a plugin".into();
    channel.update("a").unwrap();
    channel.ready("a");
    channel.asked();
    channel.pick();
    let logs = logs(&channel);
    assert!(
        logs[0].starts_with(
            "faulty_pickers (plugin \"wrong\" 1.2 from /w.so): pick panicked: faulty pick (1 fault"
        ),
        "{logs:?}"
    );
    channel.runner.run();
    let all = steer::stats::snapshot();
    let seen = all.iter().find(|seen| seen.target == "from a plugin").unwrap();
    let fallback = seen.fallback.as_ref().unwrap();
    assert_eq!(fallback.reason, "pick panicked: faulty pick");
    assert_eq!(fallback.mode, "round_robin");
    assert!(fallback.since <= std::time::SystemTime::now());
    assert!(fallback.since_unix_seconds() > 1.6e9);
    assert_eq!(seen.plugin.as_ref().unwrap().version, "1.2");
    let text = steer::stats::to_prometheus(vec![seen.clone()], vec![], &[]);
    let line = text.lines().find(|line| line.starts_with("steer_policy_fallback_since_seconds{"));
    let labels = "reason=\"pick panicked: faulty pick\",mode=\"round_robin\",\
                  plugin=\"wrong\",version=\"1.2\"} ";
    assert!(line.is_some_and(|line| line.contains(labels)), "{text}");
    let json = steer::stats::to_json(&all, &[], &[]);
    assert!(json.contains(r#""plugin":{"name":"wrong","version":"1.2","path":"/w.so"}"#), "{json}");
    assert!(json.contains(r#""fallback":{"since_unix_seconds":1"#), "{json}");
}

#[test]
fn with_a_host_that_cannot_run_later_calls_fail_instead_of_waiting_forever() {
    let channel = faulty(At::Pick);
    channel.cannot_run_later();
    channel.update("a").unwrap();
    channel.ready("a");
    for _ in 0..3 {
        assert!(channel.pick().starts_with("fail INTERNAL"));
    }
    assert_eq!(channel.runner.faults(), 3);
}

#[test]
fn faults_are_logged_with_the_policys_name_at_most_once_a_second() {
    let channel = faulty(At::Pick);
    channel.cannot_run_later();
    channel.update("a").unwrap();
    channel.ready("a");
    channel.asked();
    channel.picks(10);
    let first = logs(&channel);
    assert_eq!(first.len(), 1);
    assert!(first[0].contains("faulty_pickers") && first[0].contains("faulty pick"), "{first:?}");
    channel.advance(Duration::from_millis(999));
    channel.picks(10);
    assert_eq!(logs(&channel).len(), 0);
    channel.advance(Duration::from_millis(1));
    channel.picks(10);
    assert!(logs(&channel)[0].contains("21 faults so far"));
}

#[test]
fn a_picker_whose_build_or_wants_panics_is_replaced() {
    for at in [At::Build, At::Wants] {
        let channel = faulty(at);
        channel.update("ab").unwrap();
        channel.ready("a");
        channel.runner.run();
        channel.ready("ab");
        assert_eq!(channel.picked(4), "aabb", "{at:?}");
        assert_eq!(channel.runner.faults(), 1);
    }
}

#[test]
fn without_a_fault_nothing_is_replaced() {
    let channel = faulty(At::Nowhere);
    channel.update("ab").unwrap();
    channel.ready("ab");
    channel.runner.run();
    assert_eq!((channel.picks(3).as_str(), channel.runner.faults()), ("aaa", 0));
}

/// A policy that panics in one of its methods.
struct FaultyFactory(&'static str);

struct FaultyPolicy(&'static str);

impl PolicyFactory for FaultyFactory {
    fn name(&self) -> &str {
        "faulty_policy"
    }

    fn parse_config(&self, _json: &Value, _: &dyn Policies) -> Result<Config, ConfigError> {
        Ok(Arc::new(()))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        assert!(self.0 != "new", "faulty");
        // Too early: there was no update yet.
        let waits = Box::new(steer::policy::QueuePicker);
        helper.update_state(Connectivity::Connecting, &Status::OK, waits);
        helper.request_reresolution();
        Box::new(FaultyPolicy(self.0))
    }
}

impl FaultyPolicy {
    fn maybe_panic(&self, place: &str) {
        assert!(self.0 != place, "faulty");
    }
}

impl Policy for FaultyPolicy {
    fn update(&mut self, _update: &Update) -> Result<(), Status> {
        self.maybe_panic("update");
        Ok(())
    }

    fn endpoint_report(&mut self, _endpoint: EndpointId, _report: Report) -> bool {
        self.maybe_panic("endpoint_report");
        true
    }

    fn exit_idle(&mut self) {
        self.maybe_panic("exit_idle");
    }

    fn reset_backoff(&mut self) {
        self.maybe_panic("reset_backoff");
    }

    fn timer(&mut self, _timer: steer::policy::TimerId) {
        self.maybe_panic("timer");
    }
}

impl Drop for FaultyPolicy {
    fn drop(&mut self) {
        self.maybe_panic("shutdown");
    }
}

#[test]
fn a_policy_that_panics_anywhere_is_replaced_by_round_robin() {
    for place in ["new", "update", "endpoint_report", "exit_idle", "reset_backoff", "timer"] {
        let channel = Channel::new(Arc::new(FaultyFactory(place)));
        channel.update("ab").unwrap();
        channel.runner.endpoint_report(EndpointId(0), Report::Idle);
        channel.runner.exit_idle();
        channel.runner.reset_backoff();
        channel.runner.timer(steer::policy::TimerId(1));
        assert_eq!(channel.runner.faults(), 1, "{place}");
        assert_eq!(channel.state(), Some(Connecting));
        channel.ready("ab");
        assert_eq!((channel.state(), channel.picked(4).as_str()), (Some(Ready), "aabb"));
        channel.fail("ab");
        assert_eq!(channel.state(), Some(TransientFailure));
    }
}

#[test]
fn requests_of_a_policy_before_the_first_update_are_ignored() {
    let channel = Channel::new(Arc::new(FaultyFactory("nowhere")));
    assert_eq!((channel.asked(), channel.state()), (vec![], None));
}

#[test]
fn after_a_resolver_error_the_fallback_still_has_the_endpoints() {
    let channel = Channel::new(Arc::new(FaultyFactory("exit_idle")));
    channel.update("ab").unwrap();
    let _ = channel.update_with(Err(Status::unavailable("resolver")));
    channel.runner.exit_idle();
    channel.ready("ab");
    assert_eq!(channel.picked(4), "aabb");
}

#[test]
fn a_policy_that_panics_at_shutdown_is_counted() {
    let channel = Channel::new(Arc::new(FaultyFactory("shutdown")));
    channel.update("ab").unwrap();
    channel.runner.close();
    assert_eq!(channel.runner.faults(), 1);
}

/// Returns a code that a data plane may not produce.
struct Refuser;

struct RefusingPickers;

impl Picker for Refuser {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::drop(Status::new(steer::Code::DataLoss, "mine"))
    }
}

impl BuiltIn for RefusingPickers {
    const NAME: &'static str = "refusing_pickers";

    fn parse(_fields: &mut Fields<'_>) {}

    fn new(_helper: &dyn Helper) -> Self {
        RefusingPickers
    }
}

impl PickerFactory for RefusingPickers {
    type Config = ();

    fn build(
        &mut self,
        _: &Arc<()>,
        _: &steer::policy::Ready<'_>,
        _: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        Box::new(Refuser)
    }
}

#[test]
fn rule_9_a_code_that_a_data_plane_may_not_produce_becomes_internal() {
    let channel = Channel::new(Arc::new(LeafFactory::<RefusingPickers>::new()));
    channel.update("a").unwrap();
    channel.ready("a");
    assert_eq!(
        channel.pick(),
        "drop INTERNAL: Illegal status code from LB drop; original status: DATA_LOSS: mine"
    );
}
