//! The endpoints of a policy: what the resolver says about them, and the rules for their
//! connections.
//!
//! | file | idea |
//! |---|---|
//! | `descriptor.rs` | what the resolver says about one endpoint |
//! | `connection.rs` | what a READY endpoint hands to pickers |
//! | `id.rs` | the numbers that hosts and policies use for endpoints |
//! | `list.rs` | one address list: the states that count, and their aggregate |
//! | `lists/` | the current and the pending list, and what updates and reports do to both |
//! | `host.rs` | what the lists need from the host |
//! | `words.rs` | how the host's own policies word failures |
//! | `persistent_vec.rs` | a vector whose clones share the parts that did not change |
//!
//! Must not depend on: how a backend is chosen, the C ABI.

mod connection;
mod descriptor;
mod host;
mod id;
mod list;
mod lists;
mod persistent_vec;
mod words;

pub use connection::{Connection, Releases};
pub use descriptor::{Attribute, AttributeValue, EndpointDescriptor, Index, Locality};
pub use host::EndpointHost;
pub use id::{ById, EndpointId};
pub use list::Aggregate;
pub use lists::{EndpointLists, ReportOutcome, UpdateOutcome};
pub use persistent_vec::PersistentVec;
pub use words::Words;

use crate::Status;

/// The connectivity states of gRPC, without SHUTDOWN, which no host reports for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[expect(missing_docs, reason = "gRPC defines and documents these names")]
pub enum Connectivity {
    Idle = 0,
    Connecting = 1,
    Ready = 2,
    TransientFailure = 3,
}

impl Connectivity {
    /// The name that gRPC prints, such as `TRANSIENT_FAILURE`.
    pub fn name(self) -> &'static str {
        match self {
            Connectivity::Idle => "IDLE",
            Connectivity::Connecting => "CONNECTING",
            Connectivity::Ready => "READY",
            Connectivity::TransientFailure => "TRANSIENT_FAILURE",
        }
    }
}

/// What the host reports about an endpoint.
#[derive(Clone, Debug)]
pub enum Report {
    /// There is no connection, and the host makes none.
    Idle,
    /// The host makes a connection.
    Connecting,
    /// There is a connection: calls can be sent over it.
    Ready(Connection),
    /// Connecting failed with this status.
    TransientFailure(Status),
}

impl Report {
    /// The state alone.
    pub fn state(&self) -> Connectivity {
        match self {
            Report::Idle => Connectivity::Idle,
            Report::Connecting => Connectivity::Connecting,
            Report::Ready(_) => Connectivity::Ready,
            Report::TransientFailure(_) => Connectivity::TransientFailure,
        }
    }
}

/// The host's side of one endpoint.
///
/// Made by [`EndpointHost::create_endpoint`], and called only in the host's work serializer.
/// Dropping it ends the endpoint: no report follows, and its connection closes when the last picker
/// that holds it is dropped.
pub trait Endpoint: Send + Sync {
    /// The engine's number for this endpoint.
    fn id(&self) -> EndpointId;

    /// Whether the host would make the same endpoint for this descriptor: with the same addresses,
    /// attributes and channel args.
    fn matches(&self, descriptor: &EndpointDescriptor) -> bool;

    /// Asks for a connection. Does nothing if there is one or the host makes one. While the
    /// endpoint backs off, the attempt waits.
    fn connect(&self);

    /// Ends the backoff: a waiting attempt starts now.
    fn reset_backoff(&self);
}
