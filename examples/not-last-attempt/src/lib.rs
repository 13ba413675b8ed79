//! `not_last_attempt`: a retry, or a hedge, goes to a backend where no other attempt of the same call has
//! been, as long as there is one; and never to that of the last attempt, if there is another.
//!
//! gRPC counts the attempts of a call in a header; which of them belong together says a header of the
//! application's, which the config names. Calls without it go anywhere.

mod attempts;

use std::num::NonZero;
use std::sync::Arc;

use attempts::{Attempt, Attempts};
use serde::Deserialize;
use steer_sdk::{
    Backend, Backends, Channel, Faults, Helper, Pick, Picker, StatefulPickerFactory, Wants, picker,
};
use twox_hash::XxHash64;

/// gRPC's own: how many attempts there were before this one. The first has none.
const PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// The header with what is the same in all attempts of a call, and in no other call.
    id_header: String,
    /// How many calls are remembered at most.
    #[serde(default = "Config::remembered_calls")]
    remembered_calls: NonZero<usize>,
}

impl Config {
    fn remembered_calls() -> NonZero<usize> {
        const { NonZero::new(10_000).unwrap() }
    }
}

struct NotLastAttempt;

/// Number of a backend of a channel.
type BackendNumber = u32;

/// What a channel's pickers share.
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
