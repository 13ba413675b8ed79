//! `steer_prequal`: chooses by the requests in flight (RIF) and the latency that servers report. Of
//! a random pool of backends, those whose RIF is high among the others' are *hot*. Of the cold
//! ones the quickest is chosen. If all are hot, the one with the fewest requests.
//!
//! Source: Wydrowski et al., "Load is not what you should balance: Introducing Prequal" (NSDI
//! 2024).
//!
//! In the paper, a client probes some random servers at each query, and keeps the newest 16 answers
//! in a pool. A gRPC policy cannot send probes. Load reports take their place: those that come with
//! calls, and those that come out of band. So each backend's latest report is kept with the backend
//! (`load/reported_load/`), in atomics, and a pick draws its pool: up to 16 random backends, of
//! which it uses the newest reports that count. Such a pool is random, as one that is filled by
//! random probes, and needs no lock: what all threads share is written at reports, not at picks.
//! The parts of the paper:
//!
//! | the paper | here |
//! |---|---|
//! | the 16 newest answers | the newest of 16 random backends, up to a sixth of all: `reuse.rs` |
//! | a quantile of the recent answers makes servers hot | a quantile of the pool: `pool.rs` |
//! | a probe's answer expires after 1 s | `reportExpirationPeriod` |
//! | it is used b times, then dropped | the same b, by the measured number of reports per pick |
//! | each query drops the oldest or the worst answer | at the same rate relative to reports |
//! | the RIF of a used answer is raised by 1 | the RIF is corrected by this client's calls since |
//! | a random server if fewer than 2 answers are there | the least of this client's own calls |
//! | probes find servers that nothing is known of | a call tries one out, rarely: see `pool.rs` |
//! | servers that shed load are avoided | success rates, as in the other policies |
//!
//! Config: see `config.rs`.
//! Cost per pick: a reading of the clock; for each backend of the pool, 64 random bits, nine loads,
//! and a load for each level of a tree of the backends; two atomic additions on cache lines of the
//! chosen backend. Cost of a call's end: see `load/reported_load/`. Cost per report of
//! connectivity: O(log backends). Cost per update: O(backends).
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config |
//! | `factory.rs` | the picker factory: requests reports, and makes pickers |
//! | `picker.rs` | the data plane |
//! | `pool.rs` | the pool of a pick, and what is chosen of it |
//! | `reuse.rs` | how often a report is used, and when one is removed |
//!
//! Must not depend on: how the host gets reports, how a server measures its load.

mod config;
mod factory;
mod picker;
mod pool;
mod reuse;

pub use factory::Prequal;
