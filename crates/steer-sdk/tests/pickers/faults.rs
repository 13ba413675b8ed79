//! Tests panics of pickers and factories.

use std::time::Duration;

use serde::Deserialize;
use steer_sdk::testkit::{Picked, TestCall, TestChannel};
use steer_sdk::{
    Backend, Backends, Channel, Faults, Helper, NoConfig, OnFault, Pick, Picker, PickerFactory,
    StatefulPickerFactory, TimerId, Wants, picker,
};

use crate::{channel, errors, plugin, ready_channel};

#[test]
fn a_panic_of_a_pick_is_a_fault_and_round_robin_goes_on() {
    let channel = ready_channel("scripted", r#"{"steps": ["queue", "panic"]}"#, "ab");
    assert!(matches!(channel.pick(&TestCall::new()), Picked::Queue));
    assert!(channel.pick(&TestCall::new()).backend().is_none());
    assert_eq!(channel.faults(), 1);
    let errors = errors(&channel);
    assert!(errors[0].contains("on purpose, at "), "{errors:?}");
    let line = line_of("panic!(\"on purpose\")");
    assert!(errors[0].contains(&format!("tests/pickers/choices.rs:{line}")), "{errors:?}");
    assert!(errors[0].contains("(plugin \""), "{errors:?}");
    let why = channel.fallback().expect("round robin is in its place");
    assert!(why.contains(&format!("tests/pickers/choices.rs:{line}")), "{why}");
    let distribution = channel.picks(10, &TestCall::new());
    assert_eq!((distribution.count("a"), distribution.count("b")), (5, 5));
}

/// Returns the first line of `choices.rs` that contains this text.
fn line_of(text: &str) -> usize {
    include_str!("choices.rs").lines().position(|line| line.contains(text)).unwrap() + 1
}

/// Chooses the backend that the header names, and never another one. Separating tenants is such a
/// case.
pub(crate) struct Isolated;

impl PickerFactory for Isolated {
    const NAME: &'static str = "isolated";
    const ON_FAULT: OnFault = OnFault::Fail { faults_per_minute: 3 };
    type Config = NoConfig;

    fn build(&self, _config: &NoConfig, backends: Backends, _channel: &Channel) -> impl Picker {
        let wants = Wants::nothing().header("tenant");
        picker(move |call| {
            let tenant = call.header("tenant").expect("the call has a tenant");
            assert_ne!(tenant, "cursed", "a rare case");
            Pick::complete(&backends[0])
        })
        .wants(wants)
    }
}

#[test]
fn a_picker_may_fail_the_calls_that_meet_its_panics() {
    let channel = ready_channel("isolated", "{}", "ab");
    let (cursed, fine) = (TestCall::new().header("tenant", "cursed"), "a");
    let good = TestCall::new().header("tenant", "good");
    for _ in 0..3 {
        let Picked::Fail(status) = channel.pick(&cursed) else { panic!("it fails") };
        assert!(status.message.contains("a rare case"), "{status}");
        assert_eq!(channel.pick(&good).backend(), Some(fine));
    }
    assert_eq!((channel.faults(), channel.fallback()), (3, None));
    // One panic more in this minute, and all calls fail.
    let _ = channel.pick(&cursed);
    assert!(channel.fallback().is_some());
    let Picked::Fail(status) = channel.pick(&good) else { panic!("all calls fail") };
    assert!(status.message.contains("a rare case"), "{status}");
    // A new list ends that, after a pause.
    channel.resolve(["a", "b"]);
    assert!(channel.fallback().is_some());
    channel.advance(Duration::from_secs(10));
    channel.resolve(["a", "b"]);
    channel.all_ready();
    assert_eq!(channel.fallback(), None);
    assert_eq!(channel.pick(&good).backend(), Some(fine));
}

#[test]
fn an_index_out_of_range_is_the_pickers_own_panic() {
    let channel = ready_channel("scripted", r#"{"steps": [{"complete": 7}]}"#, "ab");
    let _ = channel.pick(&TestCall::new());
    assert!(errors(&channel)[0].contains("index out of bounds"), "{:?}", errors(&channel));
}

/// Panics in the hook that its config names.
pub(crate) struct Broken;

#[derive(Deserialize)]
pub(crate) struct BrokenConfig {
    #[serde(default)]
    place: String,
}

impl StatefulPickerFactory for Broken {
    const NAME: &'static str = "broken";
    type Config = BrokenConfig;
    type ChannelState = ();
    type BackendState = u8;

    fn new_channel(&self, _channel: &Channel) {}

    fn new_backend(&self, _state: &mut (), backend: &Backend) -> u8 {
        assert_ne!(backend.address(), "bad", "a bad backend");
        0
    }

    fn build(
        &self,
        config: &BrokenConfig,
        backends: Backends<u8>,
        _state: &mut (),
        helper: &Helper<'_>,
    ) -> impl Picker {
        assert_ne!(config.place, "build", "a bad build");
        helper.start_timer(Duration::from_secs(1));
        picker(move |_| Pick::complete(&backends[0]))
    }

    fn timer(&self, _timer: TimerId, _state: &mut (), _helper: &Helper<'_>) {
        panic!("a bad timer");
    }

    fn check_config(&self, config: &BrokenConfig, _faults: &mut Faults) {
        assert_ne!(config.place, "config", "a bad check");
    }
}

/// Panics for every list.
pub(crate) struct FailsToBuild;

impl PickerFactory for FailsToBuild {
    const NAME: &'static str = "fails_to_build";
    type Config = NoConfig;

    #[allow(unreachable_code, reason = "it has a type to return")]
    fn build(&self, _config: &NoConfig, _backends: Backends, _channel: &Channel) -> impl Picker {
        panic!("no picker");
        picker(|_| Pick::queue())
    }
}

#[test]
fn a_panic_of_any_hook_is_a_fault_with_its_text() {
    let error = TestChannel::new(plugin(), "broken", r#"{"place": "config"}"#).unwrap_err();
    assert!(error.contains("a bad check"), "{error}");

    let channel = ready_channel("broken", r#"{"place": "build"}"#, "ab");
    assert!(errors(&channel)[0].contains("a bad build"), "{:?}", errors(&channel));
    assert_eq!(channel.picks(10, &TestCall::new()).completed(), 10);

    let channel = ready_channel("broken", "{}", "a");
    assert_eq!(channel.faults(), 0);
    channel.advance(Duration::from_secs(1));
    assert!(errors(&channel)[0].contains("a bad timer"), "{:?}", errors(&channel));

    let channel = channel_with_bad_backend();
    assert!(errors(&channel)[0].contains("a bad backend"), "{:?}", errors(&channel));
    assert_eq!(channel.picks(10, &TestCall::new()).completed(), 10);
}

fn channel_with_bad_backend() -> TestChannel {
    let channel = channel("broken", "{}");
    channel.resolve(["bad", "good"]);
    channel.all_ready();
    channel
}
