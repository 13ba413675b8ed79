//! `steer_endpoint`, an endpoint as the resolver describes it, and `steer_endpoint_report`.

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
    /// There is no connection, and none is being made.
    STEER_IDLE = 0,
    /// A connection is being made.
    STEER_CONNECTING = 1,
    /// Connected.
    STEER_READY = 2,
    /// Connecting failed.
    STEER_TRANSIENT_FAILURE = 3,
}

/// An endpoint, as the resolver describes it. Everything that it points to is read during the call
/// only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_endpoint {
    /// `sizeof(steer_endpoint)`. The same in all elements of an array.
    pub struct_size: usize,
    /// Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them.
    pub addresses: *const steer_str,
    /// The number of addresses: at least one.
    pub address_count: usize,
    /// Its weight from the resolver. 0: none.
    pub weight: u32,
    /// Its region, in the terms of xDS. Empty: not known.
    pub region: steer_str,
    /// Its zone, as `region`.
    pub zone: steer_str,
    /// Its sub-zone, as `region`.
    pub sub_zone: steer_str,
    /// The key for consistent hashing. Empty: its address.
    pub hash_key: steer_str,
    /// All other attributes from the resolver.
    pub attributes: *const steer_attribute,
    /// The number of attributes.
    pub attribute_count: usize,
}

/// A host's report about an endpoint.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_endpoint_report {
    /// `sizeof(steer_endpoint_report)`.
    pub struct_size: usize,
    /// A `steer_state`.
    pub state: i32,
    /// In STEER_TRANSIENT_FAILURE, the gRPC status code of the failure.
    pub code: i32,
    /// In STEER_TRANSIENT_FAILURE, the text that users see. Read during the call only.
    pub message: steer_str,
    /// In STEER_READY, and only then, the connection that pickers complete with. Not NULL. The
    /// engine takes one reference, and gives it back through `connection_free`.
    pub connection: *mut c_void,
}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_attribute {
    const FIRST_SIZE: usize = offset_of!(steer_attribute, integer) + size_of::<i64>();
}
// SAFETY: as for `steer_attribute`.
unsafe impl Versioned for steer_endpoint {
    const FIRST_SIZE: usize = offset_of!(steer_endpoint, attribute_count) + size_of::<usize>();
}
// SAFETY: as for `steer_attribute`.
unsafe impl Versioned for steer_endpoint_report {
    const FIRST_SIZE: usize = offset_of!(steer_endpoint_report, connection) + size_of::<usize>();
}

/// Converts a host's array of endpoints.
///
/// # Safety
/// `from` has `count` elements, and they and the memory that they point to are readable.
pub(super) unsafe fn endpoints_from_c(
    from: *const steer_endpoint,
    count: usize,
) -> Result<Vec<Arc<EndpointDescriptor>>, steer_status> {
    // SAFETY: `from` has `count` readable elements (caller's contract).
    let endpoints = unsafe { read_array(from, count) }?;
    // Not `with_capacity(count)`: an absurd count must not abort the process for lack of memory.
    let mut descriptors = Vec::new();
    for (index, endpoint) in endpoints.enumerate() {
        let index = u32::try_from(index).map_err(|_| STEER_INVALID_ARGUMENT)?;
        // SAFETY: the element and the memory that it points to are readable (caller's contract).
        descriptors.push(Arc::new(unsafe { endpoint_from_c(&endpoint?, index) }?));
    }
    Ok(descriptors)
}

/// # Safety
/// The memory that `endpoint` points to is readable.
unsafe fn endpoint_from_c(
    endpoint: &steer_endpoint,
    index: u32,
) -> Result<EndpointDescriptor, steer_status> {
    if endpoint.address_count == 0 {
        return Err(STEER_INVALID_ARGUMENT);
    }
    // SAFETY: `addresses` has `address_count` readable elements (caller's contract).
    let addresses = unsafe { plain_array(endpoint.addresses, endpoint.address_count) }?;
    // SAFETY: each text of the endpoint is readable (caller's contract).
    let text = |text: steer_str| unsafe { text.to_text() }.ok_or(STEER_INVALID_ARGUMENT);
    // SAFETY: `attributes` has `attribute_count` readable elements (caller's contract).
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
        connection: 0,
    })
}
