//! Properties that hold after any events.

use std::collections::BTreeSet;

use proptest::prelude::*;
use steer::Status;
use steer::endpoints::Connectivity::{Connecting, Ready};
use steer::endpoints::EndpointId;

use crate::support::Channel;

/// An event in the property tests.
#[derive(Clone, Debug)]
enum Event {
    Update(Vec<u8>),
    Error,
    Idle(u8),
    Connecting(u8),
    Ready(u8),
    Fail(u8),
    ResetBackoff,
}

fn event() -> impl Strategy<Value = Event> {
    let backend = 0..6u8;
    prop_oneof![
        2 => prop::collection::vec(backend.clone(), 0..6).prop_map(Event::Update),
        1 => Just(Event::Error),
        2 => backend.clone().prop_map(Event::Idle),
        2 => backend.clone().prop_map(Event::Connecting),
        4 => backend.clone().prop_map(Event::Ready),
        2 => backend.prop_map(Event::Fail),
        1 => Just(Event::ResetBackoff),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// After any events, the picker chooses among the READY endpoints, all of them, and each as
    /// often as it is listed. Only the endpoints of the latest list and of the list in use are
    /// alive. At the end, nothing is left.
    #[test]
    #[cfg_attr(miri, ignore = "takes Miri minutes")]
    fn pickers_choose_exactly_the_ready_endpoints(
        events in prop::collection::vec(event(), 1..80),
    ) {
        let channel = Channel::round_robin();
        let mut latest: Option<String> = None;
        let mut ready_ids: BTreeSet<EndpointId> = Default::default();
        let name = |backend: u8| char::from(b'a' + backend);
        for event in events {
            let mut report = |backend: u8, how: &dyn Fn(&str), is_ready: bool| {
                let name = name(backend);
                let ids = channel.ids(name);
                if !ids.is_empty() {
                    how(&name.to_string());
                }
                for id in ids {
                    if is_ready { ready_ids.insert(id); } else { ready_ids.remove(&id); }
                }
            };
            match event {
                Event::Update(backends) => {
                    let names: String = backends.into_iter().map(name).collect();
                    let accepted = channel.update(&names);
                    prop_assert_eq!(accepted.is_err(), names.is_empty());
                    channel.report_first();
                    latest = Some(names);
                }
                Event::Error => {
                    let error = Status::unavailable("resolver");
                    prop_assert!(channel.update_with(Err(error)).is_err());
                    latest.get_or_insert_default();
                }
                Event::Idle(b) => report(b, &|n| channel.idle(n), false),
                Event::Connecting(b) => report(b, &|n| channel.connecting(n), false),
                Event::Ready(b) => report(b, &|n| channel.ready(n), true),
                Event::Fail(b) => report(b, &|n| channel.fail(n), false),
                Event::ResetBackoff => channel.runner.reset_backoff(),
            }
            let alive = channel.alive();
            let live = channel.endpoints();
            ready_ids.retain(|id| live.contains_key(id));
            let ready: BTreeSet<char> =
                ready_ids.iter().flat_map(|id| live[id].chars()).collect();
            let Some(latest) = &latest else { continue };
            for name in latest.chars() {
                prop_assert!(alive.contains(name), "{name} of {latest} is not alive: {alive}");
            }
            match channel.state().expect("published at the first update") {
                Ready => {
                    let picks = channel.picked(60);
                    prop_assert!(!picks.contains("queue") && !picks.contains("fail"));
                    for pick in picks.chars() {
                        prop_assert!(ready.contains(&pick), "{} of {:?}", pick, ready);
                    }
                    let in_latest: Vec<_> = latest.chars().filter(|n| ready.contains(n)).collect();
                    // Of an address that is listed twice, one endpoint may be READY and the other
                    // not.
                    let distinct: BTreeSet<_> = latest.chars().collect();
                    let settled = alive.len() == latest.len() && distinct.len() == latest.len();
                    if !in_latest.is_empty() && settled {
                        for name in &in_latest {
                            let count = picks.chars().filter(|n| n == name).count();
                            prop_assert_eq!(count * in_latest.len(), 60);
                        }
                    }
                }
                Connecting => prop_assert_eq!(channel.pick(), "queue"),
                _ => prop_assert!(channel.pick().starts_with("fail UNAVAILABLE: ")),
            }
        }
        channel.runner.close();
        prop_assert_eq!(channel.alive(), "");
    }

    /// After any updates, an empty list leaves no endpoint and no connection.
    #[test]
    #[cfg_attr(miri, ignore = "takes Miri minutes")]
    fn nothing_is_left_behind(lists in prop::collection::vec("[a-e]{0,7}", 1..20)) {
        let channel = Channel::round_robin();
        for list in &lists {
            let _ = channel.update(list);
            let mut names: Vec<char> = list.chars().collect();
            names.sort();
            names.dedup();
            channel.ready(&names.into_iter().collect::<String>());
            let mut sorted: Vec<char> = list.chars().collect();
            sorted.sort();
            prop_assert_eq!(channel.alive(), sorted.into_iter().collect::<String>());
        }
        let _ = channel.update("");
        prop_assert_eq!(channel.alive(), "");
        prop_assert_eq!(channel.held_connections(), 0);
    }
}
