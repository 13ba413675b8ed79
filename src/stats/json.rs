//! A snapshot as JSON.
//!
//! Must not depend on: where a snapshot comes from.

use serde::Serialize;

use super::snapshot::ChannelStats;

#[derive(Serialize)]
struct Process<'a> {
    /// The version of the library.
    steer: &'static str,
    channels: &'a [ChannelStats],
}

/// The JSON, in one line.
pub fn to_json(channels: &[ChannelStats]) -> String {
    let process = Process { steer: env!("CARGO_PKG_VERSION"), channels };
    // Serialising can fail for a map whose keys are not text. There is none. NaN and infinities
    // become null.
    serde_json::to_string(&process).expect("nothing in it can fail")
}
