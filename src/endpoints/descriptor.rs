//! What the resolver says about an endpoint, in plain values.
//!
//! Must not depend on: connections and their states.

use std::hash::{Hash, Hasher};
// Not `crate::sync`: loom's atomics work inside models only, and descriptors have no model.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A string or an integer that the resolver attached to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttributeValue {
    /// Text; bytes that are not UTF-8 were replaced by U+FFFD.
    Text(String),
    /// A number.
    Integer(i64),
}

/// An attribute, by its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The key; unique in an endpoint.
    pub key: String,
    /// The value.
    pub value: AttributeValue,
}

/// Where an endpoint is, in the terms of xDS. Empty parts are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are xDS's")]
pub struct Locality {
    pub region: String,
    pub zone: String,
    pub sub_zone: String,
}

/// An endpoint's index in the host's latest update. It changes when the endpoint moves in the list.
/// A moved endpoint is still the same endpoint, so all indices compare equal.
#[derive(Debug)]
pub struct Index(Place);

#[derive(Debug)]
enum Place {
    Own(AtomicU32),
    /// The index of the host's descriptor, from which this one was made.
    Of(Arc<EndpointDescriptor>),
}

/// Marks an endpoint that has left the list.
const LEFT: u32 = u32::MAX;

impl Index {
    /// The index. `None` if the endpoint has left the list.
    pub fn get(&self) -> Option<u32> {
        Some(self.load()).filter(|index| *index != LEFT)
    }

    /// The index of another descriptor of the same endpoint, wherever that moves.
    pub fn of(descriptor: &Arc<EndpointDescriptor>) -> Index {
        Index(Place::Of(Arc::clone(descriptor)))
    }

    fn load(&self) -> u32 {
        match &self.0 {
            // Relaxed, here and below: read and written in the host's work serializer only.
            Place::Own(index) => index.load(Ordering::Relaxed),
            Place::Of(descriptor) => descriptor.index.load(),
        }
    }

    /// Sets the index. Only the code that hands in lists may call this: a wrong index sends the
    /// endpoint's calls to another server.
    pub fn set(&self, index: u32) {
        match &self.0 {
            Place::Own(own) => own.store(index, Ordering::Relaxed),
            Place::Of(descriptor) => descriptor.index.set(index),
        }
    }

    /// The endpoint has left the list. From now on, its index would name another endpoint.
    pub fn leave(&self) {
        self.set(LEFT);
    }
}

impl From<u32> for Index {
    fn from(index: u32) -> Index {
        Index(Place::Own(AtomicU32::new(index)))
    }
}

impl Default for Index {
    fn default() -> Index {
        Index::from(0)
    }
}

impl Clone for Index {
    fn clone(&self) -> Index {
        Index::from(self.load())
    }
}

impl PartialEq for Index {
    fn eq(&self, _: &Index) -> bool {
        true
    }
}

impl Eq for Index {}

/// Equal values have equal hashes, so there is nothing to hash.
impl Hash for Index {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What the resolver says about one endpoint. Two descriptors of one list may be equal: then the
/// address was listed twice, and gets two shares of the calls.
///
/// Equal descriptors of two lists describe the same endpoint, wherever it is in them. While nothing
/// changes, updates usually hand in the same `Arc` again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    /// Which of several connections to this backend this one is, from 0 on. Each has a descriptor
    /// of its own, and becomes an endpoint of its own.
    pub connection: u32,
}

impl EndpointDescriptor {
    /// The host's own descriptor, without what a config adds: that to which [`Index::of`] leads.
    pub fn resolved(&self) -> &EndpointDescriptor {
        match &self.index.0 {
            Place::Own(_) => self,
            Place::Of(descriptor) => descriptor.resolved(),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_with_additions_moves_with_the_hosts_own() {
        let own = Arc::new(EndpointDescriptor { index: 3.into(), ..EndpointDescriptor::default() });
        let index = Index::of(&own);
        let more =
            Arc::new(EndpointDescriptor { index, weight: 2, ..EndpointDescriptor::default() });
        own.index.set(5);
        assert_eq!(more.index.get(), Some(5));
        own.index.leave();
        assert_eq!(more.index.get(), None);
        assert_eq!(more.resolved(), &*own);
        assert_eq!(own.resolved(), &*own);
        // A copy has a place of its own.
        let copy = EndpointDescriptor::clone(&more);
        own.index.set(7);
        assert_eq!((copy.index.get(), copy.resolved()), (None, &copy));
    }
}
