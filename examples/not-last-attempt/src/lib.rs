//! `not_last_attempt`: a retry or a hedge goes to a backend that no other attempt of the same call
//! has used, as long as there is one. If there are at least two backends, it never goes to the
//! backend of the last attempt.
//!
//! gRPC counts the attempts of a call in a header. A header of the application, which the config
//! names, tells which attempts belong to one call. Calls without it go to any backend.

mod attempts;

use std::num::NonZero;
use std::sync::Arc;

use attempts::{Attempt, Attempts};
use serde::Deserialize;
use steer_sdk::{
    Backend, Backends, Channel, Faults, Helper, Pick, Picker, StatefulPickerFactory, Wants, picker,
};
use twox_hash::XxHash64;

/// gRPC's header with the number of earlier attempts. The first attempt does not have it.
const PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// The header with an id of the call, which all its attempts share.
    id_header: String,
    /// The greatest number of calls to remember.
    #[serde(default = "Config::remembered_calls")]
    remembered_calls: NonZero<usize>,
}

impl Config {
    fn remembered_calls() -> NonZero<usize> {
        const { NonZero::new(10_000).unwrap() }
    }
}

struct NotLastAttempt;

/// The number of a backend in a channel.
type BackendNumber = u32;

/// The state that the pickers of a channel share.
#[derive(Default)]
struct Shared {
    attempts: Arc<Attempts>,
    numbers: BackendNumber,
}

impl StatefulPickerFactory for NotLastAttempt {
    const NAME: &'static str = "not_last_attempt";
    type Config = Config;
    type ChannelState = Shared;
    type BackendState = BackendNumber;

    fn new_channel(&self, _channel: &Channel) -> Shared {
        Shared::default()
    }

    fn new_backend(&self, shared: &mut Shared, _backend: &Backend) -> BackendNumber {
        shared.numbers += 1;
        shared.numbers
    }

    fn build(
        &self,
        config: &Config,
        backends: Backends<BackendNumber>,
        shared: &mut Shared,
        helper: &Helper<'_>,
    ) -> impl Picker {
        shared.attempts.remember_at_most(config.remembered_calls);
        let (attempts, channel) = (Arc::clone(&shared.attempts), Channel::clone(helper));
        let id_header = config.id_header.clone();
        let wants = Wants::nothing().header(&id_header).header(PREVIOUS_ATTEMPTS);
        picker(move |call| {
            let start = channel.random() as usize % backends.len();
            let Some(id) = call.header(&id_header) else { return Pick::complete(&backends[start]) };
            let call_key = XxHash64::oneshot(0, id.as_bytes());
            let is_first = call.header(PREVIOUS_ATTEMPTS).is_none_or(|attempts| attempts == "0");
            let in_turn = backends[start..].iter().chain(&backends[..start]);
            let (backend, attempt) = Attempt::begin(&attempts, call_key, is_first, in_turn);
            Pick::complete(backend).track(attempt)
        })
        .wants(wants)
    }

    fn check_config(&self, config: &Config, faults: &mut Faults) {
        if config.id_header.is_empty() {
            faults.add("idHeader", "is empty");
        }
    }
}

steer_sdk::steer_plugin! { name: "not last attempt", pickers: [NotLastAttempt] }

#[cfg(test)]
mod tests;
