//! The events of a channel.

use proptest::prelude::*;
use proptest::sample::Index;
use steer::endpoints::Connectivity::{self, Connecting, Idle, Ready, TransientFailure};
use steer::endpoints::EndpointId;

use crate::support::Channel;

/// An event of a channel.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A list, in which an address may come twice.
    Update(String),
    /// As [`Event::Update`], with new descriptor objects.
    UpdateRedescribed(String),
    /// From now on, all endpoints are made with other args, so that the next list keeps none.
    ChangeArgs,
    /// From now on, the endpoints of this name are made with other args.
    ChangeArgsOf(char),
    /// Whether the host numbers the args. If not, it is asked whether they are the same.
    NumberArgs(bool),
    /// Some of the live endpoints report these states.
    Reports(Vec<(Index, Connectivity)>),
    /// The host runs the work that the engine asked to run later.
    Run,
    /// Calls in flight end, except the latest ones, of this number.
    End { except: usize },
    /// Whether statistics count calls from the next picker on. This is global, for the tests on all
    /// threads. They work either way: their picks may be tracked or not.
    CountCalls(bool),
}

/// Any names, or five different ones: some policies treat lists of equal length in a special way.
pub(crate) fn names() -> impl Strategy<Value = String> {
    let all: Vec<char> = ('a'..='g').collect();
    let once = prop::sample::subsequence(all, 5).prop_map(String::from_iter);
    prop_oneof!["[a-g]{1,8}", once.clone(), once]
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let state = prop_oneof![
        1 => Just(Idle),
        1 => Just(Connecting),
        1 => Just(TransientFailure),
        3 => Just(Ready),
    ];
    let reports = prop::collection::vec((any::<Index>(), state), 1..3);
    prop_oneof![
        3 => names().prop_map(Event::Update),
        3 => names().prop_map(Event::UpdateRedescribed),
        1 => Just(Event::ChangeArgs),
        2 => prop::char::range('a', 'g').prop_map(Event::ChangeArgsOf),
        1 => any::<bool>().prop_map(Event::NumberArgs),
        20 => reports.prop_map(Event::Reports),
        4 => Just(Event::Run),
        3 => (0..6_usize).prop_map(|except| Event::End { except }),
        2 => any::<bool>().prop_map(Event::CountCalls),
    ]
}

/// The seed of a channel, and its events. The first is a list.
pub(crate) fn history() -> impl Strategy<Value = (u64, Vec<Event>)> {
    (any::<u64>(), names(), prop::collection::vec(event(), 1..60)).prop_map(
        |(seed, names, then)| {
            let mut events = vec![Event::Update(names)];
            events.extend(then);
            (seed, events)
        },
    )
}

/// Applies an event to the channel. Calls `reported` for each report, with the number of the
/// connection if the state is READY.
pub(crate) fn happen(
    channel: &Channel,
    event: &Event,
    mut reported: impl FnMut(EndpointId, Connectivity, Option<usize>),
) {
    match event {
        Event::Update(names) => channel.update(names).unwrap(),
        Event::UpdateRedescribed(names) => channel.update_redescribed(names).unwrap(),
        Event::ChangeArgs => channel.change_args(),
        Event::ChangeArgsOf(name) => channel.change_args_of(*name),
        Event::NumberArgs(numbers) => channel.number_args(*numbers),
        Event::Reports(reports) => {
            for (index, state) in reports {
                let live: Vec<EndpointId> = channel.endpoints().into_keys().collect();
                // There may be none: some policies make endpoints only for calls.
                if !live.is_empty() {
                    let id = *index.get(&live);
                    reported(id, *state, channel.report_state(id, *state));
                }
            }
        }
        Event::Run => channel.run(),
        Event::End { .. } => {}
        Event::CountCalls(on) => steer::stats::track_calls(*on),
    }
}
