//! The commands and their options.
//!
//! Must not depend on: what they do.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Simulates fleets of gRPC clients and servers with Steer's own load-balancing policies.
#[derive(Debug, Parser)]
#[command(name = "steer-sim", version, max_term_width = 100)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs scenarios, and shows what came of them
    Run(Run),
    /// Runs scenarios, and fails if a policy does not keep their limits
    #[command(long_about = "Runs scenarios, and fails if a policy does not keep their limits.\n\n\
        The exit status is 0 if all limits are kept, 1 if not, and 2 if a scenario, a policy or a \
        plugin cannot be used. A limit that the scenario says is not kept yet (`not_yet`) must not \
        be kept: otherwise take the `not_yet` out.")]
    Check(Check),
    /// Runs two policies or two versions of a plugin, and shows what became better and worse
    Compare(Compare),
    /// Lists the scenarios that come with the program
    List,
    /// Prints the file of a scenario that comes with the program
    Show {
        /// Its name
        name: String,
    },
}

/// What to run.
#[derive(Debug, clap::Args)]
pub(super) struct Runs {
    /// Scenario files, or names of scenarios that come with the program; `all` means all of these
    #[arg(required = true, value_name = "FILE")]
    pub(super) scenarios: Vec<String>,
    /// A plugin library with custom policies
    #[arg(long = "plugin", value_name = "LIBRARY")]
    pub(super) plugins: Vec<PathBuf>,
    /// The seed of all random values; the first one, if there are several
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) runs: Runs,
    /// A policy to use instead of the scenario's, with its config as JSON if it has one:
    /// 'steer_peak_ewma={"decayTime":"5s"}'
    #[arg(long = "policy", value_name = "NAME[=CONFIG]")]
    pub(super) policies: Vec<String>,
    /// Run each with so many successive seeds
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(super) seeds: u64,
    /// End each scenario after so much virtual time, such as 60s; limits do not count then
    #[arg(long, value_name = "TIME", value_parser = time_above_zero)]
    pub(super) duration: Option<Duration>,
    /// Write a report to this HTML file
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write all numbers to this JSON file
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the tables to this Markdown file
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) runs: Runs,
    /// A policy to use instead of the scenario's, with its config as JSON if it has one. All limits
    /// of the scenario hold for it
    #[arg(long = "policy", value_name = "NAME[=CONFIG]")]
    pub(super) policies: Vec<String>,
    /// Run each with so many successive seeds; the limits must be kept with each of them
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(super) seeds: u64,
    /// Write a report to this HTML file
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    #[command(flatten)]
    pub(super) runs: Runs,
    /// The policy to compare with
    #[arg(long, value_name = "NAME[=CONFIG]")]
    pub(super) first: String,
    /// The policy that may be better or worse
    #[arg(long, value_name = "NAME[=CONFIG]")]
    pub(super) second: String,
    /// A plugin library to load before the runs of the first policy
    #[arg(long, value_name = "LIBRARY")]
    pub(super) first_plugin: Option<PathBuf>,
    /// A plugin library to load before the runs of the second policy: it may be another version of
    /// the first one
    #[arg(long, value_name = "LIBRARY")]
    pub(super) second_plugin: Option<PathBuf>,
    /// Run each with so many successive seeds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(super) seeds: u64,
    /// Write a report to this HTML file
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write all numbers to this JSON file
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

fn time_above_zero(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time > Duration::ZERO => Ok(time),
        _ => Err("expected a time above 0, such as 60s".to_owned()),
    }
}
