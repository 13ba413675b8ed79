//! The scenarios that come with the simulator.
//!
//! Must not depend on: how scenarios are simulated.

use std::collections::BTreeSet;
use std::fs;

use steer_sim::ready::{SCENARIOS, find};
use steer_sim::scenario::{Load, Scenario};

fn read_all() -> Vec<Scenario> {
    let read =
        |ready: &steer_sim::ready::Ready| ready.read().unwrap_or_else(|faults| panic!("{faults}"));
    SCENARIOS.iter().map(read).collect()
}

#[test]
fn every_file_is_among_them() {
    let files = fs::read_dir("scenarios").unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".toml").unwrap().to_owned()
    });
    let names = SCENARIOS.iter().map(|ready| ready.name.to_owned());
    assert_eq!(files.collect::<BTreeSet<_>>(), names.collect::<BTreeSet<_>>());
    assert_eq!(find("one_slow").unwrap().name, "one_slow");
    assert!(find("one_slower").is_none());
}

#[test]
fn all_are_right_and_say_what_they_are() {
    for scenario in read_all() {
        let name = &scenario.name;
        assert!(scenario.title != *name && !scenario.title.ends_with('.'), "{name}");
        assert!(scenario.look_for.ends_with(['.', '?']), "{name}");
    }
}

#[test]
fn all_have_limits() {
    for scenario in read_all() {
        assert!(!scenario.limits.is_empty(), "{}", scenario.name);
    }
}

/// They have to be short enough to be run often.
#[test]
fn all_are_small() {
    for scenario in read_all() {
        let rates = scenario.clients.iter().map(|group| match group.load {
            Load::Open { rate, .. } => rate,
            Load::Closed { .. } => panic!("{}: the calls cannot be counted", scenario.name),
        });
        let calls = rates.sum::<f64>() * scenario.duration.as_secs_f64();
        assert!(calls <= 2e6, "{}: {calls} calls", scenario.name);
    }
}
