//! What a picker knows about a call, and how it asks for that.
//!
//! Must not depend on: where a call comes from.

use std::borrow::Cow;
use std::sync::Arc;

/// The call that a picker chooses a backend for. Valid during the pick.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `/service/method`. Empty if the host has none, or the picker did not ask for it.
    pub path: &'a str,
    /// The call's headers.
    pub headers: &'a dyn Headers,
    /// The hash that an xDS route gives the call (gRFC A42). `None` if the host has none, or the
    /// picker did not ask for it.
    pub request_hash: Option<u64>,
}

/// The headers of a call.
pub trait Headers {
    /// The value of a header, by its lower-case name. Several values of one name are joined by ",".
    /// Headers that the picker did not ask for are absent. Values are text, except for names that
    /// end in "-bin".
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// Adds a header to the call, if this pick completes. Returns `false` if the host cannot do
    /// that, or if the name or the value cannot be sent.
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

/// Whether gRPC allows this header name.
pub fn is_header_name(name: &str) -> bool {
    let good =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(good)
}

impl Call<'_> {
    /// A call without path, headers and hash.
    pub const UNKNOWN: &'static Call<'static> =
        &Call { path: "", headers: &NoHeaders, request_hash: None };
}

/// What a picker needs to know about each call. Parts that it does not ask for cost nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// [`Call::path`].
    pub path: bool,
    /// [`Call::headers`], and the lower-case names that it reads. No names, if it only adds
    /// headers.
    pub headers: Option<Arc<[String]>>,
    /// The load report at the end of a tracked call.
    pub metrics: bool,
    /// [`Call::request_hash`].
    pub request_hash: bool,
}

impl Wants {
    /// What one of two pickers wants.
    pub fn and(mut self, other: &Wants) -> Wants {
        self.path |= other.path;
        self.metrics |= other.metrics;
        self.request_hash |= other.request_hash;
        self.headers = match (self.headers, &other.headers) {
            (Some(mine), Some(other)) if *mine != **other => {
                let others = other.iter().filter(|name| !mine.contains(name));
                Some(mine.iter().chain(others).cloned().collect())
            }
            (mine, other) => mine.or_else(|| other.clone()),
        };
        self
    }

    /// Nothing of the call itself.
    pub fn no_call(&self) -> bool {
        !self.path && self.headers.is_none() && !self.request_hash
    }
}
