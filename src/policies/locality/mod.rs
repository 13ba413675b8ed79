//! `steer_locality`: calls stay in the client's own zone as long as that can serve them. Each zone
//! is a child.
//!
//! - *Own zone first*: the own zone gets all calls while enough of its backends work. With the
//!   usual factor of 1.4 that is 72 % of them. Below that, a part of the calls goes to the other
//!   zones: a zone with half of what it needs keeps half of the calls.
//! - *Weights*: with `weights`, each zone has its share of the calls, whichever zone the client is
//!   in. A zone whose backends fail gives a part of its share to the others.
//! - *Panic*: if fewer than `panicThreshold` of all backends work, the own zone has no preference.
//!   Otherwise the few that work in it would get everything.
//!
//! Sources: Envoy's documentation of "priority levels", "locality weighted load balancing" and
//! "panic threshold", whose formulas these are; gRPC's `weighted_target`, for the states.
//! Config: `zone`, `attribute`, `weights`, `overprovisioningFactor`, `panicThreshold`,
//! `childPolicy`; see `config.rs`.
//! Cost per pick: none if all calls go to one zone whose child is round robin; otherwise 64 random
//! bits, a search among the zones, and one call. Cost per report: O(zones). Cost per update:
//! O(backends).
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config, and its limits |
//! | `shares.rs` | the share of each zone: arithmetic alone |
//! | `picker.rs` | the choice of a zone |
//! | `policy.rs` | the zones, and what they publish |
//!
//! Must not depend on: what a child does, the C ABI.

mod config;
mod picker;
mod policy;
mod shares;

pub use self::policy::Locality;
