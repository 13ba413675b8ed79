//! Groups of clients, and the calls that they make.
//!
//! Must not depend on: how clients are simulated.

use std::sync::Arc;
use std::time::Duration;

use steer::Code;

use super::Distribution;

/// Clients that are alike. Each has a channel, a policy and random numbers of its own.
#[derive(Clone, Debug)]
pub struct ClientGroup {
    /// The name.
    pub name: String,
    /// How many there are.
    pub count: usize,
    /// Their zones, one after another. Not empty.
    pub zones: Vec<String>,
    /// The times when they start are spread evenly over this time.
    pub start_within: Duration,
    /// The calls that they make.
    pub load: Load,
    /// When calls end with DEADLINE_EXCEEDED.
    pub deadline: Option<Distribution>,
    /// When the caller cancels a call that has not ended.
    pub cancel_after: Option<Distribution>,
    /// Whether calls wait for a backend that is READY.
    pub wait_for_ready: bool,
    /// The retries of the service config.
    pub retries: Option<Retries>,
    /// The hedging of the service config.
    pub hedging: Option<Hedging>,
    /// Calls are streams.
    pub stream: Option<Stream>,
    /// The keys that calls carry in a header, for consistent hashing.
    pub keys: Option<Keys>,
    /// The order in which the resolver lists servers to a client.
    pub list_order: ListOrder,
    /// Each client is told only of so many servers, chosen at random.
    pub subset: Option<usize>,
    /// How long after a change of the list a client hears of it.
    pub resolver_delay: Distribution,
}

/// The calls that a group makes.
#[derive(Clone, Debug)]
pub enum Load {
    /// Calls begin whether or not earlier ones have ended.
    Open {
        /// Calls per second of all clients of the group together.
        rate: f64,
        /// When calls begin.
        arrivals: Arrivals,
    },
    /// Each client has callers that wait for the end of a call before they begin the next.
    Closed {
        /// The callers of each client.
        callers: usize,
        /// The time between a caller's calls.
        think_time: Distribution,
    },
}

/// When the calls of an open loop begin.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// A Poisson process.
    Poisson,
    /// At equal distances.
    Regular,
    /// So many at the same time, at random times.
    Bursts(u32),
    /// At these times, each by the next client of the group. `rate` is not used. Sorted.
    Times(Arc<[Duration]>),
}

/// Retries (gRFC A6).
#[derive(Clone, Debug)]
pub struct Retries {
    /// The most attempts, the first one included.
    pub max_attempts: u32,
    /// The time before the first retry. Each time is random, between 0.8 and 1.2 of it.
    pub initial_backoff: Duration,
    /// The longest time.
    pub max_backoff: Duration,
    /// Each time is so many times the one before.
    pub backoff_multiplier: f64,
    /// The statuses after which calls are tried again.
    pub codes: Vec<Code>,
    /// `maxTokens` and `tokenRatio` of retry throttling.
    pub throttling: Option<(f64, f64)>,
}

/// Hedging (gRFC A6).
#[derive(Clone, Debug)]
pub struct Hedging {
    /// The most attempts, the first one included.
    pub max_attempts: u32,
    /// The time between attempts.
    pub delay: Duration,
    /// Statuses that do not end the call while other attempts may succeed.
    pub non_fatal_codes: Vec<Code>,
}

/// Streams: calls that do not take a place at the server, and last long.
#[derive(Clone, Debug)]
pub struct Stream {
    /// How long.
    pub lasts: Distribution,
    /// The client cancels them at their end. Otherwise the server ends them with OK.
    pub ends_by_cancel: bool,
}

/// The keys of calls.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The header that carries them.
    pub header: String,
    /// How many there are.
    pub count: u32,
    /// The exponent of Zipf's law: 0 makes all alike, 1 makes a few frequent.
    pub zipf: f64,
}

/// The order of a client's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOrder {
    /// All clients have the same.
    Same,
    /// Each client has one of its own, which stays.
    Shuffled,
    /// Each update has another.
    ShuffledEachTime,
}

impl Default for ClientGroup {
    /// One client that makes 100 calls per second, without a deadline.
    fn default() -> ClientGroup {
        ClientGroup {
            name: "client".to_owned(),
            count: 1,
            zones: vec!["a".to_owned()],
            start_within: Duration::ZERO,
            load: Load::Open { rate: 100.0, arrivals: Arrivals::Poisson },
            deadline: None,
            cancel_after: None,
            wait_for_ready: false,
            retries: None,
            hedging: None,
            stream: None,
            keys: None,
            list_order: ListOrder::Same,
            subset: None,
            resolver_delay: Distribution::Constant(Duration::ZERO),
        }
    }
}
