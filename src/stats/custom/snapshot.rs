//! The custom metrics of a snapshot.
//!
//! Must not depend on: who asks, the formats of a snapshot.

use serde::{Serialize, Serializer};

use super::metric::MetricKind;

/// A custom metric with its series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomMetricStats {
    /// Its name.
    pub name: String,
    /// Its kind.
    #[serde(serialize_with = "write_kind")]
    pub kind: MetricKind,
    /// What it measures, for people.
    pub help: String,
    /// Its series, ordered by the values of their labels.
    pub series: Vec<CustomSeriesStats>,
}

/// A series of a custom metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomSeriesStats {
    /// The names of its labels with their values.
    #[serde(serialize_with = "write_labels")]
    pub labels: Vec<(String, String)>,
    /// Its value.
    #[serde(flatten)]
    pub value: CustomValue,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CustomValue {
    /// A counter's.
    Count {
        /// The count.
        value: u64,
    },
    /// A gauge's.
    Number {
        /// The number. JSON has `null` for infinite numbers and NaN.
        value: f64,
    },
    /// A histogram's.
    Histogram {
        /// How many values were recorded.
        count: u64,
        /// Their sum.
        sum: f64,
        /// Each bound, with the number of values that are at most as great.
        cumulative: Vec<(f64, u64)>,
    },
}

fn write_kind<S: Serializer>(kind: &MetricKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.name())
}

fn write_labels<S: Serializer>(labels: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(labels.iter().map(|(name, value)| (name, value)))
}
