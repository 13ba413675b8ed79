//! Scenarios that come with the simulator, by name.
//!
//! Their files are in `scenarios/`. Each says what happens, where its numbers come from, and what
//! to look for. `tests/ready.rs` reads all of them.
//!
//! Must not depend on: what the scenarios say, how they are simulated.

use std::path::Path;

use crate::file::{self, Faults};
use crate::scenario::Scenario;

/// A scenario that comes with the simulator.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// Its name.
    pub name: &'static str,
    /// The text of its file.
    pub text: &'static str,
}

impl Ready {
    /// Reads it. A fault is an error of the simulator, or of a policy that is not registered.
    pub fn read(&self) -> Result<Scenario, Faults> {
        file::parse(&format!("{}.toml", self.name), self.text, Path::new(""))
    }
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<Ready> {
    SCENARIOS.into_iter().find(|ready| ready.name == name)
}

macro_rules! ready {
    ($name:literal) => {
        Ready { name: $name, text: include_str!(concat!("../scenarios/", $name, ".toml")) }
    };
}

/// All of them, from simple ones to large ones.
pub const SCENARIOS: [Ready; 28] = [
    ready!("all_alike"),
    ready!("one_slow"),
    ready!("one_failing"),
    ready!("fails_at_once_each_code"),
    ready!("all_fail"),
    ready!("one_resets"),
    ready!("one_hung"),
    ready!("one_hung_deadlines"),
    ready!("callers_cancel"),
    ready!("watch_streams"),
    ready!("small_errors_one_slow"),
    ready!("half_twice_as_fast"),
    ready!("lagging_weights"),
    ready!("cold_pod"),
    ready!("new_backend_long_calls"),
    ready!("rolling_deploy"),
    ready!("slow_start"),
    ready!("retry_storm"),
    ready!("metastable"),
    ready!("hot_keys"),
    ready!("maglev_few_ready"),
    ready!("antagonists"),
    ready!("start_together"),
    ready!("zone_outage"),
    ready!("zone_spill"),
    ready!("priority_failover"),
    ready!("apertures"),
    ready!("thousand_by_thousand"),
];
