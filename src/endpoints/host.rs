//! What the endpoint lists need from the host.
//!
//! Must not depend on: policies, the C ABI.

use std::sync::Arc;

use super::{Endpoint, EndpointDescriptor, Words};
use crate::{Severity, Status};

/// Makes endpoints for [`EndpointLists`](super::EndpointLists). Called only in the host's work
/// serializer.
pub trait EndpointHost: Send + Sync {
    /// Makes an endpoint for a descriptor of the latest update. The endpoint reports its state soon
    /// after, and does not connect before it is asked to.
    fn create_endpoint(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status>;

    /// Asks the resolver to resolve again. The resolver decides when.
    fn request_reresolution(&self);

    /// Identifies everything besides the descriptor that the host makes endpoints with. While this
    /// number stays the same, an endpoint that was made or has matched under it matches the same
    /// descriptor object without asking. With `None`, [`Endpoint::matches`] is asked each time.
    fn made_with(&self) -> Option<u64>;

    /// How the host's own policies word failures. Always the same.
    fn words(&self) -> Words;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// Writes a line to the host's log.
    fn log(&self, severity: Severity, message: &str);
}
