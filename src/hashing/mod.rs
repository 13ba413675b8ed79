//! Consistent hashing: which backend a call's hash belongs to, so that few calls move when backends
//! come and go.
//!
//! | file | idea |
//! |---|---|
//! | `member.rs` | a backend as hashing sees it: its key and its weight |
//! | `ring/` | the ketama ring |
//! | `mix.rs` | makes independent bits of a hash |
//! | `maglev/` | the maglev table |
//! | `rendezvous.rs` | a choice among some of the members, without a table |
//!
//! Must not depend on: connections and their states, any policy.

pub mod maglev;
mod member;
mod mix;
mod rendezvous;
mod ring;

pub use maglev::Table;
pub use member::Member;
pub(crate) use member::of_address;
pub(crate) use mix::mix;
pub use rendezvous::Rendezvous;
pub use ring::Ring;
