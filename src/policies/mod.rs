//! The policies of the engine, one file or folder each, and what several of them share.
//!
//! | file | idea |
//! |---|---|
//! | `round_robin.rs` | `steer_round_robin` |
//! | `random.rs` | `steer_random` |
//! | `least_request.rs` | `steer_least_request` |
//! | `peak_ewma.rs` | `steer_peak_ewma` |
//! | `weighted_round_robin/` | `steer_weighted_round_robin` |
//! | `ring_hash/` | `steer_ring_hash`, which decides about connections too |
//! | `maglev.rs` | `steer_maglev` |
//! | `request_hash.rs` | the hash of a call, for the two above |
//! | `bounded_loads.rs` | passing over backends that have too many calls, for the same two |
//! | `candidate.rs` | a READY backend and the counters of its calls |
//! | `unique_backends.rs` | each backend once, however often it is listed |
//!
//! To add a policy that only chooses among READY backends: write a
//! [`PickerFactory`](crate::policy::PickerFactory) in a file of its own, wrap it in a
//! [`LeafFactory`], and add that to [`built_ins`]. To decide about connections too, implement
//! [`PolicyFactory`] and [`Policy`](crate::policy::Policy).
//!
//! Must not depend on: raw pointers, the C ABI, gRPC's classes.

mod bounded_loads;
mod candidate;
mod least_request;
mod maglev;
mod peak_ewma;
mod random;
mod request_hash;
mod ring_hash;
mod round_robin;
mod unique_backends;
mod weighted_round_robin;

use std::sync::Arc;

pub use least_request::LeastRequest;
pub use maglev::Maglev;
pub use peak_ewma::PeakEwmaPickers;
pub use random::Random;
pub use request_hash::RequestHash;
pub use ring_hash::RingHash;
pub use round_robin::RoundRobin;
pub use weighted_round_robin::WeightedRoundRobin;

use crate::policy::{LeafFactory, PolicyFactory, Registry};
use crate::sync::Lazy;

/// The factories of the engine's policies.
pub fn built_ins() -> Vec<Arc<dyn PolicyFactory>> {
    vec![
        Arc::new(LeafFactory::<LeastRequest>::new()),
        Arc::new(LeafFactory::<Maglev>::new()),
        Arc::new(RingHash),
        Arc::new(LeafFactory::<PeakEwmaPickers>::new()),
        Arc::new(LeafFactory::<Random>::new()),
        fallback(),
        Arc::new(LeafFactory::<WeightedRoundRobin>::new()),
    ]
}

/// The registry of this process, which hosts choose policies from.
pub fn registry() -> &'static Registry {
    static REGISTRY: Lazy<Registry> = Lazy::new(|| Registry::with_built_ins(built_ins()));
    &REGISTRY
}

/// The policy that replaces one that failed: `steer_round_robin`, which has no config.
pub fn fallback() -> Arc<dyn PolicyFactory> {
    Arc::new(LeafFactory::<RoundRobin>::new())
}
