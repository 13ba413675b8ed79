//! Custom metrics: counters, gauges and histograms that custom pickers and policies show in the
//! statistics.
//!
//! | file | idea |
//! |---|---|
//! | `metric.rs` | what a custom metric is, and the limits of its names and labels |
//! | `values.rs` | the values, which threads write without a lock |
//! | `registry.rs` | the metrics of one policy or plugin, by name and labels |
//! | `plugins.rs` | the metrics of the plugins of this process |
//! | `snapshot.rs` | the contents of a snapshot |
//! | `prometheus.rs` | a snapshot as Prometheus scrapes it |
//!
//! Cost: an update is an atomic addition on a cache line of few threads. To make a series takes a
//! lock and O(log series). A snapshot costs O(series).
//!
//! Must not depend on: who writes the values, policies, the C ABI.

mod metric;
mod plugins;
mod prometheus;
mod registry;
mod snapshot;
mod values;

pub use metric::{CustomMetric, MetricError, MetricKind};
pub use plugins::{PluginMetrics, custom_metrics_of_plugin, plugin_metrics};
pub(super) use prometheus::CustomExposition;
pub use registry::{CustomMetrics, Series};
pub use snapshot::{CustomMetricStats, CustomSeriesStats, CustomValue};
