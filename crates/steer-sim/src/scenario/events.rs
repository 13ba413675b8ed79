//! What happens to servers and clients, and when.
//!
//! Must not depend on: how it is simulated.

use std::time::Duration;

use steer::Code;

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Duration,
    /// What.
    pub what: Happening,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Servers have a fault.
    Fault {
        /// The servers, by the names of groups or servers, or by `zone:NAME`.
        servers: Vec<String>,
        /// The fault.
        fault: ServerFault,
        /// How long it lasts. `None`: to the end.
        lasts: Option<Duration>,
    },
    /// The resolver adds servers to the list. They start if they do not run.
    Add(Vec<String>),
    /// The resolver removes servers from the list. They keep running.
    Remove(Vec<String>),
    /// The resolver gives other weights.
    Weight(Vec<String>, u32),
    /// Servers are replaced one batch after another.
    Rolling(Rolling),
    /// The load of client groups becomes so many times what the scenario says.
    Load(Vec<String>, f64),
    /// The resolver gives all clients their lists again. `ListOrder::ShuffledEachTime` shows then.
    Resolve,
}

/// A fault of a server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerFault {
    /// Service takes so many times as long.
    Slow(f64),
    /// Answers nothing: calls stay until it ends. Connections stay.
    Hang,
    /// Answers every call at once with this status.
    FailAtOnce(Code),
    /// Answers this share of calls with this status, after serving them.
    Errors(f64, Code),
    /// Resets every call at once: it ends with CANCELLED.
    ResetCalls,
    /// Closes its connections once. Clients may connect again.
    CloseConnections,
    /// Ends without warning: connections break, and none can be made. Starts again when the fault
    /// ends, as new: cold, with an empty queue.
    Crash,
    /// Other work takes this share of its places.
    Overload(f64),
    /// Packets to and from it are lost: nothing is answered, connections do not break, and none can
    /// be made.
    Unreachable,
}

/// Servers are replaced one batch after another: each leaves the list, ends gracefully, and starts
/// again as new.
#[derive(Clone, Debug)]
pub struct Rolling {
    /// The servers.
    pub servers: Vec<String>,
    /// So many at a time.
    pub batch: usize,
    /// From one batch to the next.
    pub every: Duration,
    /// Between leaving the list and refusing connections: calls in flight may end.
    pub drain: Duration,
    /// Between the end and the new start.
    pub down: Duration,
    /// Whether the new one has another address.
    pub new_address: bool,
}
