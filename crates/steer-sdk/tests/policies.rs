//! Tests custom policies, from their traits through the ABI and the real engine to calls in a test
//! channel.
#![allow(missing_docs, reason = "a test")]

use std::cell::RefCell;
use std::time::Duration;

use steer_sdk::testkit::{Conformance, Picked, TestCall, TestChannel};
use steer_sdk::{
    Call, Channel, Endpoint, EndpointId, Pick, Picker, Policy, PolicyFactory, PolicyHelper,
    Severity, State, Status, TimerId, Update, Wants, picker,
};

steer_sdk::steer_plugin! {
    name: "policies of the test",
    policies: [InOrder, Careless, Passive, Refuses],
}

#[derive(serde::Deserialize)]
struct Config {
    #[serde(default)]
    lazy: bool,
}

/// Connects to the endpoints one after another and uses the first that connects, as gRPC's
/// pick_first does. Becomes idle after an hour.
struct InOrder;

impl PolicyFactory for InOrder {
    const NAME: &'static str = "in_order";
    type Config = Config;
    type Policy = Ordered;

    fn new_policy(&self, channel: &Channel) -> Ordered {
        channel.log(Severity::Debug, "a new policy");
        Ordered::default()
    }
}

#[derive(Default)]
struct Ordered {
    endpoints: Vec<Endpoint>,
    trying: usize,
    ready: Option<EndpointId>,
    idle: Option<TimerId>,
    lazy: bool,
}

type OrderedHelper<'a> = PolicyHelper<'a, Box<dyn Picker>>;

impl Ordered {
    fn try_next(&mut self, helper: &OrderedHelper<'_>) {
        match self.endpoints.get(self.trying) {
            Some(endpoint) => {
                helper.publish(State::Connecting, &Status::OK);
                helper.connect(endpoint);
            }
            None => {
                let why = Status::unavailable("none of them connects");
                helper.publish(State::TransientFailure, &why);
                helper.request_reresolution();
            }
        }
    }
}

impl Policy for Ordered {
    type Config = Config;
    type Picker = Box<dyn Picker>;

    fn update(
        &mut self,
        update: &Update<'_, Config>,
        helper: &OrderedHelper<'_>,
    ) -> Result<(), Status> {
        let backends = update.endpoints.map_err(Status::clone)?;
        self.lazy = update.config.lazy;
        assert_eq!(helper.latest().len(), backends.len());
        let mut former = std::mem::take(&mut self.endpoints);
        for backend in backends {
            let same = |one: &Endpoint| helper.endpoint_matches(one, backend.index());
            let kept = former.iter().position(same).map(|place| former.swap_remove(place));
            let endpoint = kept.or_else(|| helper.new_endpoint(backend.index()));
            self.endpoints.push(endpoint.expect("it can be made"));
        }
        drop(former);
        assert!(helper.new_endpoint(backends.len()).is_none());
        if backends.is_empty() {
            self.ready = None;
            helper.publish(State::TransientFailure, &Status::unavailable("nothing there"));
            return Err(Status::unavailable("nothing there"));
        }
        if self.endpoints.iter().any(|endpoint| Some(endpoint.id()) == self.ready) {
            return Ok(());
        }
        (self.ready, self.trying) = (None, 0);
        if self.lazy {
            helper.publish(State::Idle, &Status::OK);
        } else {
            self.try_next(helper);
        }
        Ok(())
    }

    fn endpoint_report(
        &mut self,
        id: EndpointId,
        state: State,
        status: &Status,
        helper: &OrderedHelper<'_>,
    ) {
        let Some(place) = self.endpoints.iter().position(|one| one.id() == id) else { return };
        match state {
            State::Ready if place == self.trying => {
                self.ready = Some(id);
                let endpoint = &self.endpoints[place];
                assert_eq!(endpoint.backend().address(), helper.latest()[place].address());
                self.idle = helper.start_timer(Duration::from_secs(3600));
                helper.publish_picker(State::Ready, [endpoint], |backends| {
                    assert_eq!(backends.len(), 1);
                    Box::new(
                        picker(move |call: &Call<'_>| match call.path() {
                            "/drop" => Pick::drop(Status::unavailable("asked to")),
                            _ => Pick::complete(&backends[0]).on_finish(|end| {
                                ENDS.with_borrow_mut(|ends| ends.push(end.is_ok()));
                            }),
                        })
                        .wants(Wants::nothing().path()),
                    )
                });
            }
            State::TransientFailure if place == self.trying => {
                helper.log(Severity::Debug, &status.message);
                self.trying += 1;
                self.try_next(helper);
            }
            State::Idle | State::Connecting if Some(id) == self.ready => {
                self.ready = None;
                self.trying = 0;
                helper.publish(State::Idle, &Status::OK);
            }
            _ => {}
        }
    }

    fn exit_idle(&mut self, helper: &OrderedHelper<'_>) {
        self.try_next(helper);
    }

    fn timer(&mut self, timer: TimerId, helper: &OrderedHelper<'_>) {
        if self.idle.take_if(|idle| *idle == timer).is_some() && self.ready.take().is_some() {
            self.trying = 0;
            helper.publish(State::Idle, &Status::OK);
        }
    }
}

thread_local! {
    /// Whether calls ended with OK, on the thread of the test that made the calls.
    static ENDS: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

fn channel(policy: &str, config: &str) -> TestChannel {
    TestChannel::new(plugin(), policy, config).unwrap()
}

#[test]
fn a_policy_decides_about_connections() {
    let channel = channel("in_order", "{}");
    let call = TestCall::new();
    channel.resolve(["a", "b", "c"]);
    assert_eq!(channel.state(), Some(State::Connecting));
    assert_eq!(channel.asked_to_connect(), ["a"]);
    assert!(matches!(channel.pick(&call), Picked::Queue));

    channel.fails("a");
    channel.ready("b");
    assert_eq!(channel.state(), Some(State::Ready));
    let picked = channel.pick(&call);
    assert_eq!(picked.backend(), Some("b"));
    picked.finish(steer_sdk::Code::Ok);
    drop(channel.pick(&call));
    assert_eq!(ENDS.take(), [true, false]);
    assert!(matches!(channel.pick(&call.clone().path("/drop")), Picked::Drop(_)));

    // The list changes, and the endpoint in use stays.
    channel.resolve(["b", "d"]);
    assert_eq!(channel.pick(&call).backend(), Some("b"));
    assert_eq!(channel.held_connections(), 1);

    // The connection is lost, and the next call asks for it again.
    channel.idle("b");
    assert_eq!(channel.state(), Some(State::Idle));
    channel.exit_idle();
    assert!(channel.asked_to_connect().contains(&"b".to_owned()));
    channel.fails("b");
    channel.fails("d");
    assert_eq!(channel.state(), Some(State::TransientFailure));
    assert_eq!(channel.reresolutions(), 1);
    let Picked::Fail(status) = channel.pick(&call) else { panic!("calls fail") };
    assert_eq!(status, Status::unavailable("none of them connects"));
    assert_eq!(channel.faults(), 0, "{:?}", channel.log());
}

#[test]
fn a_policy_has_timers_and_a_config() {
    let channel = channel("in_order", r#"{"lazy": true}"#);
    channel.resolve(["a"]);
    assert_eq!(channel.state(), Some(State::Idle));
    assert!(channel.asked_to_connect().is_empty());
    channel.exit_idle();
    channel.ready("a");
    assert_eq!(channel.state(), Some(State::Ready));
    channel.advance(Duration::from_secs(3599));
    assert_eq!(channel.state(), Some(State::Ready));
    channel.advance(Duration::from_secs(1));
    assert_eq!(channel.state(), Some(State::Idle));
    assert!(TestChannel::new(plugin(), "in_order", r#"{"lazy": 1}"#).is_err());
}

/// Makes its endpoints, and leaves it to the engine to connect them.
struct Passive;

impl PolicyFactory for Passive {
    const NAME: &'static str = "passive";
    type Config = Config;
    type Policy = PassivePolicy;

    fn new_policy(&self, _channel: &Channel) -> PassivePolicy {
        PassivePolicy(Vec::new())
    }
}

struct PassivePolicy(Vec<Endpoint>);

impl Policy for PassivePolicy {
    type Config = Config;
    type Picker = Box<dyn Picker>;

    fn update(
        &mut self,
        update: &Update<'_, Config>,
        helper: &OrderedHelper<'_>,
    ) -> Result<(), Status> {
        let backends = update.endpoints.map_err(Status::clone)?;
        self.0 = backends.iter().filter_map(|one| helper.new_endpoint(one.index())).collect();
        helper.publish(State::Idle, &Status::OK);
        Ok(())
    }

    fn endpoint_report(
        &mut self,
        _id: EndpointId,
        state: State,
        status: &Status,
        helper: &OrderedHelper<'_>,
    ) {
        helper.publish(state, status);
    }
}

#[test]
fn exit_idle_connects_an_endpoint_of_a_policy_that_connects_none() {
    let channel = channel("passive", "{}");
    channel.exit_idle();
    channel.resolve(["a", "b"]);
    assert!(channel.asked_to_connect().is_empty());
    channel.exit_idle();
    assert_eq!(channel.asked_to_connect(), ["a"]);
    // The request is under way. Then it fails, and the endpoint tries again by itself.
    channel.exit_idle();
    channel.fails("a");
    channel.exit_idle();
    assert_eq!(channel.asked_to_connect(), ["a"]);
    channel.idle("a");
    assert!(channel.asked_to_connect().is_empty());
    channel.exit_idle();
    assert_eq!(channel.asked_to_connect(), ["a"]);
    assert_eq!(channel.faults(), 0, "{:?}", channel.log());
}

#[test]
fn a_policy_conforms() {
    Conformance::new(plugin(), "in_order", "{}").check().unwrap();
}

/// Publishes a picker with an endpoint that is not READY.
struct Careless;

impl PolicyFactory for Careless {
    const NAME: &'static str = "careless";
    type Config = Config;
    type Policy = CarelessPolicy;

    fn new_policy(&self, _channel: &Channel) -> CarelessPolicy {
        CarelessPolicy(Vec::new())
    }
}

struct CarelessPolicy(Vec<Endpoint>);

impl Policy for CarelessPolicy {
    type Config = Config;
    type Picker = Box<dyn Picker>;

    fn update(
        &mut self,
        update: &Update<'_, Config>,
        helper: &OrderedHelper<'_>,
    ) -> Result<(), Status> {
        let backends = update.endpoints.map_err(Status::clone)?;
        self.0 = backends.iter().filter_map(|one| helper.new_endpoint(one.index())).collect();
        helper.publish_picker(State::Ready, &self.0, |backends| {
            Box::new(picker(move |_| Pick::complete(&backends[0])))
        });
        Ok(())
    }

    fn endpoint_report(
        &mut self,
        _id: EndpointId,
        _state: State,
        _status: &Status,
        _helper: &OrderedHelper<'_>,
    ) {
    }
}

#[test]
fn a_picker_with_an_endpoint_that_is_not_ready_cannot_be_published() {
    let channel = channel("careless", "{}");
    channel.resolve(["a", "b"]);
    assert_eq!(channel.faults(), 1);
    let log = channel.log();
    assert!(log[0].1.contains("READY"), "{log:?}");
    // Round robin continues.
    channel.all_ready();
    assert_eq!(channel.picks(10, &TestCall::new()).completed(), 10);
}

#[test]
fn endpoints_dropped_elsewhere_are_freed_in_the_next_hook() {
    let channel = channel("in_order", "{}");
    channel.resolve(["a", "b"]);
    channel.ready("a");
    assert_eq!(channel.ready_backends(), ["a"]);
    channel.resolve(["b"]);
    assert!(channel.ready_backends().is_empty());
    assert_eq!(channel.faults(), 0);
}

/// Rejects every update with a message.
struct Refuses;

struct Refusing;

impl PolicyFactory for Refuses {
    const NAME: &'static str = "refuses";
    type Config = steer_sdk::NoConfig;
    type Policy = Refusing;

    fn new_policy(&self, _channel: &Channel) -> Refusing {
        Refusing
    }
}

impl Policy for Refusing {
    type Config = steer_sdk::NoConfig;
    type Picker = Box<dyn Picker>;

    fn update(
        &mut self,
        _update: &Update<'_, steer_sdk::NoConfig>,
        _helper: &PolicyHelper<'_, Box<dyn Picker>>,
    ) -> Result<(), Status> {
        Err(Status::unavailable("zone eu-1 has no backend"))
    }

    fn endpoint_report(
        &mut self,
        _endpoint: EndpointId,
        _state: State,
        _status: &Status,
        _helper: &PolicyHelper<'_, Box<dyn Picker>>,
    ) {
    }
}

#[test]
fn the_resolver_learns_why_an_update_was_rejected() {
    let channel = TestChannel::new(plugin(), "refuses", "{}").unwrap();
    let refused = channel.try_resolve(["ipv4:10.0.0.1:80"]);
    assert_eq!(refused, Err(Status::unavailable("zone eu-1 has no backend")));
    assert_eq!(channel.faults(), 0);
}
