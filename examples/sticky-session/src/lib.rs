//! `sticky_session`: calls of one session go to one backend, as long as that is READY. A header names
//! the session; calls without one go anywhere.
//!
//! Each session ranks the backends by a hash of its own and theirs and takes the first ("rendezvous
//! hashing"), so that all clients agree, and a backend that leaves moves its own sessions only.

use steer_sdk::{Backend, Backends, Channel, Pick, Picker, PickerFactory, Wants, picker};
use twox_hash::XxHash64;

#[derive(serde::Deserialize)]
struct Config {
    /// The name of the header.
    header: String,
}

struct StickySession;

impl PickerFactory for StickySession {
    const NAME: &'static str = "sticky_session";
    type Config = Config;

    fn build(&self, config: &Config, backends: Backends, channel: &Channel) -> impl Picker {
        let (header, channel) = (config.header.clone(), channel.clone());
        let wants = Wants::nothing().header(&header);
        picker(move |call| {
            let session = match call.header(&header) {
                Some(session) => XxHash64::oneshot(0, session.as_bytes()),
                None => channel.random(),
            };
            let rank = |backend: &&Backend| XxHash64::oneshot(session, backend.hash_key().as_bytes());
            backends.iter().max_by_key(rank).map_or(Pick::queue(), Pick::complete)
        })
        .wants(wants)
    }
}

steer_sdk::steer_plugin! { name: "sticky session", pickers: [StickySession] }
