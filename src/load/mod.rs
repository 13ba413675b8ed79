//! What "load" means: what is learnt of backends from their calls and their reports, apart from how it is
//! used to choose among them.
//!
//! | file | idea |
//! |---|---|
//! | `per_address.rs` | what is remembered of each address, as long as it is listed |
//! | `observed.rs` | one backend's calls: in flight, and how they ended |
//!
//! Must not know: policies' configs, connections, the C ABI.

mod observed;
mod per_address;

pub use observed::{Learn, Observed};
pub use per_address::PerAddress;
