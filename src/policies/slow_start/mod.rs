//! `steer_slow_start`: a backend that has just connected gets few calls at first, and its full
//! share at the end of a window. So a server with cold caches, or a virtual machine that still
//! compiles, is not flooded.
//!
//! A backend's factor grows from `minWeightPercent` to 1: (time ÷ window)^(1 ÷ aggression). Two
//! ways to apply it:
//!
//! - *Weights*, if the child uses those of the resolver (least request, peak EWMA): each backend's
//!   weight is multiplied by its factor, 20 times in a window.
//! - *Thinning* otherwise: when the child's picker chooses a backend that is starting, the choice
//!   stands with the probability of the factor. Otherwise the picker is asked again, at most twice.
//!   A picker that chooses by the call's hash gives the same answer again, so this policy does
//!   nothing for it.
//!
//! Factors are relative: backends that start together share the calls as always.
//!
//! Sources: Envoy's "Slow start mode", for the formula; gRFC A100 for the fields' names, as far as
//! it is settled.
//! Config: `slowStartWindow`, `aggression`, `minWeightPercent`, `childPolicy`; see `config.rs`.
//! Cost per pick: none while no backend is starting and the child is round robin; otherwise one
//! call. While some are starting and the child has no weights: a comparison with each of them, and
//! 64 random bits if one of them is chosen. Cost of a tick with weights: as an update.
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config, its limits, and the formula |
//! | `starting.rs` | the backends that are starting |
//! | `thinning.rs` | the picker that asks again |
//! | `policy.rs` | what the child gets, and when |
//!
//! Must not depend on: what the child does, the C ABI.

mod config;
mod policy;
mod starting;
mod thinning;

pub use self::policy::SlowStart;
