//! `steer_backend`: one backend, as pickers see it.

use std::ffi::c_void;

use super::steer_str;

/// The type of an attribute's value.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_attribute_kind {
    /// `text`.
    STEER_ATTRIBUTE_TEXT = 0,
    /// `integer`.
    STEER_ATTRIBUTE_INTEGER = 1,
}

/// A string or an integer that the resolver attached to an endpoint.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_attribute {
    /// `sizeof(steer_attribute)`.
    pub struct_size: usize,
    /// The key.
    pub key: steer_str,
    /// A `steer_attribute_kind`.
    pub kind: i32,
    /// The value if `kind` is STEER_ATTRIBUTE_TEXT.
    pub text: steer_str,
    /// The value if `kind` is STEER_ATTRIBUTE_INTEGER.
    pub integer: i64,
}

/// A backend, as the resolver describes it. Immutable. Everything that it points at lives as long
/// as the `steer_backends` that it is part of, and all its texts are valid UTF-8.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_backend {
    /// `sizeof(steer_backend)`, as the engine knows it.
    pub struct_size: usize,
    /// Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them.
    pub addresses: *const steer_str,
    /// The number of addresses; at least one.
    pub address_count: usize,
    /// The weight from the resolver; 0 if it gave none.
    pub weight: u32,
    /// The region of the backend's xDS locality; empty if unknown.
    pub region: steer_str,
    /// The zone of the locality; empty if unknown.
    pub zone: steer_str,
    /// The sub-zone of the locality; empty if unknown.
    pub sub_zone: steer_str,
    /// The key for consistent hashing; empty means the first address.
    pub hash_key: steer_str,
    /// All other attributes from the resolver. An array of pointers, because `steer_attribute` may
    /// grow.
    pub attributes: *const *const steer_attribute,
    /// The number of attributes.
    pub attribute_count: usize,
    /// The result of `backend_new` for these addresses; NULL if the picker type has no such hook.
    pub data: *mut c_void,
}

/// Backends in the resolver's order. Immutable and reference counted: `steer_api.backends_hold`
/// keeps it longer than the picker that it was given to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_backends {
    /// `sizeof(steer_backends)`, as the engine knows it.
    pub struct_size: usize,
    /// The backends. An array of pointers, because `steer_backend` may grow.
    pub items: *const *const steer_backend,
    /// The number of backends; at least one for pickers.
    pub count: usize,
}
