//! The load of backends: what the engine learns about it from calls and load reports.
//! How policies use it to choose a backend is separate.
//!
//! | file | idea |
//! |---|---|
//! | `per_address.rs` | a policy's data about each address, as long as it is listed |
//! | `request_cost.rs` | what a call costs by the number of calls alone |
//! | `success_rate.rs` | the share of a backend's calls that did not fail |
//! | `charged_calls.rs` | calls that a backend is charged with although it does not have them |
//! | `decay.rs` | exponential decay |
//! | `bounded.rs` | bounded loads: how many calls a backend may have, relative to the others |
//! | `peak_ewma/` | an estimate of latencies that rises quickly and falls slowly |
//! | `reported_load/` | the requests in flight and the latency that a backend reports |
//! | `reported_weight/` | the weight by a backend's own load reports, and when it is usable |
//! | `combined_weights.rs` | reported weights, completed with those that the resolver gives |
//! | `static_stride.rs` | which backend is taken in which pass, by weight |
//!
//! Must not depend on: policies' configs, connections, the C ABI.

mod bounded;
mod charged_calls;
mod combined_weights;
mod decay;
mod peak_ewma;
mod per_address;
mod reported_load;
mod reported_weight;
mod request_cost;
mod static_stride;
mod success_rate;

pub use bounded::{Arrival, BackendCapacity, TotalInFlight};
pub use charged_calls::ChargedCalls;
pub use combined_weights::combine;
pub use peak_ewma::{EwmaRule, PeakEwma};
pub use per_address::PerAddress;
pub use reported_load::{KnownLoad, MOST_PROBES, Report, ReportRule, ReportedLoad};
pub use reported_weight::{ReportedWeight, UtilizationMetric, WeightRule};
pub use request_cost::{FailureRule, RequestCost};
pub use static_stride::StaticStride;
pub use success_rate::{FailureCodes, SuccessRate};
