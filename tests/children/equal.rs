//! A policy below others behaves as it does alone.

use proptest::prelude::*;
use steer::endpoints::Connectivity;

use super::*;

/// One event of a channel.
#[derive(Clone, Debug)]
enum Event {
    Update(String),
    Report(usize, Connectivity),
    ExitIdle,
    ResetBackoff,
    Pick,
    Advance(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let state = prop::sample::select(vec![
        Connectivity::Idle,
        Connectivity::Connecting,
        Connectivity::Ready,
        Connectivity::Ready,
        Connectivity::TransientFailure,
    ]);
    prop_oneof![
        2 => "[a-e]{0,6}".prop_map(Event::Update),
        8 => (any::<usize>(), state).prop_map(|(number, state)| Event::Report(number, state)),
        1 => Just(Event::ExitIdle),
        1 => Just(Event::ResetBackoff),
        6 => Just(Event::Pick),
        1 => (0_u64..20).prop_map(Event::Advance),
    ]
}

/// What a channel does in answer to an event, as users and hosts see it.
fn answer(channel: &Channel, event: &Event) -> String {
    let mut answer = match event {
        Event::Update(names) => format!("{:?}", channel.update(names)),
        Event::Report(number, state) => {
            let endpoints: Vec<_> = channel.endpoints().into_iter().collect();
            if endpoints.is_empty() {
                return String::new();
            }
            let (id, name) = &endpoints[number % endpoints.len()];
            channel.report_state(*id, *state);
            format!("{name} {state:?}")
        }
        Event::ExitIdle => {
            channel.runner.exit_idle();
            String::new()
        }
        Event::ResetBackoff => {
            channel.runner.reset_backoff();
            String::new()
        }
        Event::Pick if channel.state().is_some() => channel.pick(),
        Event::Pick => String::new(),
        Event::Advance(seconds) => {
            channel.advance(std::time::Duration::from_secs(*seconds));
            String::new()
        }
    };
    channel.run();
    let state = channel.state().map(|state| (state, channel.status()));
    answer += &format!(" {state:?} {} {}", channel.alive(), channel.held_connections());
    answer
}

/// Parents that leave everything to their child.
fn parents(child: Value) -> Value {
    let locality = json!({"zone": "", "childPolicy": [child]});
    let priority = json!({
        "failoverTimeout": "100000s", "childPolicy": [{"steer_locality": locality}],
    });
    with_child("steer_priority", priority)
}

fn check(policy: &str, config: Value, events: &[Event]) -> Result<(), TestCaseError> {
    let alone = Channel::with(policy, config.clone());
    let below = Channel::with("steer_subset", parents(json!({policy: config})));
    for (number, event) in events.iter().enumerate() {
        let expected = answer(&alone, event);
        prop_assert_eq!(answer(&below, event), expected, "event {}: {:?}", number, event);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn round_robin(events in prop::collection::vec(event(), 1..60)) {
        check("steer_round_robin", json!({}), &events)?;
    }

    #[test]
    fn least_request(events in prop::collection::vec(event(), 1..60)) {
        check("steer_least_request", json!({}), &events)?;
    }

    #[test]
    fn peak_ewma(events in prop::collection::vec(event(), 1..60)) {
        check("steer_peak_ewma", json!({}), &events)?;
    }

    #[test]
    fn weighted_round_robin(events in prop::collection::vec(event(), 1..60)) {
        check("steer_weighted_round_robin", json!({"weights": {"a": 3}}), &events)?;
    }

    #[test]
    fn ring_hash(events in prop::collection::vec(event(), 1..60)) {
        check("steer_ring_hash", json!({"minRingSize": 16}), &events)?;
    }

    #[test]
    fn maglev(events in prop::collection::vec(event(), 1..60)) {
        check("steer_maglev", json!({"tableSize": 11}), &events)?;
    }
}
