//! The load of backends: what the engine learns about it from calls and load reports.
//! How policies use it to choose a backend is separate.
//!
//! | file | idea |
//! |---|---|
//! | `per_address.rs` | a policy's data about each address, as long as it is listed |
//! | `bounded.rs` | bounded loads: how many calls a backend may have, relative to the others |
//! | `peak_ewma/` | an estimate of latencies that rises quickly and falls slowly |
//! | `reported_weight/` | the weight by a backend's own load reports, and when it is usable |
//! | `static_stride.rs` | which backend is taken in which pass, by weight |
//!
//! Must not depend on: policies' configs, connections, the C ABI.

mod bounded;
mod peak_ewma;
mod per_address;
mod reported_weight;
mod static_stride;

pub use bounded::{Arrival, BackendCapacity, TotalInFlight};
pub use peak_ewma::{Cost, DecayRate, EwmaRule, Outcome, PeakEwma};
pub use per_address::PerAddress;
pub use reported_weight::{ReportedWeight, UtilizationMetric, WeightRule};
pub use static_stride::StaticStride;
