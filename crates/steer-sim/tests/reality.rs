//! The model against reality: the tables of docs/why.md, which `script/report` measures with real
//! channels and servers. The mean of several seeds has to be near what was measured.
//!
//! A policy that has changed is not the one that was measured: if its numbers differ, measure again
//! with `script/report` before you look for a fault of the model.
//!
//! Must not depend on: how scenarios are simulated.

use std::fs;
use std::thread;

use steer_sim::model::simulate;
use steer_sim::ready;
use steer_sim::scenario::{PolicyChoice, Scenario};

/// The greatest difference of latencies, as a share of the measured one. Measurements differ from
/// each other, too: the p99 of weighted round robin with one slow server was 122 to 160 ms in five
/// of them, and is 102 to 145 ms with 30 seeds.
const LATENCY: f64 = 0.15;

/// The greatest difference of the shares of errors and calls.
const SHARE: f64 = 0.02;

const SEEDS: u64 = 10;

/// The scenarios, in the order of the tables.
const SCENARIOS: [&str; 3] = ["all_alike", "one_slow", "one_failing"];

/// A row of a table: latencies in ms, then shares.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Numbers {
    p50: f64,
    p95: f64,
    p99: f64,
    errors: f64,
    fourth: f64,
}

impl Numbers {
    /// Names of what is too far from what was measured.
    fn too_far(&self, measured: &Numbers) -> Vec<&'static str> {
        let ratio = |model: f64, measured: f64| (model / measured - 1.0).abs() > LATENCY;
        let points = |model: f64, measured: f64| (model - measured).abs() > SHARE;
        let checks = [
            ("p50", ratio(self.p50, measured.p50)),
            ("p95", ratio(self.p95, measured.p95)),
            ("p99", ratio(self.p99, measured.p99)),
            ("errors", points(self.errors, measured.errors)),
            ("calls to the fourth server", points(self.fourth, measured.fourth)),
        ];
        checks.into_iter().filter(|(_, bad)| *bad).map(|(name, _)| name).collect()
    }
}

/// The rows of a page's tables of policies, by policy.
fn rows(table: &str) -> Vec<(String, Numbers)> {
    let mut rows = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = |cell: usize| -> f64 {
            let text = cells[cell].replace(',', "");
            text.trim_end_matches('%').parse().unwrap_or_else(|_| panic!("a number: {line}"))
        };
        // Cell 5 is p99.9, which a run of 30 s does not know well.
        let numbers = Numbers {
            p50: number(2),
            p95: number(3),
            p99: number(4),
            errors: number(6) / 100.0,
            fourth: number(7) / 100.0,
        };
        rows.push((cells[1].trim_matches('`').to_owned(), numbers));
    }
    rows
}

/// The tables of docs/why.md, each with its scenario.
fn measured() -> Vec<(Scenario, Vec<(String, Numbers)>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/why.md");
    let page = fs::read_to_string(path).expect("docs/why.md exists");
    let read = |name: &str| {
        let scenario = ready::find(name).expect("it is ready").read().expect("it has no faults");
        let title = format!("**{}**", scenario.title);
        let after = page.split(&title).nth(1).unwrap_or_else(|| panic!("no table of {title}"));
        let table = after.split("\n**").next().expect("there is a first part");
        let rows = rows(table);
        assert_eq!(rows.len(), 6, "the table of {title}");
        (scenario, rows)
    };
    SCENARIOS.into_iter().map(read).collect()
}

/// The mean of several seeds.
fn modelled(scenario: &Scenario, policy: &str) -> Numbers {
    // gRPC's policy of this name does the same.
    let name = if policy == "round_robin" { "steer_round_robin" } else { policy };
    let policy = PolicyChoice { name: name.to_owned(), config: serde_json::json!({}) };
    let mut sum = Numbers { p50: 0.0, p95: 0.0, p99: 0.0, errors: 0.0, fourth: 0.0 };
    for seed in 1..=SEEDS {
        let outcome = simulate(scenario, &policy, seed, &|_| ()).expect("the policy exists");
        let in_ms = |quantile| outcome.latency.at(quantile).expect("there are calls") * 1e3;
        sum.p50 += in_ms(0.5);
        sum.p95 += in_ms(0.95);
        sum.p99 += in_ms(0.99);
        sum.errors += outcome.errors;
        sum.fourth += outcome.servers[3].share;
    }
    let seeds = SEEDS as f64;
    Numbers {
        p50: sum.p50 / seeds,
        p95: sum.p95 / seeds,
        p99: sum.p99 / seeds,
        errors: sum.errors / seeds,
        fourth: sum.fourth / seeds,
    }
}

#[test]
fn the_model_is_near_what_was_measured() {
    let tables = measured();
    let wrong = thread::scope(|scope| {
        let mut runs = Vec::new();
        for (scenario, rows) in &tables {
            runs.push(scope.spawn(move || {
                let mut wrong = Vec::new();
                for (policy, measured) in rows {
                    let model = modelled(scenario, policy);
                    println!(
                        "{} {policy}\n  model    {model:?}\n  measured {measured:?}",
                        scenario.name
                    );
                    for what in model.too_far(measured) {
                        wrong.push(format!(
                            "{} {policy}: {what}: model {model:?}, measured {measured:?}",
                            scenario.name
                        ));
                    }
                }
                wrong
            }));
        }
        runs.into_iter().flat_map(|run| run.join().expect("no panic")).collect::<Vec<_>>()
    });
    let remedy = "has the policy changed? Measure again with script/report";
    assert!(wrong.is_empty(), "{}\n{remedy}", wrong.join("\n"));
}
