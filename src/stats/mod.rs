//! What can be seen of a running process: every policy, what it has published, its backends, and what is
//! known of their calls. `docs/statistics.md` says what each number is.
//!
//! | file | idea |
//! |---|---|
//! | `record.rs` | one policy, as its runner and its endpoints write it down |
//! | `live.rs` | the policies of this process, and whether calls are tracked for the statistics alone |
//! | `snapshot.rs` | all of it at one time: what policies tell of their backends when they are asked |
//! | `latency.rs` | how long calls took |
//! | `json.rs` | a snapshot as JSON |
//! | `prometheus.rs` | a snapshot as Prometheus scrapes it |
//!
//! Cost: nothing for a pick. A report or a published picker: one lock that nobody else holds for long,
//! and O(log endpoints). The rest is paid by whoever asks: O(backends), and what policies tell.
//!
//! Must not know: how a policy decides, the C ABI.

mod json;
mod latency;
mod live;
mod prometheus;
mod record;
mod snapshot;

pub use json::to_json;
pub use latency::{Latency, LatencyStats};
pub use live::{Registration, register, snapshot, track_calls, tracks_calls};
pub use prometheus::to_prometheus;
pub use record::{Clock, EndpointLease, Record};
pub use snapshot::{
    BackendStats, BackendStatsSource, ChannelStats, Fallback, Latest, Plugin, StatsSource, Table,
};
