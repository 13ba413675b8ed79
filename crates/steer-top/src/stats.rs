//! The statistics as a process serves them: JSON, by the names of `docs/statistics.md`.
//!
//! What a later Steer adds is ignored; what a policy does not know is absent.
//!
//! Must not know: where they come from, how they are shown.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All of a process.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Stats {
    /// Steer's version.
    pub steer: String,
    /// Every channel that has a policy of Steer's.
    pub channels: Vec<Channel>,
}

/// A channel and its policy.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Channel {
    /// Its number, which no other channel of the process has or had.
    pub id: u64,
    /// As the application named it; may be empty.
    #[serde(default)]
    pub target: String,
    /// The policy's name.
    pub policy: String,
    /// What the policy has published.
    pub state: String,
    /// Why, in TRANSIENT_FAILURE.
    #[serde(default)]
    pub status: String,
    /// How often the policy broke.
    #[serde(default)]
    pub faults: u64,
    /// What is in the policy's place, if it broke.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// How many pickers it has published.
    #[serde(default)]
    pub pickers: u64,
    /// Its backends, as far as it tells.
    #[serde(default)]
    pub backends: Vec<Backend>,
}

/// What is in the place of a policy that broke.
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
    /// Its connectivity.
    pub state: String,
    /// Calls that were sent to it.
    pub picks: Option<u64>,
    /// Of these, those that have not ended.
    pub in_flight: Option<u64>,
    /// Of these, those that have ended, by status.
    pub finished: Option<BTreeMap<String, u64>>,
    /// How long those took.
    pub latency_seconds: Option<Latency>,
    /// Its weight.
    pub weight: Option<f64>,
    /// What the policy takes its latency for.
    pub ewma_seconds: Option<f64>,
    /// Its part of a ring or table.
    pub share: Option<f64>,
}

impl Backend {
    /// Calls that have ended with anything but OK.
    pub fn errors(&self) -> Option<u64> {
        let finished = self.finished.as_ref()?;
        Some(finished.iter().filter(|(code, _)| *code != "OK").map(|(_, count)| count).sum())
    }
}

/// Quantiles, in seconds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Latency {
    /// Half of the calls took at most this long.
    pub p50: f64,
    /// 99 of 100 did.
    pub p99: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_adds_is_ignored_and_what_is_absent_is_unknown() {
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
    fn every_status_but_ok_is_an_error() {
        let finished = [("OK", 8), ("UNAVAILABLE", 1), ("CANCELLED", 2)];
        let finished = finished.map(|(code, count)| (code.to_owned(), count));
        let backend = Backend { finished: Some(finished.into()), ..Backend::default() };
        assert_eq!(backend.errors(), Some(3));
    }
}
