//! Calls, as policies see them: what a picker knows about a call at its pick, and the events of a
//! tracked call afterwards.
//!
//! | file | idea |
//! |---|---|
//! | `request.rs` | what a picker knows about a call: path, headers, hash |
//! | `listener.rs` | the events of a tracked call, and how it ended |
//! | `load_report/` | the load report of a backend, with a call or out of band |
//! | `context.rs` | the clock and the fault handling of the policy that a call belongs to |
//! | `tracked.rs` | a tracked call, from its pick to its end |
//! | `slot.rs` | the memory of tracked calls, reused without allocating |
//! | `counters.rs` | the calls of one backend: in flight, and how they ended |
//!
//! Must not depend on: policies, how a backend is chosen, the C ABI.

mod context;
mod counters;
mod listener;
mod load_report;
mod request;
mod slot;
mod tracked;

pub use context::CallContext;
pub use counters::{CallCounters, CallObserver};
pub use listener::{CallEnd, CallListener};
pub use load_report::{LoadReport, Metrics, Numbers};
pub use request::{Call, Headers, NoHeaders, Wants, is_header_name};
pub use slot::TrackedSlot;
pub use tracked::{TrackedBackend, TrackedCall};
