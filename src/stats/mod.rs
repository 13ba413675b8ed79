//! The statistics of a running process: every policy, the state that it published, its backends,
//! and their calls. `docs/statistics.md` explains each number.
//!
//! | file | idea |
//! |---|---|
//! | `record.rs` | one policy, as its runner and its endpoints record it |
//! | `live.rs` | the policies of this process, and whether calls are tracked for statistics only |
//! | `source.rs` | the objects that describe the backends of a policy |
//! | `table.rs` | the table that these objects fill |
//! | `snapshot.rs` | the contents of a snapshot |
//! | `latency.rs` | how long calls took |
//! | `custom/` | the metrics of custom pickers and policies |
//! | `buckets.rs` | the buckets of a histogram for Prometheus |
//! | `json.rs` | a snapshot as JSON |
//! | `prometheus.rs` | a snapshot as Prometheus scrapes it |
//!
//! Cost: nothing for a pick. A report or a published picker takes one lock, which is held briefly,
//! and O(log endpoints). A snapshot costs O(backends) and the descriptions of the policies, on the
//! thread that asks.
//!
//! Must not depend on: how a policy decides, the C ABI.

mod buckets;
mod custom;
mod json;
mod latency;
mod live;
mod prometheus;
mod record;
mod snapshot;
mod source;
mod table;

pub use custom::{
    CustomMetric, CustomMetricStats, CustomMetrics, CustomSeriesStats, CustomValue, MetricError,
    MetricKind, PluginMetrics, Series, custom_metrics_of_plugin, plugin_metrics,
};
pub use json::to_json;
pub use latency::{Latency, LatencyStats};
pub use live::{Registration, register, register_child, snapshot, track_calls, tracks_calls};
pub use prometheus::to_prometheus;
pub use record::{Clock, EndpointLease, Record};
pub use snapshot::{BackendStats, ChannelStats, Fallback, Plugin, TakenName};
pub use source::{BackendStatsSource, Latest, StatsSource};
pub use table::Table;
