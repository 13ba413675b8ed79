//! Consistent hashing: which backend a call's hash belongs to, so that few calls move when backends come
//! and go.
//!
//! | file | idea |
//! |---|---|
//! | `member.rs` | what is known of a backend that takes part: its key and its weight |
//! | `ring.rs` | the ketama ring |
//! | `maglev.rs` | the maglev table |
//! | `request_hash.rs` | the hash that a call is placed by |
//!
//! Must not know: connections and their states, any policy.

pub mod maglev;
mod member;
mod request_hash;
mod ring;

pub use maglev::Table;
pub use member::Member;
pub(crate) use member::of_address;
pub use request_hash::RequestHash;
pub use ring::Ring;
