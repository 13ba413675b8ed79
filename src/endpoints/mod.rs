//! The backends of a policy: what the resolver says of them, and the rules of their connections.
//!
//! | file | idea |
//! |---|---|
//! | `descriptor.rs` | what the resolver knows of one endpoint |
//! | `connection.rs` | what a READY endpoint hands to pickers |
//! | `id.rs` | the numbers by which hosts and policies speak of endpoints |
//! | `list.rs` | one address list: states as they count, and their aggregate |
//! | `lists.rs` | the current and the pending list, and what a report does to both |
//! | `host.rs` | what the lists need from the host |
//! | `persistent_vec.rs` | a vector whose clones share what they have in common |
//!
//! Must not know: how a backend is chosen, the C ABI.

mod connection;
mod descriptor;
mod host;
mod id;
mod list;
mod lists;
mod persistent_vec;

pub use connection::{Connection, Releases};
pub use descriptor::{Attribute, AttributeValue, EndpointDescriptor, Index, Locality};
pub use host::EndpointHost;
pub use id::{ById, EndpointId};
pub use list::Aggregate;
pub use lists::{EndpointLists, UpdateOutcome};
pub use persistent_vec::PersistentVec;

use crate::Status;

/// The connectivity states of gRPC, without SHUTDOWN, which no host reports of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names are gRPC's, and its documentation is theirs")]
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

/// What the host reports of an endpoint.
#[derive(Clone, Debug)]
pub enum Report {
    /// No connection, and none being made.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Connected: calls can be sent over this.
    Ready(Connection),
    /// Connecting failed, for this reason.
    TransientFailure(Status),
}

impl Report {
    /// The state, without what comes with it.
    pub fn state(&self) -> Connectivity {
        match self {
            Report::Idle => Connectivity::Idle,
            Report::Connecting => Connectivity::Connecting,
            Report::Ready(_) => Connectivity::Ready,
            Report::TransientFailure(_) => Connectivity::TransientFailure,
        }
    }
}

/// The host's side of one endpoint. Dropping it drops the endpoint: no report follows, and its
/// connection closes when the last picker that holds it is gone.
pub trait Endpoint: Send + Sync {
    /// The engine's number for it.
    fn id(&self) -> EndpointId;

    /// Whether the host would make the very same endpoint for this descriptor: same addresses,
    /// attributes and channel args.
    fn matches(&self, descriptor: &EndpointDescriptor) -> bool;

    /// Asks for a connection. Does nothing when there is one or one is being made; while the
    /// endpoint backs off, the attempt waits for that.
    fn connect(&self);

    /// Forgets the backoff: a waiting attempt starts now.
    fn reset_backoff(&self);
}
