//! Counts the calls of policies that do not track them, for the statistics.
//!
//! A picker that does not track calls is wrapped in one that does, if the statistics are to count
//! calls (`STEER_STATS`). A policy whose pickers count calls anyway is left alone.
//!
//! | file | idea |
//! |---|---|
//! | `counting.rs` | the counters of one policy, and when they are used |
//! | `by_connection.rs` | finds a backend by its connection |
//! | `picker.rs` | the picker around a policy's own |
//! | `stats.rs` | what the statistics get |
//!
//! Cost: nothing when off. When on: a look-up in a hash table and the tracking of the call for each
//! pick, and O(log backends) for each report.
//!
//! Must not depend on: how the picker inside chooses.

mod by_connection;
mod counting;
mod picker;
mod stats;

pub(crate) use counting::CallCounting;
