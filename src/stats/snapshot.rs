//! The contents of a snapshot: channels and their backends at one time.
//!
//! Must not depend on: who asks, the formats of a snapshot.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::custom::CustomMetricStats;
use super::latency::LatencyStats;
use crate::endpoints::{Connectivity, Locality};
use crate::{Code, Status};

/// The plugin that a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plugin {
    /// The name that it gives itself.
    pub name: String,
    /// The version that it gives itself.
    pub version: String,
    /// The path that the file was loaded with. `None` if the plugin is linked with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin {:?} {}", self.name, self.version)?;
        self.path.as_ref().map_or(Ok(()), |path| write!(f, " from {path}"))
    }
}

/// The fallback that replaces a policy that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fallback {
    /// When it replaced the policy.
    #[serde(rename = "since_unix_seconds", serialize_with = "write_moment")]
    pub since: SystemTime,
    /// What failed, and how.
    pub reason: String,
    /// The fallback's name.
    pub mode: &'static str,
}

impl Fallback {
    /// When it replaced the policy, in seconds since 1970.
    pub fn since_unix_seconds(&self) -> f64 {
        self.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }
}

/// A name of one of gRPC's policies that another policy has taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenName {
    /// The name.
    pub name: String,
    /// The policy that runs in place of gRPC's.
    pub policy: String,
}

/// A channel with a policy of the engine, or a child of such a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelStats {
    /// The number of the policy. Never used twice in a process.
    pub id: u64,
    /// The number of the channel, which is that of its first policy. `None`: it is a child.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_channel: Option<u64>,
    /// The channel's target. Empty if the host does not say.
    pub target: String,
    /// The xDS cluster. Empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// The locality of all its backends. `None`: it is not known, or not the same for all.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_locality")]
    pub locality: Option<Locality>,
    /// The name that the policy's parent gave it. `None`: it is a channel's policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child: Option<String>,
    /// The policy's name.
    pub policy: String,
    /// The name of one of gRPC's policies that the policy took over, if the channel named that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_name: Option<String>,
    /// The plugin that the policy comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Plugin>,
    /// Whether the policy failed and a fallback replaces it.
    pub fallen_back: bool,
    /// The fallback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// The state that was published last.
    #[serde(serialize_with = "write_state")]
    pub state: Connectivity,
    /// The reason of a TRANSIENT_FAILURE.
    #[serde(serialize_with = "write_status")]
    pub status: Status,
    /// The number of faults.
    pub faults: u64,
    /// The number of pickers that were published.
    pub pickers: u64,
    /// Whether calls are tracked.
    pub calls_tracked: bool,
    /// The backends. A policy with children knows of each what the children know.
    pub backends: Vec<BackendStats>,
    /// The metrics that a custom policy or its pickers have made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_metrics: Vec<CustomMetricStats>,
    /// The policy's children, in the order in which they were made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ChannelStats>,
}

/// A backend. A field is `None` if the policy does not know the value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackendStats {
    /// Its addresses.
    pub addresses: Vec<String>,
    /// The state that it reported last.
    #[serde(serialize_with = "write_state")]
    pub state: Connectivity,
    /// Calls that were sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picks: Option<u64>,
    /// Calls that have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u64>,
    /// Calls that ended without a status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<u64>,
    /// Calls that ended with a status, by its code. Codes without calls are left out.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_finished")]
    pub finished: Option<Vec<(Code, u64)>>,
    /// The latencies of these calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_seconds: Option<LatencyStats>,
    /// Its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The policy's estimate of its latency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ewma_seconds: Option<f64>,
    /// The requests in flight that it reports, with this client's calls since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_rif: Option<f64>,
    /// The latency that it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_latency_seconds: Option<f64>,
    /// Its share of a ring or table, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl BackendStats {
    pub(crate) fn new(addresses: &[String], state: Connectivity) -> BackendStats {
        BackendStats {
            addresses: addresses.to_vec(),
            state,
            picks: None,
            in_flight: None,
            abandoned: None,
            finished: None,
            latency_seconds: None,
            weight: None,
            ewma_seconds: None,
            reported_rif: None,
            reported_latency_seconds: None,
            share: None,
        }
    }
}

impl BackendStats {
    /// Adds what another policy knows of the same backend. Keeps what is known here.
    pub(super) fn complete_with(&mut self, other: &BackendStats) {
        fn complete<T: Clone>(known: &mut Option<T>, other: &Option<T>) {
            if known.is_none() {
                known.clone_from(other);
            }
        }
        complete(&mut self.picks, &other.picks);
        complete(&mut self.in_flight, &other.in_flight);
        complete(&mut self.abandoned, &other.abandoned);
        complete(&mut self.finished, &other.finished);
        complete(&mut self.latency_seconds, &other.latency_seconds);
        complete(&mut self.weight, &other.weight);
        complete(&mut self.ewma_seconds, &other.ewma_seconds);
        complete(&mut self.reported_rif, &other.reported_rif);
        complete(&mut self.reported_latency_seconds, &other.reported_latency_seconds);
        complete(&mut self.share, &other.share);
    }
}

/// The parts of a locality that are known, by their names.
pub(super) fn parts_of(locality: &Locality) -> impl Iterator<Item = (&'static str, &str)> {
    let Locality { region, zone, sub_zone } = locality;
    let parts = [("region", &**region), ("zone", &**zone), ("sub_zone", &**sub_zone)];
    parts.into_iter().filter(|(_, value)| !value.is_empty())
}

fn write_locality<S: Serializer>(locality: &Option<Locality>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(locality.iter().flat_map(parts_of))
}

fn write_state<S: Serializer>(state: &Connectivity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.name())
}

fn write_moment<S: Serializer>(moment: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}

fn write_status<S: Serializer>(status: &Status, to: S) -> Result<S::Ok, S::Error> {
    match status.is_ok() {
        true => to.serialize_str(""),
        false => to.collect_str(status),
    }
}

fn write_finished<S: Serializer>(
    finished: &Option<Vec<(Code, u64)>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let finished = finished.iter().flatten();
    to.collect_map(finished.map(|(code, count)| (code.name(), *count)))
}
