//! Every policy against a model of it, whatever lists and reports come: which endpoints there are, which state is
//! published, which connections calls go to and how often, and which connections are still held.
//!
//! The model says all of it of the current and the pending list, in the most simple way: it goes over all endpoints
//! each time, and keeps nothing that it could find out anew. For `steer_ring_hash`, which has one list and connects
//! when it is asked to, and for lists of more than 1,024 backends it is simpler still: which endpoints are READY.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use steer::calls::TrackedSlot;
use steer::endpoints::Connectivity::{self, Connecting, Idle, Ready, TransientFailure};
use steer::endpoints::EndpointId;
use support::Channel;

/// What happens to a channel.
#[derive(Clone, Debug)]
enum Event {
    /// A list, where an address may come twice.
    Update(String),
    /// As [`Event::Update`], and what stays in it is described anew.
    UpdateAnew(String),
    /// Endpoints are made with something else from now on, so that none is good for the next list.
    OtherArgs,
    /// The endpoints of this name are made with something else from now on.
    OtherArgsOf(char),
    /// The host numbers what it makes endpoints with, or is asked whether that is the same.
    NumberArgs(bool),
    /// Some of the live endpoints report these states.
    Reports(Vec<(Index, Connectivity)>),
    /// The host runs what the engine wants to be run later.
    Run,
    /// Calls in flight end, but for so many that are the latest.
    End { but: usize },
    /// Statistics count calls from the next picker on, or do not. It is the same for the tests on all threads, to
    /// which it makes no difference: their picks may be tracked or not.
    CountCalls(bool),
}

/// Any names; or five different ones, as lists of one length have a way of their own through some policies.
fn names() -> impl Strategy<Value = String> {
    let all: Vec<char> = ('a'..='g').collect();
    let once = prop::sample::subsequence(all, 5).prop_map(String::from_iter);
    prop_oneof!["[a-g]{1,8}", once.clone(), once]
}

fn event() -> impl Strategy<Value = Event> {
    let state = prop_oneof![
        1 => Just(Idle),
        1 => Just(Connecting),
        1 => Just(TransientFailure),
        3 => Just(Ready),
    ];
    let reports = prop::collection::vec((any::<Index>(), state), 1..3);
    prop_oneof![
        3 => names().prop_map(Event::Update),
        3 => names().prop_map(Event::UpdateAnew),
        1 => Just(Event::OtherArgs),
        2 => prop::char::range('a', 'g').prop_map(Event::OtherArgsOf),
        1 => any::<bool>().prop_map(Event::NumberArgs),
        20 => reports.prop_map(Event::Reports),
        4 => Just(Event::Run),
        3 => (0..6_usize).prop_map(|but| Event::End { but }),
        2 => any::<bool>().prop_map(Event::CountCalls),
    ]
}

/// A channel's seed and what happens to it, a list first.
fn history() -> impl Strategy<Value = (u64, Vec<Event>)> {
    (any::<u64>(), names(), prop::collection::vec(event(), 1..60)).prop_map(
        |(seed, names, then)| {
            let mut events = vec![Event::Update(names)];
            events.extend(then);
            (seed, events)
        },
    )
}

/// Lets it happen to the channel. `reported` hears of reports, with the numbers of READY endpoints' connections.
fn happen(
    channel: &Channel,
    event: &Event,
    mut reported: impl FnMut(EndpointId, Connectivity, Option<usize>),
) {
    match event {
        Event::Update(names) => channel.update(names).unwrap(),
        Event::UpdateAnew(names) => channel.update_anew(names).unwrap(),
        Event::OtherArgs => channel.other_args(),
        Event::OtherArgsOf(name) => channel.other_args_of(*name),
        Event::NumberArgs(numbers) => channel.number_args(*numbers),
        Event::Reports(reports) => {
            for (index, state) in reports {
                let live: Vec<EndpointId> = channel.endpoints().into_keys().collect();
                // A policy may connect only when it is asked to.
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

/// One list: the state that each endpoint counts with, if it has reported any.
struct List(Vec<(EndpointId, Option<Connectivity>)>);

impl List {
    fn ids(&self) -> impl Iterator<Item = EndpointId> {
        self.0.iter().map(|(id, _)| *id)
    }

    fn count(&self, state: Connectivity) -> usize {
        self.0.iter().filter(|(_, counts)| *counts == Some(state)).count()
    }

    fn all_failed(&self) -> bool {
        self.count(TransientFailure) == self.0.len()
    }

    /// Returns whether the endpoint is in the list. Only READY ends a failure.
    fn record(&mut self, id: EndpointId, state: Connectivity) -> bool {
        let state = if state == Idle { Connecting } else { state };
        let Some((_, counts)) = self.0.iter_mut().find(|(other, _)| *other == id) else {
            return false;
        };
        if *counts != Some(TransientFailure) || state != Connecting {
            *counts = Some(state);
        }
        true
    }

    /// None: it is not known yet.
    fn aggregate(&self) -> Option<Connectivity> {
        let any = [Ready, Connecting].into_iter().find(|state| self.count(*state) > 0);
        any.or(self.all_failed().then_some(TransientFailure))
    }
}

/// A live endpoint.
struct Known {
    name: char,
    /// What it was made with.
    args: (u32, u32),
    reported: Option<Connectivity>,
    /// The number of its connection while it is READY.
    connection: Option<usize>,
}

/// What is to be seen of a policy with a current and a pending list.
#[derive(Default)]
struct Model {
    known: BTreeMap<EndpointId, Known>,
    current: Option<List>,
    pending: Option<List>,
    published: Option<Connectivity>,
    /// What all endpoints are made with, and what some are.
    args: u32,
    own_args: BTreeMap<char, u32>,
}

impl Model {
    /// The endpoints of both lists, some of them twice.
    fn listed(&self) -> impl Iterator<Item = EndpointId> {
        self.current.iter().chain(&self.pending).flat_map(List::ids)
    }

    fn fits(&self, id: EndpointId, name: char) -> bool {
        let known = &self.known[&id];
        known.name == name && known.args == self.args_of(name)
    }

    fn args_of(&self, name: char) -> (u32, u32) {
        (self.args, self.own_args.get(&name).copied().unwrap_or(0))
    }

    fn publish(&mut self) {
        let aggregate = self.current.as_ref().and_then(List::aggregate);
        self.published = aggregate.or(self.published);
    }

    fn swap_in_if_due(&mut self) {
        let current_ready = self.current.as_ref().is_some_and(|list| list.count(Ready) > 0);
        let due = |list: &mut List| !current_ready || list.count(Ready) > 0 || list.all_failed();
        if let Some(list) = self.pending.take_if(due) {
            self.current = Some(list);
            self.publish();
        }
    }

    /// The endpoints for these names: each is the first that fits and is not taken, or one that was `made` for it.
    fn choose(&self, names: &str, mut made: impl Iterator<Item = EndpointId>) -> Vec<EndpointId> {
        let mut free: Vec<EndpointId> = self.listed().collect();
        let mut choose = |name| {
            let Some(kept) = free.iter().copied().find(|id| self.fits(*id, name)) else {
                return made.next().expect("one is made for each that is new");
            };
            free.retain(|id| *id != kept);
            kept
        };
        names.chars().map(&mut choose).collect()
    }

    /// There is another list; `live` are the endpoints after it.
    fn update(&mut self, names: &str, live: &BTreeMap<EndpointId, String>) {
        let repeats = self.current.as_ref().is_some_and(|list| {
            list.0.len() == names.chars().count()
                && list.ids().zip(names.chars()).all(|(id, name)| self.fits(id, name))
        });
        let made = live.keys().filter(|id| !self.known.contains_key(id)).copied();
        let ids = match &self.current {
            Some(list) if repeats => list.ids().collect(),
            _ => self.choose(names, made),
        };
        for (id, name) in live {
            let name = name.chars().next().expect("a letter");
            let args = self.args_of(name);
            let new = || Known { name, args, reported: None, connection: None };
            self.known.entry(*id).or_insert_with(new);
        }
        let mut list = List(ids.iter().map(|id| (*id, None)).collect());
        let mut any_reported = false;
        for id in ids {
            if let Some(state) = self.known[&id].reported {
                any_reported |= list.record(id, state);
            }
        }
        if self.current.is_none() {
            self.current = Some(list);
            self.published = Some(Connecting);
        } else if repeats {
            (self.current, self.pending) = (Some(list), None);
            // Endpoints that have reported nothing change nothing.
            if any_reported {
                self.publish();
            }
        } else {
            self.pending = Some(list);
            if any_reported {
                self.swap_in_if_due();
            }
        }
    }

    fn report(&mut self, id: EndpointId, state: Connectivity, connection: Option<usize>) {
        let known = self.known.get_mut(&id).expect("it is alive");
        (known.reported, known.connection) = (Some(state), connection);
        if self.current.as_mut().is_some_and(|list| list.record(id, state)) {
            self.publish();
        }
        if self.pending.as_mut().is_some_and(|list| list.record(id, state)) {
            self.swap_in_if_due();
        }
    }

    /// Forgets endpoints that are in no list, and returns the names that are left.
    fn forget_unlisted(&mut self) -> BTreeSet<char> {
        let listed: BTreeSet<EndpointId> = self.listed().collect();
        self.known.retain(|id, _| listed.contains(id));
        self.known.values().map(|known| known.name).collect()
    }

    /// Name and connection of each READY endpoint of the current list, in its order.
    fn ready(&self) -> Vec<(char, usize)> {
        let listed = self.current.iter().flat_map(List::ids).map(|id| &self.known[&id]);
        listed.filter_map(|known| Some((known.name, known.connection?))).collect()
    }
}

/// How a policy chooses among the READY endpoints.
#[derive(Clone, Copy, PartialEq)]
enum Choice {
    /// Any of them, and none is left out.
    Any,
    /// Each in its turn.
    InTurn,
    /// As [`Choice::InTurn`], where the first of those with the same address stands for all.
    AddressesInTurn,
    /// One whose address has the fewest calls in flight.
    Fewest,
    /// Any whose address has no more than so many percent of the mean of calls in flight, rounded up.
    Bounded(usize),
}

/// A call in flight.
struct InFlight {
    name: char,
    /// An address is forgotten with its last endpoint, and calls that it had do not count when it comes back.
    counts: bool,
    slot: TrackedSlot,
}

/// A channel and what is to be seen of it.
struct Compared {
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
            Event::Update(names) | Event::UpdateAnew(names) => {
                model.update(names, &channel.endpoints());
            }
            Event::OtherArgs => model.args += 1,
            Event::OtherArgsOf(name) => *model.own_args.entry(*name).or_default() += 1,
            Event::End { but } => drop(calls.drain(..calls.len().saturating_sub(*but))),
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
            // Those who have not reported yet decide, and until then the former picker is in use.
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
        // So many that chance leaves none out.
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
        let names: BTreeSet<char> = ready.iter().map(|(name, _)| *name).collect();
        if matches!(self.choice, Choice::Fewest | Choice::Bounded(_)) {
            (0..3).for_each(|_| self.start_call(&names));
        }
    }

    fn in_flight(&self, name: char) -> usize {
        self.calls.iter().filter(|call| call.counts && call.name == name).count()
    }

    /// One more call; the backends of these names are READY.
    fn start_call(&mut self, ready: &BTreeSet<char>) {
        let fewest = ready.iter().map(|name| self.in_flight(*name)).min();
        let (name, slot) = self.channel.start();
        let name = name.chars().next().expect("a letter");
        if self.choice == Choice::Fewest {
            assert_eq!(Some(self.in_flight(name)), fewest, "in flight at {name}");
        }
        self.calls.push(InFlight { name, counts: true, slot });
        if let Choice::Bounded(percent) = self.choice {
            let most = (percent * self.calls.len()).div_ceil(100 * ready.len());
            assert!(self.in_flight(name) <= most, "in flight at {name}: more than {most}");
        }
    }
}

fn compare(policy: &str, config: Value, choice: Choice, (seed, events): &(u64, Vec<Event>)) {
    let channel = Channel::with_seed(policy, config, *seed);
    let mut compared = Compared { channel, choice, model: Model::default(), calls: Vec::new() };
    for event in events {
        compared.apply(event);
        compared.check();
    }
}

/// The READY endpoints, with the numbers of their connections.
#[derive(Default)]
struct ReadyEndpoints(BTreeMap<EndpointId, usize>);

impl ReadyEndpoints {
    fn report(&mut self, id: EndpointId, connection: Option<usize>) {
        match connection {
            Some(connection) => self.0.insert(id, connection),
            None => self.0.remove(&id),
        };
    }

    /// All of them and no others are picked, and nothing else is held. Returns how often they were picked.
    fn check(&mut self, channel: &Channel, turns: usize) -> Vec<usize> {
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

/// So many names, from one that comes so late.
fn many_names(first: usize, count: usize) -> String {
    // Letters, and more than enough.
    ('\u{4E00}'..='\u{9FFF}').skip(first).take(count).collect()
}

/// Lists of more than 1,024 backends, of which there are now more than that READY and now less.
fn compare_wide(policy: &str, config: Value, seed: u64) {
    let in_turn = policy.ends_with("round_robin");
    let turns = if in_turn { 2 } else { 20 };
    let mut rng = fastrand::Rng::with_seed(seed);
    let channel = Channel::with_seed(policy, config, seed);
    let mut ready = ReadyEndpoints::default();
    for count in [1300, 1100] {
        // Most of it is READY already, so that it is in use at once.
        channel.update(&many_names(rng.usize(..50), count)).unwrap();
        for likely in [None, Some(rng.f64()), Some(rng.f64())] {
            let live: Vec<EndpointId> = channel.endpoints().into_keys().collect();
            let reports: Vec<EndpointId> = match likely {
                // All that are not yet.
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

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn round_robin(history in history()) {
        compare("steer_round_robin", json!({}), Choice::InTurn, &history);
    }

    /// As long as no other weight is known than one of a backend that there is not.
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

    /// The clock stands still, so that all backends are as fast.
    #[test]
    fn peak_ewma(history in history()) {
        compare("steer_peak_ewma", json!({"fullScanBelow": 100}), Choice::Fewest, &history);
    }

    /// No call has the header, so that hashes are random; so it is with the ring.
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
            if matches!(event, Event::Update(_) | Event::UpdateAnew(_)) {
                channel.check_args();
            }
            // These ask for connections.
            channel.picks(5);
            ready.check(&channel, 100);
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
    for (policy, seed) in ["steer_random", "steer_least_request", "steer_peak_ewma"].iter().zip(7..)
    {
        compare_wide(policy, json!({}), seed);
    }
}

/// In a wide list, too, each backend has as many turns as its weight says.
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
