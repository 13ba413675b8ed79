//! What a scenario says: servers, clients, network, events, and the limits that policies must keep.
//!
//! | file | idea |
//! |---|---|
//! | `distribution.rs` | how long something takes, at random |
//! | `servers.rs` | groups of servers |
//! | `clients.rs` | groups of clients, and the calls that they make |
//! | `client_texts.rs` | texts in a policy's config that differ from client to client |
//! | `events.rs` | what happens to servers and clients, and when |
//! | `limits.rs` | what a policy must achieve |
//!
//! These are plain values, checked by whoever makes them. Times count from the start of the
//! simulation.
//!
//! Must not depend on: the files that scenarios are read from, how they are simulated.

mod client_texts;
mod clients;
mod distribution;
mod events;
mod limits;
mod servers;

use std::time::Duration;

pub use clients::{Arrivals, ClientGroup, Hedging, Keys, ListOrder, Load, Retries, Stream};
pub use distribution::Distribution;
pub use events::{Event, Happening, Rolling, ServerFault};
pub use limits::{Limit, Measure, Threshold, Window};
pub use servers::{Discipline, LoadReports, Queue, ServerGroup, WarmUp};

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: the file's name without `.toml`.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// What to look for in its results, in a sentence.
    pub look_for: String,
    /// How long it lasts.
    pub duration: Duration,
    /// Calls that begin before this time are not counted in latencies, errors and shares.
    pub warm_up: Duration,
    /// The width of the intervals in which shares are counted over time.
    pub interval: Duration,
    /// The policies that it is run with, unless the user names others.
    pub policies: Vec<PolicyChoice>,
    /// The time that packets travel.
    pub network: Network,
    /// The groups of servers.
    pub servers: Vec<ServerGroup>,
    /// The groups of clients.
    pub clients: Vec<ClientGroup>,
    /// What happens meanwhile.
    pub events: Vec<Event>,
    /// What a policy must achieve.
    pub limits: Vec<Limit>,
}

impl Scenario {
    /// Lets it end at this time, if it lasts longer. Its limits no longer hold then: they are meant
    /// for the whole.
    pub fn end_at(&mut self, time: Duration) {
        if time < self.duration {
            self.duration = time;
            self.limits.clear();
        }
    }
}

/// A policy and its config.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyChoice {
    /// The name in `loadBalancingConfig`.
    pub name: String,
    /// The config.
    pub config: serde_json::Value,
}

/// The time that packets travel between a client and a server and back.
#[derive(Clone, Debug)]
pub struct Network {
    /// The round-trip time, unless `between` says otherwise.
    pub round_trip: Distribution,
    /// The round-trip times between two zones, or within one.
    pub between: Vec<ZonePair>,
}

/// The round-trip time between two zones. The order of the two does not matter.
#[derive(Clone, Debug)]
pub struct ZonePair {
    /// The names of the zones.
    pub zones: [String; 2],
    /// The round-trip time.
    pub round_trip: Distribution,
}

impl Default for Scenario {
    /// A minute without servers and clients.
    fn default() -> Scenario {
        Scenario {
            name: "scenario".to_owned(),
            title: String::new(),
            look_for: String::new(),
            duration: Duration::from_secs(60),
            warm_up: Duration::ZERO,
            interval: Duration::from_millis(100),
            policies: Vec::new(),
            network: Network {
                round_trip: Distribution::Constant(Duration::from_micros(500)),
                between: Vec::new(),
            },
            servers: Vec::new(),
            clients: Vec::new(),
            events: Vec::new(),
            limits: Vec::new(),
        }
    }
}
