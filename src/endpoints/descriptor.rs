//! What the resolver knows of an endpoint, in plain values.
//!
//! Must not know: connections and their states.

// Not by way of `crate::sync`: loom has no model of descriptors, and its atomics live in models only.
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

/// Where an endpoint is, as xDS names places. Empty parts are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are xDS's")]
pub struct Locality {
    pub region: String,
    pub zone: String,
    pub sub_zone: String,
}

/// A place in the host's latest update. It changes when an endpoint moves in the list, which is no other endpoint
/// then: all places are equal.
#[derive(Debug, Default)]
pub struct Index(AtomicU32);

/// In place of a place.
const LEFT: u32 = u32::MAX;

impl Index {
    /// The place; none if the endpoint has left the list.
    pub fn get(&self) -> Option<u32> {
        // Relaxed, here and below: read and written where the host serialises its calls.
        Some(self.0.load(Ordering::Relaxed)).filter(|index| *index != LEFT)
    }

    /// The endpoint is there now. Only for whoever hands in lists: a place that is not the endpoint's in the host's
    /// latest list makes calls go to another server.
    pub fn set(&self, index: u32) {
        self.0.store(index, Ordering::Relaxed);
    }

    /// The endpoint is in the list no more: the host would take its place for another endpoint's.
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

/// What the resolver knows of one endpoint. Two descriptors of one list may be equal: the address
/// was listed twice, and gets two shares of the calls.
///
/// Equal ones describe the same endpoint, wherever it is in its list. One that stays from update to update is
/// mostly the same `Arc`, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointDescriptor {
    /// Its place in the host's latest update, by which the host finds its own description.
    pub index: Index,
    /// Its addresses as gRPC writes them (`ipv4:10.0.0.1:80`), in the order to try them.
    pub addresses: Vec<String>,
    /// The weight that the resolver gave it; 0: none.
    pub weight: u32,
    /// Where it is.
    pub locality: Locality,
    /// What consistent hashing should hash in place of the address; empty: the address.
    pub hash_key: String,
    /// Everything else that the resolver attached.
    pub attributes: Vec<Attribute>,
}
