//! Custom metrics: what a counter, gauge or histogram is, without its values.
//!
//! Must not depend on: the ABI.

use std::fmt;

/// A counter, a gauge or a histogram that the statistics show: in the JSON, in the text for
/// Prometheus (as `steer_custom_<name>`) and in `steer-top`.
///
/// Each combination of its labels' values is a series.
/// [`Channel::counter`](crate::Channel::counter) and its like make series of a policy of a channel,
/// and [`Registrar::counter`](crate::Registrar::counter) those of a plugin. A series lives as long
/// as a handle of it, and its value is forgotten with the last one: keep handles in the state of a
/// channel or backend, and use clones in pickers.
///
/// ```
/// use steer_sdk::{
///     Backend, Backends, Channel, Counter, Helper, Metric, NoConfig, Pick, Picker,
///     StatefulPickerFactory, Status, Wants, picker,
/// };
///
/// /// Sends calls of known tenants to the first backend, and counts the others.
/// struct KnownTenants;
///
/// impl StatefulPickerFactory for KnownTenants {
///     const NAME: &'static str = "known_tenants";
///     type Config = NoConfig;
///     type ChannelState = Option<Counter>;
///     type BackendState = ();
///
///     fn new_channel(&self, channel: &Channel) -> Option<Counter> {
///         let rejected = Metric::new("rejected").help("Calls of unknown tenants").label("why");
///         channel.counter(&rejected, &["no tenant"]).ok()
///     }
///
///     fn new_backend(&self, _state: &mut Option<Counter>, _backend: &Backend) {}
///
///     fn build(
///         &self,
///         _config: &NoConfig,
///         backends: Backends,
///         rejected: &mut Option<Counter>,
///         _helper: &Helper<'_>,
///     ) -> impl Picker {
///         let rejected = rejected.clone();
///         picker(move |call| match call.header("tenant") {
///             Some(_) => Pick::complete(&backends[0]),
///             None => {
///                 if let Some(rejected) = &rejected {
///                     rejected.add(1);
///                 }
///                 Pick::fail(Status::unavailable("no tenant"))
///             }
///         })
///         .wants(Wants::nothing().header("tenant"))
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) labels: Vec<String>,
    pub(crate) bounds: Vec<f64>,
    pub(crate) most_series: u32,
}

impl Metric {
    /// Makes a metric with this name: lower-case letters, digits and `_`, beginning with a letter.
    /// Name the unit (`wait_seconds`).
    pub fn new(name: impl Into<String>) -> Metric {
        let (help, labels, bounds) = (String::new(), Vec::new(), Vec::new());
        Metric { name: name.into(), help, labels, bounds, most_series: 0 }
    }

    /// Says what it measures, in one line for people.
    pub fn help(mut self, help: impl Into<String>) -> Metric {
        self.help = help.into();
        self
    }

    /// Adds a label, named as metrics are. A metric has at most 8 labels.
    pub fn label(mut self, name: impl Into<String>) -> Metric {
        self.labels.push(name.into());
        self
    }

    /// Sets the greatest value of each bucket of a histogram, rising: at most 64. Without them, a
    /// histogram has those for seconds, from 0.005 to 10.
    pub fn bounds(mut self, bounds: impl IntoIterator<Item = f64>) -> Metric {
        self.bounds = bounds.into_iter().collect();
        self
    }

    /// Sets the most series at one time: 100 if not set, and at most 10,000.
    pub fn most_series(mut self, most_series: u32) -> Metric {
        self.most_series = most_series;
        self
    }
}

/// Why a series was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricError {
    text: String,
    too_many: bool,
}

impl MetricError {
    pub(crate) fn new(text: String, too_many: bool) -> MetricError {
        MetricError { text, too_many }
    }

    /// Returns whether a limit is reached, such as [`Metric::most_series`]. Otherwise the metric or
    /// the values of its labels are not as documented.
    pub fn is_limit(&self) -> bool {
        self.too_many
    }
}

impl fmt::Display for MetricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for MetricError {}

impl From<MetricError> for crate::Error {
    fn from(error: MetricError) -> crate::Error {
        crate::Error::new(error.text)
    }
}
