//! What a picker wants to know of its calls.
//!
//! Must not know: how it crosses to the engine.

/// What a picker wants to know of its calls. What it does not ask for it does not see, and that
/// costs nothing.
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
    /// Nothing: the cheapest.
    pub fn nothing() -> Wants {
        Wants::default()
    }

    /// [`Call::path`](crate::Call::path).
    pub fn path(mut self) -> Wants {
        self.path = true;
        self
    }

    /// This header, by [`Call::header`](crate::Call::header). Upper case is made lower, as in HTTP/2.
    /// At most 64 may be asked for.
    pub fn header(mut self, name: impl Into<String>) -> Wants {
        let mut name = name.into();
        name.make_ascii_lowercase();
        self.names.push(name);
        self.add_headers()
    }

    /// [`Call::add_header`](crate::Call::add_header). Comes with [`Wants::header`] too.
    pub fn add_headers(mut self) -> Wants {
        self.headers = true;
        self
    }

    /// [`Call::request_hash`](crate::Call::request_hash).
    pub fn request_hash(mut self) -> Wants {
        self.request_hash = true;
        self
    }

    /// [`CallEnd::metrics`](crate::CallEnd::metrics): what backends report with their calls.
    pub fn metrics(mut self) -> Wants {
        self.metrics = true;
        self
    }
}
