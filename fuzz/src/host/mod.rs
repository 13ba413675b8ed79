//! A host for one policy: the engine's virtual host, through the C ABI, with the fuzzer's checks.
//! Everything that the engine uses must be alive. In the end, everything must have come back once.
//!
//! | file | idea |
//! |---|---|
//! | `account.rs` | the virtual host, and what is checked besides |
//! | `table.rs` | the callbacks of `steer_host` |
//! | `channel.rs` | a policy and its host: updates |
//! | `events.rs` | the other events of a channel: reports, timers, work |
//! | `picker.rs` | picks and tracked calls |
//!
//! The caller serialises the functions that the ABI wants serialised. The others may be called on
//! any thread.
//!
//! Must not depend on: any policy.

mod account;
mod channel;
mod events;
mod picker;
mod table;

pub use channel::Channel;
pub use picker::{HeldPicker, Picked};
