//! What came of a run: plain numbers, as reports show them and as JSON.
//!
//! Times are in seconds. The field names are those of the JSON files, which other programs read:
//! add fields, and do not rename them.
//!
//! Must not depend on: how a run was simulated, how it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One scenario with one policy and one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// What to look for.
    pub look_for: String,
    /// The policy's name.
    pub policy: String,
    /// The policy's config.
    pub config: serde_json::Value,
    /// The seed.
    pub seed: u64,
    /// How long the simulation lasted, in virtual time.
    pub duration: f64,
    /// Calls that began before this time are in `intervals` only.
    pub warm_up: f64,
    /// Calls that began after the warm-up.
    pub calls: u64,
    /// Of these, the calls that had not ended at the end.
    pub unfinished: u64,
    /// Of these, the calls by status, such as `OK`, `UNAVAILABLE`.
    pub statuses: BTreeMap<String, u64>,
    /// The share of these calls that failed, from 0 to 1. Calls that their callers cancelled count
    /// as neither.
    pub errors: f64,
    /// The attempts of these calls.
    pub attempts: u64,
    /// The latency of these calls, failed ones too.
    pub latency: Latency,
    /// Each server.
    pub servers: Vec<Server>,
    /// The simulation in equal intervals of time, warm-up included.
    pub intervals: Intervals,
    /// The mean number of calls that had begun and not ended.
    pub calls_in_system: f64,
    /// The share of the time in which a server had at least so many calls, over all servers: the
    /// first entry is for one call.
    pub calls_at_server: Vec<f64>,
    /// The log lines of the policies, each once, with how often it came.
    pub log: BTreeMap<String, u64>,
    /// The limits of the scenario that hold for the policy.
    pub limits: Vec<LimitOutcome>,
}

/// Quantiles of latency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
    /// Pairs of a quantile, from 0 to 1, and the latency that this share of calls does not exceed.
    /// Dense enough for a curve; has 0.5, 0.9, 0.95, 0.99 and 0.999.
    pub quantiles: Vec<(f64, f64)>,
}

impl Latency {
    /// The latency at this quantile, which must be one of the list. `None` without calls.
    pub fn at(&self, quantile: f64) -> Option<f64> {
        self.quantiles
            .iter()
            .find(|(q, _)| (q - quantile).abs() < 1e-9)
            .map(|(_, latency)| *latency)
    }
}

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// The name of its group.
    pub group: String,
    /// Its zone.
    pub zone: String,
    /// Attempts that were sent to it, after the warm-up.
    pub attempts: u64,
    /// Its share of all attempts, after the warm-up.
    pub share: f64,
    /// Of its attempts, those that it answered with another status than OK.
    pub failed: u64,
    /// The most calls in flight at once, after the warm-up.
    pub most_in_flight: u64,
    /// Calls in flight at the end.
    pub in_flight_at_end: u64,
    /// The most calls in its queue, after the warm-up.
    pub longest_queue: u64,
    /// The share of its places that were in use, after the warm-up.
    pub utilization: f64,
    /// The most connections at once.
    pub most_connections: u64,
}

/// The simulation over time. All lists have an entry for each interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// The width of an interval.
    pub width: f64,
    /// Calls that began.
    pub calls: Vec<u64>,
    /// Calls that ended with another status than OK, and were not cancelled by their caller.
    pub errors: Vec<u64>,
    /// The median latency of the calls that ended. 0 if none did.
    pub p50: Vec<f64>,
    /// The 99th percentile of their latency. 0 if none did.
    pub p99: Vec<f64>,
    /// Calls in flight at the end of the interval.
    pub in_flight: Vec<u64>,
    /// Connections at the end of the interval.
    pub connections: Vec<u64>,
    /// The groups of servers, in the order of the scenario. The lists in `attempts` have the same
    /// order.
    pub groups: Vec<String>,
    /// For each group, the attempts that were sent to it.
    pub attempts: Vec<Vec<u64>>,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Time,
    /// A share from 0 to 1, shown as a percentage.
    Share,
    /// A plain number, such as a ratio or a count.
    Number,
}

/// A limit, and whether it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitOutcome {
    /// The limit in words, such as `share of odd from 10s to 40s at most 1%`.
    pub words: String,
    /// What was measured, in the unit of the limit.
    pub measured: f64,
    /// The unit of both.
    pub unit: Unit,
    /// The limit itself.
    pub limit: f64,
    /// Whether the limit is kept.
    pub kept: bool,
    /// Why it is known not to be kept yet. Empty: it must be kept.
    pub not_yet: String,
    /// Where it stands in the scenario's file.
    pub line: usize,
}

impl LimitOutcome {
    /// Whether this is as the scenario says: kept, or not kept and known not to be.
    pub fn as_expected(&self) -> bool {
        self.kept == self.not_yet.is_empty()
    }
}
