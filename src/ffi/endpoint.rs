//! `steer_endpoint`: what the resolver knows of an endpoint, and `steer_endpoint_report`.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

pub use steer_abi::{steer_attribute, steer_attribute_kind};

use super::steer_status;
use super::steer_status::*;
use super::text::{ReadText, steer_str};
use super::versioned::{Versioned, plain_array, read_array};
use crate::endpoints::{Attribute, AttributeValue, EndpointDescriptor, Locality};

/// Connectivity states, with gRPC's numbers.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_state {
    /// No connection, and none being made.
    STEER_IDLE = 0,
    /// A connection is being made.
    STEER_CONNECTING = 1,
    /// Connected.
    STEER_READY = 2,
    /// Connecting failed.
    STEER_TRANSIENT_FAILURE = 3,
}

/// What the resolver knows of one endpoint. All that it points at is read during the call only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_endpoint {
    /// `sizeof(steer_endpoint)`; the same in all elements of an array.
    pub struct_size: usize,
    /// Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them.
    pub addresses: *const steer_str,
    /// How many; at least one.
    pub address_count: usize,
    /// The weight that the resolver gave it; 0: none.
    pub weight: u32,
    /// Where it is, as xDS names places; empty: not known.
    pub region: steer_str,
    /// See `region`.
    pub zone: steer_str,
    /// See `region`.
    pub sub_zone: steer_str,
    /// What consistent hashing should hash in place of the address; empty: the address.
    pub hash_key: steer_str,
    /// Everything else that the resolver attached.
    pub attributes: *const steer_attribute,
    /// How many.
    pub attribute_count: usize,
}

/// What the host reports of an endpoint.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_endpoint_report {
    /// `sizeof(steer_endpoint_report)`.
    pub struct_size: usize,
    /// A `steer_state`.
    pub state: i32,
    /// Why, in STEER_TRANSIENT_FAILURE: a gRPC status code.
    pub code: i32,
    /// Why, in STEER_TRANSIENT_FAILURE: what users are shown. Read during the call only.
    pub message: steer_str,
    /// In STEER_READY, and only then: what pickers complete with. Not NULL. The engine takes over
    /// one reference, and gives it back through `connection_free`.
    pub connection: *mut c_void,
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_attribute {
    const FIRST_SIZE: usize = offset_of!(steer_attribute, integer) + size_of::<i64>();
}
// SAFETY: as above.
unsafe impl Versioned for steer_endpoint {
    const FIRST_SIZE: usize = offset_of!(steer_endpoint, attribute_count) + size_of::<usize>();
}
// SAFETY: as above.
unsafe impl Versioned for steer_endpoint_report {
    const FIRST_SIZE: usize = offset_of!(steer_endpoint_report, connection) + size_of::<usize>();
}

/// Converts a host's array of endpoints.
///
/// # Safety
/// `from` and what its elements point at can be read as documented at `steer_endpoint`.
pub(super) unsafe fn endpoints_from_c(
    from: *const steer_endpoint,
    count: usize,
) -> Result<Vec<Arc<EndpointDescriptor>>, steer_status> {
    // SAFETY: readable by this function's contract.
    let endpoints = unsafe { read_array(from, count) }?;
    // Not `with_capacity(count)`: a count that is absurd must not abort for lack of memory.
    let mut descriptors = Vec::new();
    for (index, endpoint) in endpoints.enumerate() {
        let index = u32::try_from(index).map_err(|_| STEER_INVALID_ARGUMENT)?;
        // SAFETY: it is part of the array.
        descriptors.push(Arc::new(unsafe { endpoint_from_c(&endpoint?, index) }?));
    }
    Ok(descriptors)
}

/// # Safety
/// As for [`endpoints_from_c`].
unsafe fn endpoint_from_c(
    endpoint: &steer_endpoint,
    index: u32,
) -> Result<EndpointDescriptor, steer_status> {
    if endpoint.address_count == 0 {
        return Err(STEER_INVALID_ARGUMENT);
    }
    // SAFETY: readable by this function's contract.
    let addresses = unsafe { plain_array(endpoint.addresses, endpoint.address_count) }?;
    // SAFETY: each is readable by this function's contract.
    let text = |text: steer_str| unsafe { text.to_text() }.ok_or(STEER_INVALID_ARGUMENT);
    // SAFETY: readable by this function's contract.
    let attributes = unsafe { read_array(endpoint.attributes, endpoint.attribute_count) }?;
    let attributes = attributes.map(|attribute: Result<steer_attribute, _>| {
        let attribute = attribute?;
        let value = match attribute.kind {
            kind if kind == steer_attribute_kind::STEER_ATTRIBUTE_TEXT as i32 => {
                AttributeValue::Text(text(attribute.text)?)
            }
            kind if kind == steer_attribute_kind::STEER_ATTRIBUTE_INTEGER as i32 => {
                AttributeValue::Integer(attribute.integer)
            }
            _ => return Err(STEER_INVALID_ARGUMENT),
        };
        Ok(Attribute { key: text(attribute.key)?, value })
    });
    Ok(EndpointDescriptor {
        index: index.into(),
        addresses: addresses.iter().map(|&address| text(address)).collect::<Result<_, _>>()?,
        weight: endpoint.weight,
        locality: Locality {
            region: text(endpoint.region)?,
            zone: text(endpoint.zone)?,
            sub_zone: text(endpoint.sub_zone)?,
        },
        hash_key: text(endpoint.hash_key)?,
        attributes: attributes.collect::<Result<_, _>>()?,
    })
}
