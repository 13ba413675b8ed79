//! A model of clients and servers in virtual time.
//!
//! | file | idea |
//! |---|---|
//! | `simulation.rs` | one run: its parts, and the loop over its events |
//! | `channels.rs` | what policies ask for: connections, lists, timers |
//! | `calls.rs` | calls, from their begin to their end |
//! | `arrivals.rs` | when calls begin |
//! | `service.rs` | what servers do with attempts |
//! | `happenings.rs` | faults, changes of lists, rolling restarts |
//! | `client.rs`, `server.rs`, `call.rs`, `network.rs` | the state of each |
//! | `client_config.rs` | the policy's config of each client |
//! | `latency_by_rif.rs` | the latency that a server reports |
//! | `events` | the events to come |
//! | `chance.rs` | random values, the same on every machine |
//! | `record.rs`, `watch.rs` | what is counted, and what limits are about |
//!
//! The general flow is: `simulation.rs` takes the next event and gives it to the file whose idea it
//! is. That changes the state, calls the engine, and schedules further events.
//!
//! Must not depend on: files, reports.

mod arrivals;
mod call;
mod calls;
mod chance;
mod channels;
mod client;
mod client_config;
mod events;
mod happenings;
mod latency_by_rif;
mod network;
mod record;
mod server;
mod service;
mod simulation;
mod watch;

pub use simulation::{RunError, simulate};
