//! The statistics as a process serves them: JSON, with the names of `docs/statistics.md`.
//!
//! Fields that a newer Steer adds are ignored. Fields that a policy does not know are absent.
//!
//! Must not depend on: where statistics come from, how they are shown.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The statistics of a process.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Stats {
    /// Steer's version.
    pub steer: String,
    /// Every channel that uses a policy of Steer.
    pub channels: Vec<Channel>,
    /// The plugins that have metrics of their own.
    #[serde(default)]
    pub plugins: Vec<Plugin>,
}

/// A plugin with metrics that belong to none of its channels.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Plugin {
    /// Its name.
    pub name: String,
    /// Its metrics.
    pub custom_metrics: Vec<CustomMetric>,
}

/// A channel and its policy.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Channel {
    /// Its number, unique in the process.
    pub id: u64,
    /// The number of the gRPC channel, which may have several policies.
    #[serde(default)]
    pub grpc_channel: Option<u64>,
    /// The target that the application named; may be empty.
    #[serde(default)]
    pub target: String,
    /// The xDS cluster; may be empty.
    #[serde(default)]
    pub cluster: String,
    /// The locality of all its backends, if they have the same one.
    #[serde(default)]
    pub locality: Locality,
    /// The policy's name.
    pub policy: String,
    /// The state that the policy has published.
    pub state: String,
    /// The status that calls fail with, in TRANSIENT_FAILURE.
    #[serde(default)]
    pub status: String,
    /// The number of faults of the policy.
    #[serde(default)]
    pub faults: u64,
    /// The fallback, if the policy failed.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// The number of pickers that the policy has published.
    #[serde(default)]
    pub pickers: u64,
    /// Its backends.
    #[serde(default)]
    pub backends: Vec<Backend>,
    /// The name that a parent gave the policy.
    #[serde(default)]
    pub child: Option<String>,
    /// The metrics of a custom policy.
    #[serde(default)]
    pub custom_metrics: Vec<CustomMetric>,
    /// The children of the policy.
    #[serde(default)]
    pub children: Vec<Channel>,
}

impl Channel {
    /// Returns the faults of the policy and its children.
    pub fn all_faults(&self) -> u64 {
        self.faults + self.children.iter().map(Channel::all_faults).sum::<u64>()
    }

    /// Returns whether calls can reach a backend, but are not counted for any.
    pub fn lacks_calls(&self) -> bool {
        self.backends.iter().any(|backend| backend.state == "READY")
            && self.backends.iter().all(|backend| backend.picks.is_none())
    }
}

/// Where backends are, in the terms of xDS. Parts that are not known are empty.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Locality {
    /// The region.
    pub region: String,
    /// The zone.
    pub zone: String,
    /// The part of the zone.
    pub sub_zone: String,
}

impl Locality {
    /// Returns the known parts, the largest first, separated by `/`.
    pub fn text(&self) -> String {
        let parts = [&*self.region, &*self.zone, &*self.sub_zone];
        let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        known.join("/")
    }
}

/// A counter, a gauge or a histogram of a custom policy.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct CustomMetric {
    /// Its name.
    pub name: String,
    /// One for each combination of the values of its labels.
    pub series: Vec<Series>,
}

/// A series of a custom metric.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Series {
    /// The values of its labels, by their names.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    #[serde(flatten)]
    pub value: Value,
}

/// The value of a series.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Value {
    /// Of a histogram.
    Histogram {
        /// How many values were recorded.
        count: u64,
        /// Their sum.
        sum: Option<f64>,
    },
    /// Of a counter.
    Count {
        /// The count.
        value: u64,
    },
    /// Of a gauge.
    Number {
        /// The number, unless JSON has no notation for it.
        value: Option<f64>,
    },
}

/// What replaced a policy that failed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Fallback {
    /// `round_robin` or `fail`.
    pub mode: String,
}

/// A backend of a channel.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Backend {
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Its connectivity state.
    pub state: String,
    /// The number of calls that were sent to it.
    pub picks: Option<u64>,
    /// The number of these calls that have not ended.
    pub in_flight: Option<u64>,
    /// The number of these calls that have ended, by status code.
    pub finished: Option<BTreeMap<String, u64>>,
    /// The latency of the calls that have ended.
    pub latency_seconds: Option<Latency>,
    /// Its weight.
    pub weight: Option<f64>,
    /// The latency estimate of `steer_peak_ewma`.
    pub ewma_seconds: Option<f64>,
    /// Its share of a ring or table.
    pub share: Option<f64>,
}

impl Backend {
    /// Returns the number of calls that have ended with a status other than OK.
    pub fn errors(&self) -> Option<u64> {
        let finished = self.finished.as_ref()?;
        Some(finished.iter().filter(|(code, _)| *code != "OK").map(|(_, count)| count).sum())
    }
}

/// Quantiles of the latency, in seconds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Latency {
    /// 50 % of the calls took at most this long.
    pub p50: f64,
    /// 99 % of the calls took at most this long.
    pub p99: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_fields_are_ignored_and_absent_fields_are_unknown() {
        let stats: Stats = serde_json::from_str(
            r#"{"steer":"9.0.0","new":1,"channels":[{"id":1,"policy":"p","state":"IDLE","new":[],
                "backends":[{"addresses":["a"],"state":"READY","new":{}}]}]}"#,
        )
        .unwrap();
        let channel = &stats.channels[0];
        assert_eq!((channel.target.as_str(), channel.faults), ("", 0));
        let backend = &channel.backends[0];
        assert_eq!((backend.picks, backend.errors(), backend.weight), (None, None, None));
    }

    #[test]
    fn every_status_other_than_ok_is_an_error() {
        let finished = [("OK", 8), ("UNAVAILABLE", 1), ("CANCELLED", 2)];
        let finished = finished.map(|(code, count)| (code.to_owned(), count));
        let backend = Backend { finished: Some(finished.into()), ..Backend::default() };
        assert_eq!(backend.errors(), Some(3));
    }
}
