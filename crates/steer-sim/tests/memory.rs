//! A run frees what it made. A test of its own, so that nothing else runs in its process.

use std::fs;
use std::path::Path;

use steer_sim::file;
use steer_sim::model::simulate;
use steer_sim::scenario::PolicyChoice;

/// 10,000 connections, which take 3.5 MB with round robin, and more with other policies.
const SCENARIO: &str = r#"
duration = "50ms"
servers = [{ name = "server", count = 100 }]
clients = [{ name = "client", count = 100, rate = "10000/s" }]
"#;

/// The memory of this process in MiB.
fn memory() -> f64 {
    let text = fs::read_to_string("/proc/self/status").expect("Linux has this file");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says this");
    let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
    kibibytes.expect("a number") / 1024.0
}

#[test]
fn runs_leave_no_memory() {
    let scenario = file::parse("small", SCENARIO, Path::new("")).unwrap();
    for name in ["steer_round_robin", "steer_peak_ewma", "steer_prequal"] {
        let policy = PolicyChoice { name: name.to_owned(), config: serde_json::json!({}) };
        let run = || simulate(&scenario, &policy, 1, &|_| ()).unwrap();
        // What the first runs take, the allocator keeps.
        (0..2).for_each(|_| drop(run()));
        let before = memory();
        (0..10).for_each(|_| drop(run()));
        let grown = memory() - before;
        assert!(grown < 15.0, "{name}: {grown:.1} MiB after 10 runs");
    }
}
