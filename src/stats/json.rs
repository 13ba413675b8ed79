//! A snapshot as JSON.
//!
//! Must not know: where a snapshot comes from.

use serde::Serialize;

use super::snapshot::ChannelStats;

#[derive(Serialize)]
struct Process<'a> {
    /// The library's release.
    steer: &'static str,
    channels: &'a [ChannelStats],
}

/// The JSON, in one line.
pub fn to_json(channels: &[ChannelStats]) -> String {
    let process = Process { steer: env!("CARGO_PKG_VERSION"), channels };
    // No map has keys but texts, and no number is not one: floats that are none become null.
    serde_json::to_string(&process).expect("nothing in it can fail")
}
