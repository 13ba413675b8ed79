//! Tests calls that are followed to their end.

use std::cell::RefCell;
use std::time::Duration;

use serde::Deserialize;
use steer_sdk::testkit::{LoadReport, Picked, TestCall};
use steer_sdk::{
    Backends, Call, CallEnd, CallTracker, Channel, Code, Pick, Picker, PickerFactory, Status, Wants,
};

use crate::{errors, ready_channel};

#[derive(Deserialize)]
pub(crate) struct TrackingConfig {
    /// `picker`, `hook`, `tracker`, `all`, or `panic`.
    by: String,
}

pub(crate) struct Tracking;

thread_local! {
    /// What the test of this thread has heard of its calls.
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn heard() -> Vec<String> {
    HEARD.take()
}

fn hear(what: &str, end: Option<&CallEnd<'_>>) {
    let end = end.map_or(String::new(), |end| {
        let named = end.metrics().map(|metrics| {
            let named: Vec<_> = metrics.named().collect();
            format!(" cpu {} {named:?}", metrics.cpu_utilization())
        });
        let (code, message) = (end.code(), end.message());
        format!(": {code:?} {message:?} {:?}{}", end.latency(), named.unwrap_or_default())
    });
    HEARD.with_borrow_mut(|heard| heard.push(format!("{what}{end}")));
}

struct TrackingPicker(Backends, String);

struct Tracker(&'static str);

impl CallTracker for Tracker {
    fn started(&mut self) {
        hear(&format!("{} started", self.0), None);
    }

    fn finished(self, end: &CallEnd<'_>) {
        hear(&format!("{} finished", self.0), Some(end));
    }
}

impl Picker for TrackingPicker {
    fn pick(&self, _call: &Call<'_>) -> Pick {
        let pick = Pick::complete(&self.0[0]);
        match self.1.as_str() {
            "picker" => pick.tracked(),
            "hook" => pick.on_finish(|end| hear("hook", Some(end))),
            "tracker" => pick.track(Tracker("tracker")),
            "all" => pick.tracked().track(Tracker("first")).track(Tracker("second")),
            _ => pick.on_finish(|_| panic!("in the hook")),
        }
    }

    fn wants(&self) -> Wants {
        if self.1 == "all" { Wants::nothing() } else { Wants::nothing().metrics() }
    }

    fn call_started(&self, backend: usize) {
        hear(&format!("picker started {backend}"), None);
    }

    fn call_finished(&self, backend: usize, end: &CallEnd<'_>) {
        hear(&format!("picker finished {backend}"), Some(end));
    }
}

impl PickerFactory for Tracking {
    const NAME: &'static str = "tracking";
    type Config = TrackingConfig;

    fn build(&self, config: &TrackingConfig, backends: Backends, _: &Channel) -> impl Picker {
        TrackingPicker(backends, config.by.clone())
    }
}

#[test]
fn calls_are_followed_to_their_end_exactly_once() {
    let report = LoadReport {
        cpu_utilization: 0.5,
        named_metrics: [("x".to_owned(), 1.0), ("y".to_owned(), 2.0)].into(),
        ..LoadReport::default()
    };
    for (by, started, finished, abandoned) in [
        (
            "picker",
            vec!["picker started 0"],
            vec![
                "picker finished 0: Some(Unavailable) \"down\" Some(2s) \
                 cpu 0.5 [(\"x\", 1.0), (\"y\", 2.0)]",
            ],
            vec!["picker finished 0: None \"\" None"],
        ),
        (
            "hook",
            vec![],
            vec!["hook: Some(Unavailable) \"down\" Some(2s) cpu 0.5 [(\"x\", 1.0), (\"y\", 2.0)]"],
            vec!["hook: None \"\" None"],
        ),
        (
            "all",
            vec!["first started", "second started", "picker started 0"],
            vec![
                "picker finished 0: Some(Unavailable) \"down\" Some(2s)",
                "first finished: Some(Unavailable) \"down\" Some(2s)",
                "second finished: Some(Unavailable) \"down\" Some(2s)",
            ],
            vec![
                "picker finished 0: None \"\" None",
                "first finished: None \"\" None",
                "second finished: None \"\" None",
            ],
        ),
    ] {
        let channel = ready_channel("tracking", &format!(r#"{{"by": "{by}"}}"#), "ab");
        let Picked::Tracked { backend, mut call, .. } = channel.pick(&TestCall::new()) else {
            panic!("{by}: the call is tracked")
        };
        assert_eq!(backend, "a");
        assert!(heard().is_empty());
        call.start();
        assert_eq!(heard(), started);
        channel.advance(Duration::from_secs(2));
        call.finish(&Status::unavailable("down"), Some(&report));
        assert_eq!(heard(), finished);
        // Abandoned before it started, also after the channel is gone.
        let picked = channel.pick(&TestCall::new());
        drop(channel);
        assert!(heard().is_empty());
        drop(picked);
        assert_eq!(heard(), abandoned);
    }
}

#[test]
fn a_panic_of_a_hook_is_a_fault() {
    let channel = ready_channel("tracking", r#"{"by": "panic"}"#, "a");
    channel.pick(&TestCall::new()).finish(Code::Ok);
    assert_eq!(channel.faults(), 1);
    assert!(errors(&channel)[0].contains("in the hook"), "{:?}", errors(&channel));
}

#[test]
fn a_choice_that_does_not_send_the_call_has_no_end() {
    let nowhere = Pick::queue().on_finish(|_| hear("never", None)).track(Tracker("never"));
    assert_eq!(nowhere.to_string(), "queue");
    drop(nowhere);
    assert!(heard().is_empty());
}
