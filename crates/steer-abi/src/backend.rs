//! `steer_backend`: a backend as pickers see it.

use std::ffi::c_void;

use super::steer_str;

/// Which of an attribute's values holds.
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
    /// The value, when it is a text.
    pub text: steer_str,
    /// The value, when it is an integer.
    pub integer: i64,
}

/// A backend, as the resolver describes it. Immutable. All that it points at is valid UTF-8 and as
/// long as the `steer_backends` that it is part of.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_backend {
    /// `sizeof(steer_backend)`, as the engine knows it.
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
    /// Everything else that the resolver attached, by pointer, because `steer_attribute` may grow.
    pub attributes: *const *const steer_attribute,
    /// How many.
    pub attribute_count: usize,
    /// What `backend_new` of the picker's type made for these addresses; else NULL.
    pub data: *mut c_void,
}

/// READY backends, in the resolver's order. Immutable, counted: `steer_api` has functions to hold
/// it longer than the picker that it was given to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_backends {
    /// `sizeof(steer_backends)`, as the engine knows it.
    pub struct_size: usize,
    /// The backends, by pointer, because `steer_backend` may grow.
    pub items: *const *const steer_backend,
    /// How many; at least one for pickers.
    pub count: usize,
}
