//! Tests load reports out of band.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use steer_sdk::testkit::{LoadReport, TestCall};
use steer_sdk::{
    Backend, Backends, Channel, Helper, Metrics, Pick, Picker, StatefulPickerFactory, picker,
};

use crate::ready_channel;

/// Sends calls to the backend with the shortest queue, as the backends report it.
pub(crate) struct ShortestQueue;

#[derive(serde::Deserialize)]
pub(crate) struct ShortestQueueConfig {
    #[serde(default)]
    rebuild: bool,
}

#[derive(Default)]
pub(crate) struct State {
    asked: bool,
    rebuild: bool,
}

thread_local! {
    /// The pickers that this thread's test has built.
    static BUILT: Cell<u32> = const { Cell::new(0) };
}

impl StatefulPickerFactory for ShortestQueue {
    const NAME: &'static str = "shortest_queue";
    type Config = ShortestQueueConfig;
    type ChannelState = State;
    type BackendState = AtomicU64;

    fn new_channel(&self, _channel: &Channel) -> State {
        State::default()
    }

    fn new_backend(&self, _state: &mut State, _backend: &Backend) -> AtomicU64 {
        AtomicU64::new(u64::MAX)
    }

    fn build(
        &self,
        config: &ShortestQueueConfig,
        backends: Backends<AtomicU64>,
        state: &mut State,
        helper: &Helper<'_>,
    ) -> impl Picker {
        if !std::mem::replace(&mut state.asked, true) {
            helper.request_load_reports(Some(Duration::from_millis(100)));
        }
        state.rebuild = config.rebuild;
        BUILT.set(BUILT.get() + 1);
        picker(move |_| {
            let queue = |backend: &&Backend<AtomicU64>| backend.state().load(Ordering::Relaxed);
            backends.iter().min_by_key(queue).map_or_else(Pick::queue, Pick::complete)
        })
    }

    fn load_report(
        &self,
        backend: &Backend<AtomicU64>,
        report: &Metrics<'_>,
        state: &mut State,
        helper: &Helper<'_>,
    ) {
        let depth = report.find_named("queue_depth").unwrap_or(1e9);
        assert_eq!(report.find_utilization("disk"), Some(0.5));
        assert_eq!(report.find_request_cost("none"), None);
        backend.state().store(depth as u64, Ordering::Relaxed);
        if state.rebuild {
            helper.request_rebuild();
        }
    }
}

fn report(depth: f64) -> LoadReport {
    LoadReport {
        named_metrics: [("other".to_owned(), 1.0), ("queue_depth".to_owned(), depth)].into(),
        utilization: [("disk".to_owned(), 0.5)].into(),
        ..LoadReport::default()
    }
}

#[test]
fn reports_reach_the_backends_state() {
    let channel = ready_channel(ShortestQueue::NAME, "{}", "abc");
    assert_eq!(channel.load_report_period(), Some(Duration::from_millis(100)));
    let chosen = || channel.pick(&TestCall::new()).backend().unwrap().to_owned();
    assert_eq!(chosen(), "a");
    channel.load_report("b", &report(7.0));
    assert_eq!(chosen(), "b");
    channel.load_report("c", &report(3.0));
    assert_eq!(chosen(), "c");
    channel.load_report("b", &report(1.0));
    assert_eq!(chosen(), "b");
    assert_eq!(channel.faults(), 0);
}

#[test]
fn a_report_may_lead_to_a_new_picker() {
    let channel = ready_channel(ShortestQueue::NAME, r#"{"rebuild": true}"#, "a");
    let before = BUILT.get();
    channel.load_report("a", &report(7.0));
    assert_eq!(BUILT.get(), before + 1);
}
