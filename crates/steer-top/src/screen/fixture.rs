//! What the tests of the screen share: statistics of two polls, keys, and the lines of a screen.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};

use super::Screen;
use super::print::lines_of;
use crate::stats::Stats;

pub(super) const BEFORE: &str = r#"{"steer":"0.1.0","channels":[
    {"id":1,"target":"dns:///greeter","policy":"steer_least_request","state":"READY",
     "status":"","faults":0,"pickers":12,"calls_tracked":true,"backends":[
     {"addresses":["ipv4:127.0.0.1:1"],"state":"READY","picks":10,"in_flight":1,"abandoned":0,
      "finished":{"OK":9},
      "latency_seconds":{"count":9,"sum":0.1,
       "p50":0.01,"p90":0.02,"p99":0.03,"p999":0.03,"max":0.03}},
     {"addresses":["ipv4:127.0.0.1:2"],"state":"CONNECTING"}]},
    {"id":2,"target":"dns:///other","policy":"steer_maglev","state":"TRANSIENT_FAILURE",
     "status":"UNAVAILABLE: connections to all backends failing","faults":3,"pickers":2,
     "calls_tracked":false,"backends":[
     {"addresses":["ipv4:127.0.0.1:3"],"state":"TRANSIENT_FAILURE","share":1.0}]}]}"#;

pub(super) const AFTER: &str = r#"{"steer":"0.1.0","channels":[
    {"id":1,"target":"dns:///greeter","policy":"steer_least_request","state":"READY",
     "status":"","faults":0,"pickers":13,"calls_tracked":true,"backends":[
     {"addresses":["ipv4:127.0.0.1:1"],"state":"READY","picks":40,"in_flight":2,"abandoned":0,
      "finished":{"OK":36,"UNAVAILABLE":2},
      "latency_seconds":{"count":38,"sum":0.4,
       "p50":0.0102,"p90":0.02,"p99":0.0307,"p999":0.03,"max":0.03}},
     {"addresses":["ipv4:127.0.0.1:2"],"state":"READY","picks":10,"in_flight":0,"abandoned":0,
      "finished":{"OK":10},
      "latency_seconds":{"count":10,"sum":0.1,
       "p50":0.00095,"p90":0.02,"p99":1.5,"p999":1.6,"max":1.6}}]},
    {"id":2,"target":"dns:///other","policy":"steer_maglev","state":"TRANSIENT_FAILURE",
     "status":"UNAVAILABLE: connections to all backends failing","faults":3,"pickers":2,
     "calls_tracked":false,"backends":[
     {"addresses":["ipv4:127.0.0.1:3"],"state":"TRANSIENT_FAILURE","share":1.0}]}]}"#;

pub(super) fn stats(text: &str) -> Result<Stats, String> {
    Ok(serde_json::from_str(text).unwrap())
}

/// Returns a screen after two polls, and the time of the second.
pub(super) fn polled() -> (Screen, Instant) {
    let start = Instant::now();
    let mut screen = Screen::new("http://127.0.0.1:9/stats.json");
    screen.polled(start, stats(BEFORE));
    let end = start + Duration::from_secs(2);
    screen.polled(end, stats(AFTER));
    (screen, end)
}

pub(super) fn press(screen: &mut Screen, code: KeyCode) -> bool {
    let (kind, state) = (KeyEventKind::Press, KeyEventState::NONE);
    screen.key(KeyEvent { code, modifiers: KeyModifiers::NONE, kind, state })
}

#[track_caller]
pub(super) fn assert_lines(screen: &mut Screen, at: Instant, size: (u16, u16), expected: &str) {
    let lines = lines_of(size.0, size.1, |frame| screen.draw(frame, at));
    assert_eq!(lines, expected, "\n{lines}");
}
