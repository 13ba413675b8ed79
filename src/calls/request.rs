//! What a picker may know of a call, and how it says what it wants to know.
//!
//! Must not know: where a call comes from.

use std::borrow::Cow;
use std::sync::Arc;

/// What a picker may know of the call that it chooses for.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `/service/method`. Empty when the host has none, and when the picker did not ask for it.
    pub path: &'a str,
    /// The call's headers.
    pub headers: &'a dyn Headers,
    /// The hash that an xDS route gives the call (gRFC A42). None when the host has none, and when the picker
    /// did not ask for it.
    pub request_hash: Option<u64>,
}

/// The headers of a call.
pub trait Headers {
    /// The value of a header, by its lower-case name: that of several of one name joined by ",".
    /// Headers that the picker did not ask for are not there. Text, but for names that end in "-bin".
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// Adds a header to the call if this pick completes. `false`: the host cannot do that, or the
    /// name or the value cannot be sent.
    fn add(&self, name: &str, value: &[u8]) -> bool;
}

/// No headers.
#[derive(Debug)]
pub struct NoHeaders;

impl Headers for NoHeaders {
    fn get(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn add(&self, _name: &str, _value: &[u8]) -> bool {
        false
    }
}

/// Whether gRPC knows headers of such names.
pub fn is_header_name(name: &str) -> bool {
    let good =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(good)
}

impl Call<'_> {
    /// A call of which nothing is known.
    pub const UNKNOWN: &'static Call<'static> =
        &Call { path: "", headers: &NoHeaders, request_hash: None };
}

/// What a picker needs of each call; what it does not ask for costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// [`Call::path`].
    pub path: bool,
    /// [`Call::headers`], and which of them it reads, in lower case: it may be none, when it only
    /// adds some.
    pub headers: Option<Arc<[String]>>,
    /// What backends report with the end of a tracked call.
    pub metrics: bool,
    /// [`Call::request_hash`].
    pub request_hash: bool,
}

impl Wants {
    /// Nothing of the call itself.
    pub fn no_call(&self) -> bool {
        !self.path && self.headers.is_none() && !self.request_hash
    }
}
