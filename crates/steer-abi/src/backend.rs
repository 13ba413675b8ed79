//! `steer_backend`: a backend as pickers see it.

use std::ffi::c_void;

use super::steer_str;

/// Which value of an attribute is valid.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_attribute_kind {
    /// `text`.
    STEER_ATTRIBUTE_TEXT = 0,
    /// `integer`.
    STEER_ATTRIBUTE_INTEGER = 1,
}

/// A text or an integer that the resolver attached to an endpoint.
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

/// A backend, as the resolver describes it. Immutable. Everything that it points to is valid UTF-8,
/// and valid as long as the `steer_backends` that it is part of.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_backend {
    /// `sizeof(steer_backend)`, as the engine knows it.
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
    /// All other attributes from the resolver. By pointer, because `steer_attribute` may grow.
    pub attributes: *const *const steer_attribute,
    /// The number of attributes.
    pub attribute_count: usize,
    /// The pointer that `backend_new` of the picker type made for these addresses. NULL: none.
    pub data: *mut c_void,
}

/// Backends in the resolver's order: the READY ones for pickers. Immutable and reference counted:
/// see `steer_api.backends_hold`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_backends {
    /// `sizeof(steer_backends)`, as the engine knows it.
    pub struct_size: usize,
    /// The backends. By pointer, because `steer_backend` may grow.
    pub items: *const *const steer_backend,
    /// The number of backends: at least one for pickers.
    pub count: usize,
    /// In a list for `picker_new`: all backends of the channel's list, READY or not, in the
    /// resolver's order. Valid as long as this list. Otherwise NULL. This field and the next two
    /// are since version 10.
    pub all: *const steer_backends,
    /// In the list `all`: the `steer_state` of each backend, for the rules of round robin.
    /// STEER_IDLE: it has not reported yet. STEER_TRANSIENT_FAILURE lasts until it is READY.
    /// Otherwise NULL.
    pub states: *const i32,
    /// In the list `all`: the index of each backend in the list for `picker_new`. SIZE_MAX: it is
    /// not READY. Otherwise NULL.
    pub ready: *const usize,
}
