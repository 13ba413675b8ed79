//! The policies of the engine, and what several of them share. One file or folder each.
//!
//! | file | idea |
//! |---|---|
//! | `round_robin.rs` | `steer_round_robin` |
//! | `random.rs` | `steer_random` |
//! | `least_request.rs` | `steer_least_request` |
//! | `peak_ewma.rs` | `steer_peak_ewma` |
//! | `prequal/` | `steer_prequal` |
//! | `weighted_round_robin/` | `steer_weighted_round_robin` |
//! | `ring_hash/` | `steer_ring_hash`, which also decides about connections |
//! | `maglev.rs` | `steer_maglev` |
//! | `locality/` | `steer_locality`, which prefers the client's own zone |
//! | `priority/` | `steer_priority`, which uses the first group of backends that works |
//! | `slow_start/` | `steer_slow_start`, which spares backends that have just connected |
//! | `subset/` | `steer_subset`, which gives its child a part of the backends |
//! | `take_over/` | names of gRPC's policies that these policies take over |
//! | `request_hash.rs` | the hash of a call, for ring hash and maglev |
//! | `passed_over.rs` | the backends that a retry passes over, for the same two |
//! | `bounded_loads.rs` | passes over backends that have too many calls, for the same two |
//! | `candidate.rs` | a READY backend and the counters of its calls |
//! | `compared.rs` | the backends of a policy that compares a few of them, with their weights |
//! | `failure_codes.rs` | the statuses that count as failures of a backend |
//! | `given_weights.rs` | the weights of the config and of the resolver |
//! | `unique_backends.rs` | each backend once, however often it is listed |
//!
//! # Adding a policy
//!
//! `random.rs` is the smallest example. A policy that only chooses among READY backends:
//!
//! 1. Write `src/policies/<name>.rs`: a [`PickerFactory`](crate::policy::PickerFactory), which is
//!    also a [`BuiltIn`](crate::policy::BuiltIn) with a name and a config, and a
//!    [`Picker`](crate::policy::Picker). If it is longer than a screenful or two, make it a folder
//!    such as `weighted_round_robin/`. Begin with what the policy does, its source, its config, and
//!    its cost per pick, per report and per update.
//! 2. In this file, add the module, and `LeafFactory::<Name>::new()` to [`built_ins`]. The shim
//!    registers every name of the [`registry`] with gRPC.
//! 3. Test exact picks in `tests/<name>.rs` and shares in `tests/distributions.rs`. Add the name to
//!    the policies in `fuzz/src/lib.rs`.
//! 4. Write `docs/policies/steer_<name>.md`. `CONTRIBUTING.md` says which lists need another row.
//!
//! A policy that also decides about connections implements [`PolicyFactory`] and
//! [`Policy`](crate::policy::Policy) instead, as `ring_hash/`. The other steps are the same.
//!
//! Must not depend on: raw pointers, the C ABI, gRPC's classes.

mod bounded_loads;
mod candidate;
mod compared;
mod failure_codes;
mod given_weights;
mod least_request;
mod locality;
mod maglev;
mod passed_over;
mod peak_ewma;
mod prequal;
mod priority;
mod random;
mod request_hash;
mod ring_hash;
mod round_robin;
mod slow_start;
mod subset;
mod take_over;
mod unique_backends;
mod weighted_round_robin;

use std::sync::Arc;

pub use least_request::LeastRequest;
pub use locality::Locality;
pub use maglev::Maglev;
pub use peak_ewma::PeakEwmaPickers;
pub use prequal::Prequal;
pub use priority::Priority;
pub use random::Random;
pub use request_hash::RequestHash;
pub use ring_hash::RingHash;
pub use round_robin::RoundRobin;
pub use slow_start::SlowStart;
pub use subset::Subset;
pub use take_over::{SetBy, Setting, TakeOvers, parse_list, take_overs};
pub use weighted_round_robin::WeightedRoundRobin;

use crate::policy::{LeafFactory, ParentFactory, PolicyFactory, Registry};
use crate::sync::Lazy;

/// The factories of the engine's policies.
pub fn built_ins() -> Vec<Arc<dyn PolicyFactory>> {
    vec![
        Arc::new(LeafFactory::<LeastRequest>::new()),
        Arc::new(ParentFactory::<Locality>::new(fallback())),
        Arc::new(LeafFactory::<Maglev>::new()),
        Arc::new(RingHash),
        Arc::new(LeafFactory::<PeakEwmaPickers>::new()),
        Arc::new(LeafFactory::<Prequal>::new()),
        Arc::new(ParentFactory::<Priority>::new(fallback())),
        Arc::new(LeafFactory::<Random>::new()),
        fallback(),
        Arc::new(ParentFactory::<SlowStart>::new(fallback())),
        Arc::new(ParentFactory::<Subset>::new(fallback())),
        Arc::new(LeafFactory::<WeightedRoundRobin>::new()),
    ]
}

/// The registry of this process. Hosts find policies in it by name.
pub fn registry() -> &'static Registry {
    static REGISTRY: Lazy<Registry> = Lazy::new(|| Registry::with_built_ins(built_ins()));
    &REGISTRY
}

/// The factory of the policy that replaces one that failed: `steer_round_robin`, which has no
/// config.
pub fn fallback() -> Arc<dyn PolicyFactory> {
    Arc::new(LeafFactory::<RoundRobin>::new())
}
