//! `steer_subset`: gives its child a part of the backends, so that a client does not connect to all
//! of a large fleet.
//!
//! Two ways to choose the part:
//!
//! - *Random* (gRFC A68): each client hashes all addresses with a seed of its own, and takes those
//!   with the lowest hashes. How many clients a server gets is left to chance.
//! - *Deterministic aperture* (Finagle): each client knows its number among all clients, and their
//!   parts cover the servers evenly.
//!
//! Sources: gRFC A68; Finagle's "Deterministic Aperture" (its `DeterministicApertureDistributor`).
//! Config: `subsetSize`, `clientIndex`, `clientCount`, `childPolicy`; see `config.rs`.
//! Cost per pick: none if the child is round robin; otherwise one call. Cost per update: a hash of
//! each address, and O(backends × log backends) to order them.
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config, and its limits |
//! | `random.rs` | the random part |
//! | `aperture.rs` | the part of the deterministic aperture |
//! | `policy.rs` | what the child gets |
//!
//! Must not depend on: what the child does, the C ABI.

mod aperture;
mod config;
mod policy;
mod random;

pub use self::policy::Subset;
