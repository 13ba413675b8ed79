//! Compares a channel with the model after each event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use steer::calls::TrackedSlot;
use steer::endpoints::Connectivity::{Ready, TransientFailure};
use steer::endpoints::EndpointId;

use crate::events::{Event, happen};
use crate::lists::Model;
use crate::support::Channel;

/// How a policy chooses among the READY endpoints.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Choice {
    /// Any of them, at random.
    Any,
    /// One after the other.
    InTurn,
    /// As [`Choice::InTurn`], but only the first endpoint of each address.
    AddressesInTurn,
    /// One whose address has the fewest calls in flight.
    Fewest,
    /// Any whose address has at most this percentage of the mean number of calls in flight, rounded
    /// up.
    Bounded(usize),
}

/// A call in flight.
pub(crate) struct InFlight {
    name: char,
    /// An address is forgotten with its last endpoint. Its calls do not count when it comes back.
    counts: bool,
    slot: TrackedSlot,
}

/// A channel and its model.
pub(crate) struct Compared {
    channel: Channel,
    choice: Choice,
    model: Model,
    calls: Vec<InFlight>,
}

impl Compared {
    fn apply(&mut self, event: &Event) {
        let Compared { channel, model, calls, .. } = self;
        happen(channel, event, |id, state, connection| model.report(id, state, connection));
        match event {
            Event::Update(names) | Event::UpdateRedescribed(names) => {
                model.update(names, &channel.endpoints(), &channel.listed_endpoints());
            }
            Event::ChangeArgs => model.args += 1,
            Event::ChangeArgsOf(name) => *model.args_by_name.entry(*name).or_default() += 1,
            Event::End { except } => drop(calls.drain(..calls.len().saturating_sub(*except))),
            Event::Reports(_) | Event::Run | Event::CountCalls(_) | Event::NumberArgs(_) => {}
        }
    }

    fn check(&mut self) {
        assert_eq!(self.channel.runner.faults(), 0);
        let live: Vec<EndpointId> = self.channel.endpoints().into_keys().collect();
        let listed: BTreeSet<EndpointId> = self.model.listed().collect();
        assert_eq!(live, listed.into_iter().collect::<Vec<_>>(), "live endpoints");
        let left = self.model.forget_unlisted();
        self.calls.iter_mut().for_each(|call| call.counts &= left.contains(&call.name));
        assert_eq!(self.channel.state(), self.model.published);
        let ready = self.model.ready();
        match self.model.published {
            // Endpoints that have not reported decide the state. Until then, the old picker is in
            // use.
            Some(Ready) if ready.is_empty() => return,
            Some(Ready) => self.check_picks(&ready),
            Some(TransientFailure) => assert!(self.channel.pick().starts_with("fail UNAVAILABLE")),
            _ => assert_eq!(self.channel.pick(), "queue"),
        }
        let in_flight = self.calls.iter().map(|call| call.slot.call().connection());
        let mut held: BTreeSet<usize> =
            in_flight.map(|connection| connection.handle().number()).collect();
        held.extend(self.model.known.values().filter_map(|known| known.connection));
        assert_eq!(self.channel.held_connections(), held.len(), "connections held");
    }

    fn check_picks(&mut self, ready: &[(char, usize)]) {
        let mut ready = ready.to_vec();
        if self.choice == Choice::AddressesInTurn {
            let mut seen = BTreeSet::new();
            ready.retain(|(name, _)| seen.insert(*name));
        }
        let in_turn = matches!(self.choice, Choice::InTurn | Choice::AddressesInTurn);
        // Enough that chance leaves none out.
        let turns = if in_turn { 3 } else { 40 };
        let picked = self.channel.connections_picked(turns * ready.len());
        let expected: BTreeSet<usize> = ready.iter().map(|(_, connection)| *connection).collect();
        let is_expected = |connection: &usize| expected.contains(connection);
        assert!(picked.keys().all(is_expected), "{picked:?} of {expected:?}");
        if self.calls.is_empty() {
            assert_eq!(picked.len(), expected.len(), "{picked:?} of {expected:?}");
        }
        if in_turn {
            assert!(picked.values().all(|count| *count == turns), "{picked:?}");
        }
        let mut endpoints = BTreeMap::<char, usize>::new();
        ready.iter().for_each(|(name, _)| *endpoints.entry(*name).or_default() += 1);
        if matches!(self.choice, Choice::Fewest | Choice::Bounded(_)) {
            (0..3).for_each(|_| self.start_call(&endpoints));
        }
    }

    fn in_flight(&self, name: char) -> usize {
        self.calls.iter().filter(|call| call.counts && call.name == name).count()
    }

    /// Starts a call. The backends of these names are READY, each with so many endpoints.
    fn start_call(&mut self, ready: &BTreeMap<char, usize>) {
        let fewest = ready.keys().map(|name| self.in_flight(*name)).min();
        let (name, slot) = self.channel.start();
        let name = name.chars().next().expect("a letter");
        if self.choice == Choice::Fewest {
            assert_eq!(Some(self.in_flight(name)), fewest, "in flight at {name}");
        }
        self.calls.push(InFlight { name, counts: true, slot });
        if let Choice::Bounded(percent) = self.choice {
            // A backend that is listed twice may have twice as many.
            let endpoints = ready.values().sum::<usize>();
            let most = (percent * self.calls.len() * ready[&name]).div_ceil(100 * endpoints);
            assert!(self.in_flight(name) <= most, "in flight at {name}: more than {most}");
        }
    }
}

pub(crate) fn compare(
    policy: &str,
    config: Value,
    choice: Choice,
    (seed, events): &(u64, Vec<Event>),
) {
    let channel = Channel::with_seed(policy, config, *seed);
    let mut compared = Compared { channel, choice, model: Model::default(), calls: Vec::new() };
    for event in events {
        compared.apply(event);
        compared.check();
    }
}
