//! A simpler model: the READY endpoints. And lists of more than 1,024 backends, which use it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use steer::endpoints::Connectivity::{Connecting, Ready};
use steer::endpoints::EndpointId;

use crate::support::Channel;

/// The READY endpoints, with the numbers of their connections.
#[derive(Default)]
pub(crate) struct ReadyEndpoints(pub(crate) BTreeMap<EndpointId, usize>);

impl ReadyEndpoints {
    pub(crate) fn report(&mut self, id: EndpointId, connection: Option<usize>) {
        match connection {
            Some(connection) => self.0.insert(id, connection),
            None => self.0.remove(&id),
        };
    }

    /// Checks that exactly these are picked, and that only their connections are held. Returns how
    /// often each was picked.
    pub(crate) fn check(&mut self, channel: &Channel, turns: usize) -> Vec<usize> {
        let live = channel.endpoints();
        self.0.retain(|id, _| live.contains_key(id));
        assert_eq!(channel.runner.faults(), 0);
        assert_eq!(channel.held_connections(), self.0.len(), "connections held");
        assert_eq!(channel.state() == Some(Ready), !self.0.is_empty());
        if self.0.is_empty() {
            return Vec::new();
        }
        let picked = channel.connections_picked(turns * self.0.len());
        let connections: BTreeSet<&usize> = self.0.values().collect();
        assert_eq!(picked.keys().collect::<BTreeSet<_>>(), connections);
        picked.into_values().collect()
    }
}

/// `count` names, from the one at the index `first` on.
pub(crate) fn many_names(first: usize, count: usize) -> String {
    // A range of about 21,000 letters.
    ('\u{4E00}'..='\u{9FFF}').skip(first).take(count).collect()
}

/// Lists of more than 1,024 backends. Sometimes more than 1,024 are READY, sometimes fewer.
pub(crate) fn compare_wide(policy: &str, config: Value, seed: u64) {
    let in_turn = policy.ends_with("round_robin");
    let turns = if in_turn { 2 } else { 20 };
    let mut rng = fastrand::Rng::with_seed(seed);
    let channel = Channel::with_seed(policy, config, seed);
    let mut ready = ReadyEndpoints::default();
    for count in [1300, 1100] {
        // Most of the list is READY already, so it is in use at once.
        channel.update(&many_names(rng.usize(..50), count)).unwrap();
        for likely in [None, Some(rng.f64()), Some(rng.f64())] {
            let live: Vec<EndpointId> = channel.endpoints().into_keys().collect();
            let reports: Vec<EndpointId> = match likely {
                // All that are not READY yet.
                None => live.iter().filter(|id| !ready.0.contains_key(id)).copied().collect(),
                Some(_) => rng.choose_multiple(&live, 300).into_iter().copied().collect(),
            };
            for id in reports {
                let is_ready = likely.is_none_or(|likely| rng.f64() < likely);
                let state = if is_ready { Ready } else { Connecting };
                ready.report(id, channel.report_state(id, state));
            }
            let counts = ready.check(&channel, turns);
            let are_even = counts.iter().all(|count| *count == turns);
            assert!(!in_turn || are_even, "{policy}, seed {seed}: {counts:?}");
        }
    }
}

#[test]
fn wide_lists_in_turn() {
    compare_wide("steer_round_robin", json!({}), 7);
    compare_wide("steer_weighted_round_robin", json!({}), 8);
    compare_wide("steer_weighted_round_robin", json!({"weights": {"z": 1.0}}), 9);
}

#[test]
fn wide_lists_at_random() {
    let policies = ["steer_random", "steer_least_request", "steer_peak_ewma", "steer_prequal"];
    for (policy, seed) in policies.into_iter().zip(7..) {
        compare_wide(policy, json!({}), seed);
    }
}

/// In a wide list, too, each backend gets turns by its weight.
#[test]
fn weights_of_a_wide_list() {
    const TURNS: usize = 10;
    let names = many_names(0, 1500);
    let weights: BTreeMap<char, usize> = names.chars().zip((1..=4).cycle()).collect();
    let config = json!({"weights": weights});
    let channel = Channel::with_seed("steer_weighted_round_robin", config, 1);
    channel.update(&names).unwrap();
    channel.ready_all();
    let picks = channel.picks(TURNS * weights.values().sum::<usize>());
    let mut picked: BTreeMap<char, usize> = BTreeMap::new();
    picks.chars().for_each(|name| *picked.entry(name).or_default() += 1);
    for (name, weight) in &weights {
        assert!(picked[name].abs_diff(TURNS * weight) <= 1, "{name}: {}", picked[name]);
    }
}
