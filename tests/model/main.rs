//! Every policy against a model of it, for random lists and reports: which endpoints exist, which
//! state is published, which connections calls go to and how often, and which connections are held.
//!
//! The model computes all of this from the current and the pending list, in the simplest way: it
//! goes over all endpoints each time, and keeps nothing that it can compute. `steer_ring_hash` has
//! one list, and connects only for calls. Its model, and that of lists of more than 1,024 backends,
//! is simpler still: which endpoints are READY.

mod compare;
mod events;
mod lists;
mod ready;
#[path = "../support/mod.rs"]
mod support;

use proptest::prelude::*;
use serde_json::json;

use crate::compare::{Choice, compare};
use crate::events::{Event, happen, history};
use crate::ready::ReadyEndpoints;
use crate::support::Channel;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn round_robin(history in history()) {
        compare("steer_round_robin", json!({}), Choice::InTurn, &history);
    }

    /// The only known weight is that of a missing backend, so all take turns.
    #[test]
    fn weighted_round_robin(history in history(), given in any::<bool>()) {
        let config = if given { json!({"weights": {"z": 1.0}}) } else { json!({}) };
        compare("steer_weighted_round_robin", config, Choice::AddressesInTurn, &history);
    }

    #[test]
    fn random(history in history()) {
        compare("steer_random", json!({}), Choice::Any, &history);
    }

    #[test]
    fn least_request(history in history()) {
        compare("steer_least_request", json!({"choiceCount": 10}), Choice::Fewest, &history);
    }

    /// The clock stands still and no call ends, so all backends are equally fast. Without calls in
    /// flight: a backend that is back is charged with some of the others', which do not fade.
    #[test]
    fn peak_ewma(history in history()) {
        compare("steer_peak_ewma", json!({"fullScanBelow": 100}), Choice::Any, &history);
    }

    /// Nobody reports, so it chooses by calls in flight.
    #[test]
    fn prequal(history in history()) {
        compare("steer_prequal", json!({}), Choice::Any, &history);
    }

    /// No call has the header, so hashes are random. The same holds for the ring below.
    #[test]
    fn maglev(history in history(), factor in prop_oneof![Just(0), Just(100), Just(150)]) {
        let choice = if factor == 0 { Choice::Any } else { Choice::Bounded(factor) };
        let config = json!({
            "tableSize": 101, "requestHashHeader": "x", "hashBalanceFactor": factor,
        });
        compare("steer_maglev", config, choice, &history);
    }

    #[test]
    fn ring_hash((seed, events) in history(), factor in prop_oneof![Just(0), Just(200)]) {
        let config = json!({"requestHashHeader": "x", "hashBalanceFactor": factor});
        let channel = Channel::with_seed("steer_ring_hash", config, seed);
        let mut ready = ReadyEndpoints::default();
        for event in events {
            happen(&channel, &event, |id, _, connection| ready.report(id, connection));
            if matches!(event, Event::Update(_) | Event::UpdateRedescribed(_)) {
                channel.check_args();
            }
            // These picks ask for connections.
            channel.picks(5);
            ready.check(&channel, 100);
        }
    }
}
