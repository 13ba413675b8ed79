//! `steer_priority`: groups of backends in an order of preference. Each group is a child. Calls go
//! to the first group that works.
//!
//! A group that is tried for the first time has `failoverTimeout` to connect. If it does not, or if
//! all of its backends fail, the next one is tried. As soon as a better group works again, calls go
//! back to it. Groups that are not used are kept for 15 minutes with their connections, so a way
//! back to them is short.
//!
//! Sources: gRFC A56 and gRPC's `priority_experimental`, whose rules these are. There the groups
//! come from xDS; here from an attribute of the backends, or from lists of addresses.
//! Config: `groups`, `attribute`, `order`, `failoverTimeout`, `childPolicy`; see `config.rs`.
//! Cost per pick: none if the child is round robin; otherwise one call. Cost per update:
//! O(backends). Cost per report: O(groups), and what it costs the child.
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the config, and its limits |
//! | `grouping.rs` | which group a backend belongs to |
//! | `group.rs` | one group: its child, and its timers |
//! | `policy.rs` | which group is in use |
//!
//! Must not depend on: what a child does, the C ABI.

mod config;
mod group;
mod grouping;
mod policy;

pub use self::policy::Priority;
