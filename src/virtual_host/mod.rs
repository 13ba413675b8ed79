//! A host in memory, for tests and simulations: no gRPC, no sockets, no real time. Its owner makes
//! the reports, moves the clock and chooses the random numbers. The policies are the real ones.
//!
//! | file | idea |
//! |---|---|
//! | `clock.rs` | virtual time, shared by all hosts of one test |
//! | `chance.rs` | the random numbers that the engine gets |
//! | `request.rs` | [`Request`]: what the engine asks for |
//! | `settings.rs` | [`Settings`]: how the host behaves |
//! | `watch.rs` | [`Watch`]: checks where the engine's calls come |
//! | `endpoint.rs` | [`LiveEndpoint`]: an endpoint, its state and its args |
//! | `state.rs` | what the engine has asked for, made and published |
//! | `host.rs` | [`VirtualHost`], as its owner drives it |
//! | `callbacks.rs` | the engine's calls of it |
//! | `channel.rs` | [`VirtualChannel`]: a host and its runner, driven together |
//!
//! The general flow is: the owner calls the policy's [`Runner`](crate::policy::Runner). The engine
//! calls the host, and each call becomes a [`Request`]. The owner takes the requests, and decides
//! what comes of them.
//!
//! Must not depend on: any policy, the C ABI, what a test checks.

mod callbacks;
mod chance;
mod channel;
mod clock;
mod endpoint;
mod host;
mod request;
mod settings;
mod state;
mod watch;

pub use chance::Chance;
pub use channel::VirtualChannel;
pub use clock::VirtualClock;
pub use endpoint::LiveEndpoint;
pub use host::VirtualHost;
pub use request::Request;
pub use settings::Settings;
pub use watch::Watch;
