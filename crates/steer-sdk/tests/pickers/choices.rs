//! Tests which choices of pickers reach the channel, and their config.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use steer_sdk::testkit::{Picked, TestCall, TestChannel};
use steer_sdk::{
    Backends, Channel, Code, Faults, Pick, Picker, PickerFactory, State, Status, picker,
};

use crate::{plugin, ready_channel};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Script {
    #[serde(default)]
    steps: Vec<Step>,
    max_steps: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Complete(usize),
    Queue,
    Fail(i32),
    Drop(i32),
    Panic,
}

/// Makes the choices that its config lists, one after another.
pub(crate) struct Scripted;

impl PickerFactory for Scripted {
    const NAME: &'static str = "scripted";
    type Config = Script;

    fn build(&self, config: &Script, backends: Backends, _channel: &Channel) -> impl Picker {
        let steps = config.steps.clone();
        let next = AtomicU64::new(0);
        picker(move |_| {
            let step = next.fetch_add(1, Ordering::Relaxed) as usize;
            match &steps[step % steps.len()] {
                Step::Complete(index) => Pick::complete(&backends[*index]),
                Step::Queue => Pick::queue(),
                Step::Fail(code) => Pick::fail(Status::new(Code::from_number(*code), "on purpose")),
                Step::Drop(code) => Pick::drop(Status::new(Code::from_number(*code), "on purpose")),
                Step::Panic => panic!("on purpose"),
            }
        })
    }

    fn check_config(&self, config: &Script, faults: &mut Faults) {
        if config.max_steps.is_some_and(|most| config.steps.len() > most) {
            faults.add("steps", "are too many");
            faults.add("maxSteps", "is too small");
        }
    }
}

#[test]
fn choices_pass_unchanged_through_the_abi() {
    let script = r#"{"steps": [{"complete": 1}, "queue", {"fail": 14}, {"drop": 8}]}"#;
    let channel = ready_channel("scripted", script, "abc");
    let picked: Vec<String> = (0..8)
        .map(|_| match channel.pick(&TestCall::new()) {
            Picked::Complete { backend, headers } => {
                assert!(headers.is_empty());
                backend
            }
            Picked::Tracked { .. } => unreachable!("nobody tracks"),
            Picked::Queue => "queue".to_owned(),
            Picked::Fail(status) => format!("fail {status}"),
            Picked::Drop(status) => format!("drop {status}"),
        })
        .collect();
    let once =
        ["b", "queue", "fail UNAVAILABLE: on purpose", "drop RESOURCE_EXHAUSTED: on purpose"];
    assert_eq!(picked, [once, once].concat());
    assert_eq!(channel.faults(), 0);
    assert_eq!(channel.state(), Some(State::Ready));
}

#[test]
fn codes_that_a_data_plane_may_not_produce_become_internal() {
    let channel = ready_channel("scripted", r#"{"steps": [{"fail": 5}]}"#, "a");
    let Picked::Fail(status) = channel.pick(&TestCall::new()) else { panic!("it fails") };
    assert_eq!(status.code, Code::Internal);
    assert!(status.message.ends_with("NOT_FOUND: on purpose"), "{status}");
}

#[test]
fn faults_of_a_config_are_named_by_their_fields() {
    let refused = |config: &str| TestChannel::new(plugin(), "scripted", config).unwrap_err();
    let error = refused(r#"{"steps": ["queue", {"fail": "x"}]}"#);
    let expected = "expected a whole number from -2147483648 to 2147483647, found \"x\"";
    assert!(error.contains(&format!("field:scripted.steps[1].fail error:{expected}")), "{error}");
    let error = refused(r#"{"steps": ["queue"], "maxSteps": 0}"#);
    assert!(error.contains("field:scripted.steps error:are too many"), "{error}");
    assert!(error.contains("field:scripted.maxSteps error:is too small"), "{error}");
    let error = refused("[]");
    assert!(error.contains("is not an object"), "{error}");
    assert!(TestChannel::new(plugin(), "no_such", "{}").unwrap_err().contains("no_such"));
}

#[test]
fn a_config_that_changes_makes_a_new_picker() {
    let channel = ready_channel("scripted", r#"{"steps": [{"complete": 0}]}"#, "ab");
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("a"));
    channel.configure(r#"{"steps": [{"complete": 1}]}"#).unwrap();
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("b"));
    assert!(channel.configure(r#"{"steps": 5}"#).is_err());
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("b"));
}
