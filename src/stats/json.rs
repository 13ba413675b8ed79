//! A snapshot as JSON.
//!
//! Must not depend on: where a snapshot comes from.

use serde::Serialize;

use super::custom::PluginMetrics;
use super::snapshot::{ChannelStats, TakenName};

#[derive(Serialize)]
struct Process<'a> {
    /// The version of the library.
    steer: &'static str,
    #[serde(skip_serializing_if = "<[TakenName]>::is_empty")]
    taken_over: &'a [TakenName],
    channels: &'a [ChannelStats],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    plugins: &'a [PluginMetrics],
}

/// The JSON, in one line.
pub fn to_json(
    channels: &[ChannelStats],
    taken_over: &[TakenName],
    plugins: &[PluginMetrics],
) -> String {
    let process = Process { steer: env!("CARGO_PKG_VERSION"), taken_over, channels, plugins };
    // Serialising can fail for a map whose keys are not text. There is none. NaN and infinities
    // become null.
    serde_json::to_string(&process).expect("nothing in it can fail")
}
