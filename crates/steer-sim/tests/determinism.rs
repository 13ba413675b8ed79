//! The same scenario, policy and seed give the same bytes: in another process, beside other
//! simulations, on another machine.
//!
//! `digests.txt` has a digest of the numbers of some runs. A change of a policy or of the model
//! changes it: write it again with `STEER_BLESS=1 cargo test --test determinism`, and say in the
//! commit why the numbers changed.

use std::fs;
use std::hash::Hasher;
use std::path::Path;
use std::process::Command;

use steer_sim::model::simulate;
use steer_sim::ready;
use steer_sim::scenario::Scenario;
use twox_hash::XxHash64;

/// Short scenarios that use most of the model: faults, deadlines, retries, keys, changes of lists.
const SCENARIOS: [&str; 5] =
    ["one_slow", "retry_storm", "hot_keys", "rolling_deploy", "new_backend_long_calls"];

fn scenario(name: &str) -> Scenario {
    ready::find(name).expect("it comes with the program").read().expect("it has no faults")
}

/// The JSON of a scenario's runs by the program.
fn by_program(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.json");
    let run = Command::new(env!("CARGO_BIN_EXE_steer-sim"))
        .arg("run")
        .args(arguments)
        .arg("--json")
        .arg(&file)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    fs::read_to_string(file).unwrap()
}

#[test]
fn another_process_gives_the_same_bytes() {
    let arguments = [&SCENARIOS[..], &["--seed", "7"]].concat();
    let first = by_program(&arguments);
    assert_eq!(first, by_program(&arguments));
}

#[test]
fn another_seed_gives_other_numbers() {
    let numbers = |seed| by_program(&["one_slow", "--seed", seed]);
    assert_ne!(numbers("7"), numbers("8"));
}

/// Threads, and what other simulations of the process have done, do not matter.
#[test]
fn other_simulations_do_not_matter() {
    let mut alone = Vec::new();
    for name in SCENARIOS {
        let scenario = scenario(name);
        for policy in scenario.policies.clone() {
            let run = || simulate(&scenario, &policy, 1, &|_| ()).unwrap();
            // On a thread that has had another number before.
            let outcome = std::thread::scope(|scope| scope.spawn(run).join().unwrap());
            alone.push(outcome);
        }
    }
    let alone = serde_json::to_string_pretty(&alone).unwrap() + "\n";
    assert!(by_program(&SCENARIOS) == alone);
}

#[test]
fn every_machine_gives_these_numbers() {
    let mut digests = String::new();
    for name in SCENARIOS {
        let scenario = scenario(name);
        for policy in &scenario.policies {
            let outcome = simulate(&scenario, policy, 1, &|_| ()).unwrap();
            let json = serde_json::to_string(&outcome).unwrap();
            let mut digest = XxHash64::with_seed(0);
            digest.write(json.as_bytes());
            let (policy, config) = (&policy.name, &policy.config);
            digests += &format!("{:016x} {name} {policy} {config}\n", digest.finish());
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digests.txt");
    if std::env::var_os("STEER_BLESS").is_some() {
        fs::write(&file, &digests).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap();
    assert_eq!(known, digests, "see the head of this file");
}
