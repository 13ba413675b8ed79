//! What the resolver says about an endpoint, in plain values.
//!
//! Must not depend on: connections and their states.

// Not `crate::sync`: loom's atomics work inside models only, and descriptors have no model.
use std::sync::atomic::{AtomicU32, Ordering};

/// A string or an integer that the resolver attached to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text; bytes that are not UTF-8 were replaced by U+FFFD.
    Text(String),
    /// A number.
    Integer(i64),
}

/// An attribute, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The key; unique in an endpoint.
    pub key: String,
    /// The value.
    pub value: AttributeValue,
}

/// Where an endpoint is, in the terms of xDS. Empty parts are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are xDS's")]
pub struct Locality {
    pub region: String,
    pub zone: String,
    pub sub_zone: String,
}

/// An endpoint's index in the host's latest update. It changes when the endpoint moves in the list.
/// A moved endpoint is still the same endpoint, so all indices compare equal.
#[derive(Debug, Default)]
pub struct Index(AtomicU32);

/// Marks an endpoint that has left the list.
const LEFT: u32 = u32::MAX;

impl Index {
    /// The index. `None` if the endpoint has left the list.
    pub fn get(&self) -> Option<u32> {
        // Relaxed, here and below: read and written in the host's work serializer only.
        Some(self.0.load(Ordering::Relaxed)).filter(|index| *index != LEFT)
    }

    /// Sets the index. Only the code that hands in lists may call this: a wrong index sends the
    /// endpoint's calls to another server.
    pub fn set(&self, index: u32) {
        self.0.store(index, Ordering::Relaxed);
    }

    /// The endpoint has left the list. From now on, its index would name another endpoint.
    pub fn leave(&self) {
        self.set(LEFT);
    }
}

impl From<u32> for Index {
    fn from(index: u32) -> Index {
        Index(AtomicU32::new(index))
    }
}

impl Clone for Index {
    fn clone(&self) -> Index {
        Index::from(self.0.load(Ordering::Relaxed))
    }
}

impl PartialEq for Index {
    fn eq(&self, _: &Index) -> bool {
        true
    }
}

impl Eq for Index {}

/// What the resolver says about one endpoint. Two descriptors of one list may be equal: then the
/// address was listed twice, and gets two shares of the calls.
///
/// Equal descriptors of two lists describe the same endpoint, wherever it is in them. While nothing
/// changes, updates usually hand in the same `Arc` again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointDescriptor {
    /// Its index in the host's latest update. The host finds its own description there.
    pub index: Index,
    /// Its addresses as gRPC writes them (`ipv4:10.0.0.1:80`), in the order to try them.
    pub addresses: Vec<String>,
    /// The weight that the resolver gave it. 0 means none.
    pub weight: u32,
    /// Where it is.
    pub locality: Locality,
    /// The text that consistent hashing hashes instead of the address. Empty: the address.
    pub hash_key: String,
    /// Everything else that the resolver attached.
    pub attributes: Vec<Attribute>,
}
