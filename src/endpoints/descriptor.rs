//! What the resolver knows of an endpoint, in plain values.
//!
//! Must not know: connections and their states.

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

/// What the resolver knows of one endpoint. Two descriptors of one list may be equal: the address
/// was listed twice, and gets two shares of the calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointDescriptor {
    /// Its place in the host's latest update, by which the host finds its own description.
    pub index: u32,
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

impl EndpointDescriptor {
    /// Whether both describe the same endpoint. Their places in their lists do not matter.
    pub fn same_endpoint(&self, other: &EndpointDescriptor) -> bool {
        let EndpointDescriptor { index: _, addresses, weight, locality, hash_key, attributes } =
            self;
        *addresses == other.addresses
            && *weight == other.weight
            && *locality == other.locality
            && *hash_key == other.hash_key
            && *attributes == other.attributes
    }
}
