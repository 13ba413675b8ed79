//! What "load" means: what is learnt of backends from their calls and their reports, apart from how it is
//! used to choose among them.
//!
//! | file | idea |
//! |---|---|
//! | `per_address.rs` | what is remembered of each address, as long as it is listed |
//! | `bounded.rs` | room for calls: how many a backend may have, next to the others |
//! | `peak_ewma.rs` | how long a backend's calls take, quick to rise and slow to fall |
//! | `reported_weight.rs` | the weight that a backend's own reports give it, and when it is of use |
//! | `static_stride.rs` | taking turns by weight |
//!
//! Must not know: policies' configs, connections, the C ABI.

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
