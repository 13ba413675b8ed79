//! A virtual host for tests of the engine alone: a channel and a world, both in memory. Backends
//! have names of one letter. The host records what the engine asks for. Its clock moves only when
//! the test says so, and the test chooses its randomness.
//!
//! | file | idea |
//! |---|---|
//! | `channel.rs` | a channel with one policy: updates, state, time |
//! | `reports.rs` | the reports of a channel's endpoints |
//! | `picks.rs` | the calls of a channel |
//! | `settings.rs` | how the host behaves |
//! | `host.rs` | the host's side of the engine's traits |
//! | `runner.rs` | the policy's runner, called as hosts call it |
//! | `world.rs` | the state of the host |
//! | `callbacks.rs` | checks where callbacks come |
//! | `statistics.rs` | chi-square tests |
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod callbacks;
mod channel;
mod host;
mod picks;
mod reports;
mod runner;
mod settings;
pub mod statistics;
mod world;

use std::time::Duration;

use steer::endpoints::Connectivity;
use steer::{Code, Status};

#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub use self::channel::Channel;
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub use self::runner::SerialisedRunner;

/// A request of the engine to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    New(String),
    Dropped(String),
    Connect(String),
    ResetBackoff(String),
    Reresolve,
    State(Connectivity),
    RunLater,
    LoadReports(Option<Duration>),
    StartTimer(Duration),
    CancelTimer,
    Log(String),
}

/// The UNAVAILABLE status of a list whose endpoints have all failed.
pub fn all_failing(last: char) -> Status {
    Status::new(
        Code::Unavailable,
        format!("connections to all backends failing; last error: {last} is down"),
    )
}
