//! `steer_weighted_round_robin`: uses the READY backends one after another, each as often as its
//! weight says. The config gives the weights, or load reports of the backends do. The resolver's
//! weights fill the gaps.
//!
//! Sources: gRFC A58, gRFC A114, and gRPC's `weighted_round_robin`. `load/reported_weight/` says
//! how a report becomes a weight, and `load/static_stride.rs` how weights become a schedule.
//! Config: see `config.rs`.
//! Cost per pick: one load and one store on a cache line of the thread, two multiplications for
//! each backend that is passed over, and a load for each level of a tree of the backends; with
//! reports per call, also the tracking of a call. No lock and no reference count: new weights make
//! a new picker, where gRPC replaces the scheduler inside a picker.
//! Cost per report: a schedule of up to 1,024 backends. With more, O(log backends), and a new
//! schedule after at most n/4 pickers: see `reuse.rs`. Cost per update and of new weights:
//! O(backends).
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config: where weights come from, and the periods |
//! | `factory.rs` | the picker factory: when reports are requested, and weights looked at |
//! | `weights.rs` | the weight of each backend, and the reports that come with calls |
//! | `schedule.rs` | the weights at one moment, and who is used how often by them |
//! | `reuse.rs` | how long a schedule of many backends serves when some come and go |
//! | `picker.rs` | the data plane |
//! | `stats.rs` | weights and shares, for the statistics |
//!
//! Must not depend on: how the host gets reports, the arithmetic of weights and schedules.

mod config;
mod factory;
mod picker;
mod reuse;
mod schedule;
mod stats;
mod weights;

pub use factory::WeightedRoundRobin;
