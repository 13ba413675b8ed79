//! Values that a policy derives from each READY backend, such as a tracker of its calls. They are
//! kept from one picker to the next, so that a report costs what one backend costs, not what all
//! do.
//!
//! | file | idea |
//! |---|---|
//! | `connections.rs` | what may be a READY backend, and which of them changed |
//! | `by_place.rs` | [`BackendCache`]: values by the places of the list in use |
//! | `dense.rs` | [`DenseBackendCache`]: values without gaps, for pickers that choose at random |
//! | `tests.rs` | both follow random reports and lists |
//!
//! Cost: O(log places) for each backend that came or went since the last picker; O(places) for
//! another list.
//!
//! Must not depend on: what is derived from a backend, how one is chosen.

mod by_place;
mod connections;
mod dense;
// Not under Miri: there is no unsafe code here that other tests do not run.
#[cfg(all(test, not(loom), not(miri)))]
mod tests;

pub(crate) use by_place::BackendCache;
pub use connections::HasConnection;
pub(crate) use dense::DenseBackendCache;
