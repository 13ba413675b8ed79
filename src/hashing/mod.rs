//! Consistent hashing: which backend a call's hash belongs to, so that few calls move when backends come
//! and go.
//!
//! | file | idea |
//! |---|---|
//! | `member.rs` | what is known of a backend that takes part: its key and its weight |
//! | `ring.rs` | the ketama ring |
//! | `maglev.rs` | the maglev table |
//!
//! Must not know: connections and their states, any policy.

pub mod maglev;
mod member;
mod ring;

pub use maglev::Table;
pub use member::Member;
pub(crate) use member::of_address;
pub use ring::Ring;
