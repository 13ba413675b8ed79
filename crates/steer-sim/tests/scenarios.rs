//! Every scenario that comes with the program keeps its limits, except those that it says are not
//! kept yet.

use std::process::Command;

use steer_sim::model::simulate;
use steer_sim::ready;
use steer_sim::scenario::{PolicyChoice, Scenario};

#[test]
fn every_scenario_is_as_it_says() {
    let check = Command::new(env!("CARGO_BIN_EXE_steer-sim")).args(["check", "all"]).output();
    let check = check.unwrap();
    let printed = String::from_utf8_lossy(&check.stdout);
    let bad: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains("NOT KEPT") || line.contains("KEPT, though"))
        .collect();
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{errors}{}", bad.join("\n"));
}

/// What keeps the failure of `metastable` alive is that servers serve calls which nobody waits for.
#[test]
fn a_metastable_failure_ends_where_servers_drop_cancelled_calls() {
    let metastable = ready::find("metastable").unwrap().read().unwrap();
    let errors = |scenario: &Scenario| {
        let name = "steer_round_robin".to_owned();
        let policy = PolicyChoice { name, config: serde_json::json!({}) };
        simulate(scenario, &policy, 1, &|_| ()).unwrap().errors
    };
    assert!(errors(&metastable) > 0.5);
    let mut mended = metastable.clone();
    mended.servers[0].queue.keeps_cancelled_calls = false;
    assert!(errors(&mended) < 0.25);
}
