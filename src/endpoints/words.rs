//! How the host's own policies word failures.
//!
//! Applications and their tests look at these texts, and they differ between gRPC versions. So a
//! host says which ones are its own.
//!
//! Must not depend on: the rules for states, the C ABI.

use crate::Status;

/// How the host's own policies word failures. The default is gRPC 1.51.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The resolution note stands in brackets behind the text of each failure. Otherwise only the
    /// text about an empty list has it.
    pub note_in_brackets: bool,
    /// Texts say "endpoint", not "subchannel". The host reports a failure without the name of its
    /// code, and possibly without any text.
    pub endpoints: bool,
}

impl Words {
    /// The failure of an empty list, as the resolver gets it.
    pub(super) fn empty_list(self, note: &str) -> Status {
        Status::unavailable(match self.note_in_brackets {
            true => "empty address list".to_owned(),
            false => format!("empty address list: {note}"),
        })
    }

    /// What stands behind the text of each failure.
    pub fn suffix(self, note: &str) -> String {
        match self.note_in_brackets && !note.is_empty() {
            true => format!(" ({note})"),
            false => String::new(),
        }
    }

    /// `text`, and behind it the cause with this label.
    pub fn with_cause(self, text: &str, label: &str, cause: &Status) -> String {
        // Some hosts do not know why a connection failed.
        match self.endpoints || !cause.message.is_empty() {
            true => format!("{text}; {label}: {}", cause.message),
            false => text.to_owned(),
        }
    }

    /// What gRPC's `ring_hash` calls an endpoint.
    pub fn endpoint(self) -> &'static str {
        if self.endpoints { "endpoint" } else { "subchannel" }
    }
}
