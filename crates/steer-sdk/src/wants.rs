//! The parts of a call that a picker reads.
//!
//! Must not depend on: the ABI.

/// Declares the parts of a call that a picker reads. Steer does not fetch the other parts, so they
/// cost nothing; the picker sees them as empty.
///
/// ```
/// use steer_sdk::Wants;
///
/// let wants = Wants::nothing().path().header("session-id");
/// assert_ne!(wants, Wants::nothing());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    pub(crate) path: bool,
    pub(crate) headers: bool,
    pub(crate) metrics: bool,
    pub(crate) request_hash: bool,
    pub(crate) names: Vec<String>,
}

impl Wants {
    /// Declares no part of a call. This is the cheapest.
    pub fn nothing() -> Wants {
        Wants::default()
    }

    /// Declares [`Call::path`](crate::Call::path).
    pub fn path(mut self) -> Wants {
        self.path = true;
        self
    }

    /// Declares this header, for [`Call::header`](crate::Call::header). The name is changed to
    /// lower case, as in HTTP/2. A picker can declare at most 64 headers.
    pub fn header(mut self, name: impl Into<String>) -> Wants {
        let mut name = name.into();
        name.make_ascii_lowercase();
        self.names.push(name);
        self.add_headers()
    }

    /// Declares [`Call::add_header`](crate::Call::add_header). [`Wants::header`] includes it.
    pub fn add_headers(mut self) -> Wants {
        self.headers = true;
        self
    }

    /// Declares [`Call::request_hash`](crate::Call::request_hash).
    pub fn request_hash(mut self) -> Wants {
        self.request_hash = true;
        self
    }

    /// Declares [`CallEnd::metrics`](crate::CallEnd::metrics): the load reports of backends.
    pub fn metrics(mut self) -> Wants {
        self.metrics = true;
        self
    }
}
