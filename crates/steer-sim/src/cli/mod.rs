//! The command line of `steer-sim`.
//!
//! | file | idea |
//! |---|---|
//! | `args.rs` | the commands and their options |
//! | `inputs.rs` | scenarios and policies, as the user names them |
//! | `jobs.rs` | many simulations at the same time, and their progress |
//! | `output.rs` | writes files, and fails with their names |
//!
//! Exit status: 0 if all went well, 1 if a limit is not kept, 2 if the user must change something.
//!
//! Must not depend on: how scenarios are simulated.

mod args;
mod inputs;
mod jobs;
mod output;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use steer_sim::compare::{self, compare};
use steer_sim::outcome::Outcome;
use steer_sim::{ready, report};

use self::args::{Args, Check, Command, Compare, Run, Runs};
use self::inputs::policies_for;
use self::jobs::Job;

/// A message for the user, who must change something.
type Failure = String;

pub(crate) fn run() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(run) => run_scenarios(&run),
        Command::Check(check) => check_limits(&check),
        Command::Compare(comparison) => compare_policies(&comparison),
        Command::List => list(),
        Command::Show { name } => show(&name),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("steer-sim: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Runs what the user names, with these policies instead of the scenarios' if there are any.
fn outcomes_of(runs: &Runs, policies: &[String], seeds: u64) -> Result<Vec<Outcome>, Failure> {
    outcomes_until(None, runs, policies, seeds)
}

/// As `outcomes_of`, with an earlier end of the scenarios.
fn outcomes_until(
    end: Option<Duration>,
    runs: &Runs,
    policies: &[String],
    seeds: u64,
) -> Result<Vec<Outcome>, Failure> {
    let mut scenarios = inputs::scenarios(&runs.scenarios)?;
    if let Some(end) = end {
        scenarios.iter_mut().for_each(|scenario| scenario.end_at(end));
    }
    let mut work = Vec::new();
    for scenario in &scenarios {
        for policy in policies_for(scenario, policies)? {
            let seeds = runs.seed..runs.seed.saturating_add(seeds);
            work.extend(seeds.map(|seed| Job { scenario, policy: policy.clone(), seed }));
        }
    }
    jobs::run(&work)
}

fn run_scenarios(run: &Run) -> Result<bool, Failure> {
    inputs::load_plugins(&run.runs.plugins)?;
    let outcomes = outcomes_until(run.duration, &run.runs, &run.policies, run.seeds)?;
    output::print(&report::text(&outcomes))?;
    if let Some(path) = &run.out {
        output::write(path, &report::html(&outcomes))?;
    }
    if let Some(path) = &run.markdown {
        output::write(path, &report::markdown(&outcomes))?;
    }
    if let Some(path) = &run.json {
        output::write_json(path, &outcomes)?;
    }
    Ok(true)
}

fn check_limits(check: &Check) -> Result<bool, Failure> {
    inputs::load_plugins(&check.runs.plugins)?;
    let outcomes = outcomes_of(&check.runs, &check.policies, check.seeds)?;
    let verdict = inputs::verdict(&outcomes);
    output::print(&verdict.text)?;
    if let Some(path) = &check.out {
        output::write(path, &report::html(&outcomes))?;
    }
    Ok(verdict.kept)
}

fn compare_policies(comparison: &Compare) -> Result<bool, Failure> {
    let side = |policy: &str, plugin: &Option<std::path::PathBuf>| {
        inputs::load_plugins(plugin.as_slice())?;
        outcomes_of(&comparison.runs, &[policy.to_owned()], comparison.seeds)
    };
    inputs::load_plugins(&comparison.runs.plugins)?;
    let first = side(&comparison.first, &comparison.first_plugin)?;
    // A plugin replaces an earlier one of its name: from here on, the second one counts.
    let second = side(&comparison.second, &comparison.second_plugin)?;
    let result = compare(&first, &second);
    output::print(&compare::text(&result))?;
    if let Some(path) = &comparison.out {
        output::write(path, &compare::html(&result))?;
    }
    if let Some(path) = &comparison.json {
        output::write_json(path, &result)?;
    }
    Ok(true)
}

fn list() -> Result<bool, Failure> {
    let mut text = String::new();
    for ready in ready::SCENARIOS {
        let scenario = ready.read().map_err(|faults| faults.to_string())?;
        text += &format!("{}\n    {}: {}\n", ready.name, scenario.title, scenario.look_for);
    }
    text +=
        "\nsteer-sim run NAME runs one; steer-sim show NAME > my.toml makes a copy to change.\n";
    output::print(&text)?;
    Ok(true)
}

fn show(name: &str) -> Result<bool, Failure> {
    let ready = ready::find(name).ok_or_else(|| inputs::no_such_scenario(name))?;
    output::print(ready.text)?;
    Ok(true)
}
