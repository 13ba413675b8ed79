//! Policies and pickers that panic: the process, the channel and its calls go on.

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use steer::Status;
use steer::endpoints::Connectivity::{self, Connecting, Ready, TransientFailure};
use steer::endpoints::{EndpointId, Report};
use steer::policy::{
    Backend, BuiltIn, Call, Config, ConfigError, Fields, Helper, LeafFactory, Pick, Picker,
    PickerFactory, Policy, PolicyFactory, Update, Wants,
};
use support::Asked::{Log, RunLater};
use support::Channel;

/// Where a policy panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
enum At {
    Nowhere,
    Build,
    Wants,
    Pick,
    Drop,
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

fn logs(channel: &Channel) -> Vec<String> {
    let asked = channel.asked().into_iter();
    asked.filter_map(|asked| if let Log(text) = asked { Some(text) } else { None }).collect()
}

#[test]
fn a_pick_that_panics_fails_with_internal_and_round_robin_takes_over() {
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

#[test]
fn a_host_that_cannot_run_later_gets_failures_instead_of_calls_that_wait_for_ever() {
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
fn a_picker_that_cannot_be_built_or_asked_is_replaced() {
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

    fn parse_config(&self, _json: &Value) -> Result<Config, ConfigError> {
        Ok(Arc::new(()))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        assert!(self.0 != "new", "faulty");
        // Too early: it has not seen an update.
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
fn what_a_policy_asks_of_its_channel_before_the_first_update_is_ignored() {
    let channel = Channel::new(Arc::new(FaultyFactory("nowhere")));
    assert_eq!((channel.asked(), channel.state()), (vec![], None));
}

#[test]
fn an_error_of_the_resolvers_does_not_make_the_fallback_forget_the_endpoints() {
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

/// Answers with codes that a data plane may not produce.
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
fn rule_9_a_picks_code_that_a_data_plane_may_not_produce_becomes_internal() {
    let channel = Channel::new(Arc::new(LeafFactory::<RefusingPickers>::new()));
    channel.update("a").unwrap();
    channel.ready("a");
    assert_eq!(
        channel.pick(),
        "drop INTERNAL: Illegal status code from LB drop; original status: DATA_LOSS: mine"
    );
}
