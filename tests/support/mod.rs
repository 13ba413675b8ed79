//! Channels of the engine's virtual host, in words for tests of the engine alone. Backends have
//! names of one letter. A test reads what the engine has asked for.
//!
//! | file | idea |
//! |---|---|
//! | `channel.rs` | a channel with one policy: updates, state, time |
//! | `reports.rs` | the reports of a channel's endpoints |
//! | `picks.rs` | the calls of a channel |
//! | `settings.rs` | how the host behaves |
//! | `runner.rs` | the policy's runner, called as hosts call it |
//! | `watch.rs` | checks each callback of the engine |
//! | `callbacks.rs` | the rules for callbacks |
//! | `statistics.rs` | chi-square tests |
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod callbacks;
mod channel;
mod picks;
mod reports;
mod runner;
mod settings;
pub mod statistics;
mod watch;

use std::time::Duration;

use steer::endpoints::Connectivity;
use steer::{Code, Status};

#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub use self::channel::Channel;
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub use self::picks::OneHeader;
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
