//! How fast the simulator is: calls per second on one core, and a fleet of 1,000 clients and 1,000
//! servers. Prints a table in Markdown. `script/simulate` writes it to docs/simulator.md.
//!
//!     cargo bench --bench speed
//!
//! Times are CPU time, so that other work on the machine disturbs less. Each is the best of
//! several.
//!
//! Must not depend on: how scenarios are simulated.

use std::fs;
use std::path::Path;
use std::time::Instant;

use steer_sim::file;
use steer_sim::model::simulate;
use steer_sim::scenario::{PolicyChoice, Scenario};

/// 6 million calls, and no queues: the cost of calls, and not of a special situation.
const TEN_SERVERS: &str = r#"
duration = "60s"
servers = [{ name = "server", count = 10, concurrency = 1000 }]
clients = [{ name = "client", rate = "100000/s", deadline = "1s" }]
"#;

/// A million connections and 20 million calls.
const FLEET: &str = r#"
duration = "20s"
servers = [{ name = "server", count = 1000, concurrency = 100 }]
clients = [{ name = "client", count = 1000, rate = "1000000/s", deadline = "1s" }]
"#;

const REPEATS: u32 = 3;

/// A run's time in seconds, of the processor and of the clock, and its calls.
struct Run {
    processor: f64,
    clock: f64,
    calls: f64,
}

fn scenario(name: &str, text: &str) -> Scenario {
    file::parse(name, text, Path::new("")).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The CPU time of this process in seconds. Fields 14 and 15 of its statistics, in hundredths.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux has this file");
    let after_name = text.rsplit(')').next().expect("there is a last part");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory that this process has had, in GiB.
fn memory() -> f64 {
    let text = fs::read_to_string("/proc/self/status").expect("Linux has this file");
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux says this");
    let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
    kibibytes.expect("a number") / 1024.0 / 1024.0
}

fn run(scenario: &Scenario, policy: &str) -> Run {
    let policy = PolicyChoice { name: policy.to_owned(), config: serde_json::json!({}) };
    let (clock, processor) = (Instant::now(), processor_time());
    let outcome = simulate(scenario, &policy, 1, &|_| ()).expect("the policy exists");
    let (clock, processor) = (clock.elapsed().as_secs_f64(), processor_time() - processor);
    Run { processor, clock, calls: outcome.calls as f64 }
}

/// The fastest of several runs.
fn best(scenario: &Scenario, policy: &str) -> Run {
    let runs = (0..REPEATS).map(|_| run(scenario, policy));
    runs.min_by(|a, b| a.processor.total_cmp(&b.processor)).expect("there are runs")
}

/// The last two cells of a row: a limit, and whether it is met. Rows without one only inform.
fn verdict(measured: f64, limit: Option<f64>, is_met: impl Fn(f64, f64) -> bool) -> String {
    match limit {
        Some(limit) if is_met(measured, limit) => format!("{limit} | met |"),
        Some(limit) => format!("{limit} | **not met** |"),
        None => "| |".to_owned(),
    }
}

fn at_least(measured: f64, limit: f64) -> bool {
    measured >= limit
}

fn at_most(measured: f64, limit: f64) -> bool {
    measured <= limit
}

fn main() {
    println!("| what | result | limit | |");
    println!("|---|---:|---:|---|");
    let ten_servers = scenario("ten_servers", TEN_SERVERS);
    for (policy, limit) in [
        ("steer_round_robin", Some(1.5)),
        ("steer_peak_ewma", Some(1.0)),
        ("steer_least_request", None),
        ("steer_weighted_round_robin", None),
    ] {
        let run = best(&ten_servers, policy);
        let rate = run.calls / run.processor / 1e6;
        println!(
            "| `{policy}`, 10 servers: million calls per second on one core | {rate:.2} | {}",
            verdict(rate, limit, at_least)
        );
    }
    let fleet = scenario("fleet", FLEET);
    // The one that takes less memory first: the most of the process counts.
    for (policy, longest, most) in
        [("steer_round_robin", Some(60.0), Some(4.0)), ("steer_peak_ewma", None, None)]
    {
        let run = best(&fleet, policy);
        let millions = run.calls / 1e6;
        let words =
            format!("`{policy}`, 1,000 clients and 1,000 servers, {millions:.0} million calls");
        let (seconds, clock, memory) = (run.processor, run.clock, memory());
        println!(
            "| {words}: seconds of CPU time (of the clock: {clock:.0}) | {seconds:.1} | {}",
            verdict(seconds, longest, at_most)
        );
        println!("| the same: GiB of memory | {memory:.2} | {}", verdict(memory, most, at_most));
    }
}
