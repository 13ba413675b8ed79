//! Consistent hashing: which backend a call's hash belongs to, so that few calls move when backends
//! come and go.
//!
//! | file | idea |
//! |---|---|
//! | `member.rs` | a backend as hashing sees it: its key and its weight |
//! | `ring/` | the ketama ring |
//! | `maglev.rs` | the maglev table |
//!
//! Must not depend on: connections and their states, any policy.

pub mod maglev;
mod member;
mod ring;

pub use maglev::Table;
pub use member::Member;
pub(crate) use member::of_address;
pub use ring::Ring;
