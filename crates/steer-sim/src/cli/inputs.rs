//! Scenarios, policies and plugins, as the user names them.
//!
//! Must not depend on: what is done with them.

use std::path::{Path, PathBuf};

use steer_sim::outcome::Outcome;
use steer_sim::scenario::{PolicyChoice, Scenario};
use steer_sim::{file, ready};

use super::Failure;

/// Reads the scenarios with these names or paths.
pub(super) fn scenarios(names: &[String]) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios = Vec::new();
    for name in names {
        if name == "all" {
            for ready in ready::SCENARIOS {
                scenarios.push(ready.read().map_err(|faults| faults.to_string())?);
            }
        } else if let Some(ready) = ready::find(name) {
            scenarios.push(ready.read().map_err(|faults| faults.to_string())?);
        } else if Path::new(name).exists() || name.ends_with(".toml") || name.contains('/') {
            scenarios.push(file::read(Path::new(name)).map_err(|faults| faults.to_string())?);
        } else {
            return Err(no_such_scenario(name));
        }
    }
    Ok(scenarios)
}

pub(super) fn no_such_scenario(name: &str) -> Failure {
    format!("there is no scenario {name:?}, and no such file. `steer-sim list` lists the scenarios")
}

/// The policies to run a scenario with: those that the user names, or else its own.
pub(super) fn policies_for(
    scenario: &Scenario,
    named: &[String],
) -> Result<Vec<PolicyChoice>, Failure> {
    if named.is_empty() {
        return Ok(scenario.policies.clone());
    }
    named.iter().map(|text| policy(text)).collect()
}

/// Reads `NAME` or `NAME=CONFIG`.
fn policy(text: &str) -> Result<PolicyChoice, Failure> {
    let (name, config) = text.split_once('=').unwrap_or((text, "{}"));
    let config = serde_json::from_str(config)
        .map_err(|error| format!("--policy {name}: the config {config:?} is not JSON: {error}"))?;
    Ok(PolicyChoice { name: name.to_owned(), config })
}

/// Loads plugins.
pub(super) fn load_plugins(paths: &[PathBuf]) -> Result<(), Failure> {
    for path in paths {
        // With a '/', so that the dynamic linker does not search its own folders.
        let path = std::path::absolute(path).map_err(|error| format!("{path:?}: {error}"))?;
        steer::ffi::load_plugin(&path.to_string_lossy())?;
    }
    Ok(())
}

/// Whether the limits are kept.
pub(super) struct LimitsVerdict {
    pub(super) text: String,
    pub(super) kept: bool,
}

/// Says for each limit whether it is kept.
pub(super) fn verdict(outcomes: &[Outcome]) -> LimitsVerdict {
    let mut text = String::new();
    let (mut all, mut bad) = (0, 0);
    for outcome in outcomes {
        for limit in &outcome.limits {
            let verdict = match (limit.kept, limit.not_yet.is_empty()) {
                (true, true) => "kept",
                (false, true) => "NOT KEPT",
                (false, false) => "not yet kept, as the scenario says",
                (true, false) => "KEPT, though the scenario says not yet: take its not_yet out",
            };
            all += 1;
            bad += usize::from(!limit.as_expected());
            let Outcome { scenario, policy, seed, .. } = outcome;
            text += &format!(
                "{scenario}:{} {policy} seed {seed}: {}: {} ({verdict})\n",
                limit.line,
                limit.words,
                limit.unit.format(limit.measured)
            );
        }
    }
    text += &format!("{all} limits, {bad} not as the scenarios say\n");
    LimitsVerdict { text, kept: bad == 0 }
}
