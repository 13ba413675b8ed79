//! The model of the current and the pending list.

use std::collections::{BTreeMap, BTreeSet};

use steer::endpoints::Connectivity::{self, Connecting, Idle, Ready, TransientFailure};
use steer::endpoints::EndpointId;

/// One list: the state that each endpoint counts with. `None` before its first report.
pub(crate) struct List(pub(crate) Vec<(EndpointId, Option<Connectivity>)>);

impl List {
    pub(crate) fn ids(&self) -> impl Iterator<Item = EndpointId> {
        self.0.iter().map(|(id, _)| *id)
    }

    pub(crate) fn count(&self, state: Connectivity) -> usize {
        self.0.iter().filter(|(_, counts)| *counts == Some(state)).count()
    }

    pub(crate) fn all_failed(&self) -> bool {
        self.count(TransientFailure) == self.0.len()
    }

    /// Returns whether the endpoint is in the list. Only READY ends a failure.
    pub(crate) fn record(&mut self, id: EndpointId, state: Connectivity) -> bool {
        let state = if state == Idle { Connecting } else { state };
        let Some((_, counts)) = self.0.iter_mut().find(|(other, _)| *other == id) else {
            return false;
        };
        if *counts != Some(TransientFailure) || state != Connecting {
            *counts = Some(state);
        }
        true
    }

    /// The state of the list. `None` if it is not known yet.
    pub(crate) fn aggregate(&self) -> Option<Connectivity> {
        let any = [Ready, Connecting].into_iter().find(|state| self.count(*state) > 0);
        any.or(self.all_failed().then_some(TransientFailure))
    }
}

/// A live endpoint.
pub(crate) struct Modelled {
    pub(crate) name: char,
    /// The args that it was made with.
    pub(crate) args: (u32, u32),
    pub(crate) reported: Option<Connectivity>,
    /// The number of its connection while it is READY.
    pub(crate) connection: Option<usize>,
}

/// The model of a policy with a current and a pending list.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) known: BTreeMap<EndpointId, Modelled>,
    pub(crate) current: Option<List>,
    pub(crate) pending: Option<List>,
    pub(crate) published: Option<Connectivity>,
    /// The args of all endpoints, and further args of some names.
    pub(crate) args: u32,
    pub(crate) args_by_name: BTreeMap<char, u32>,
}

impl Model {
    /// The endpoints of both lists, some of them twice.
    pub(crate) fn listed(&self) -> impl Iterator<Item = EndpointId> {
        self.current.iter().chain(&self.pending).flat_map(List::ids)
    }

    pub(crate) fn fits(&self, id: EndpointId, name: char) -> bool {
        let known = &self.known[&id];
        known.name == name && known.args == self.args_of(name)
    }

    pub(crate) fn args_of(&self, name: char) -> (u32, u32) {
        (self.args, self.args_by_name.get(&name).copied().unwrap_or(0))
    }

    pub(crate) fn publish(&mut self) {
        let aggregate = self.current.as_ref().and_then(List::aggregate);
        self.published = aggregate.or(self.published);
    }

    pub(crate) fn swap_in_if_due(&mut self) {
        let current_ready = self.current.as_ref().is_some_and(|list| list.count(Ready) > 0);
        let due = |list: &mut List| !current_ready || list.count(Ready) > 0 || list.all_failed();
        if let Some(list) = self.pending.take_if(due) {
            self.current = Some(list);
            self.publish();
        }
    }

    /// The endpoints of the latest update's list.
    fn latest(&self) -> Vec<EndpointId> {
        self.pending.as_ref().or(self.current.as_ref()).into_iter().flat_map(List::ids).collect()
    }

    /// The endpoints for these names. Each is the first free one of the latest list that fits, or
    /// the one that was made for it. `made_at` returns the endpoint at an index of the new list.
    fn choose(&self, names: &str, made_at: impl Fn(u32) -> EndpointId) -> Vec<EndpointId> {
        let mut free = self.latest();
        let mut choose = |(name, index)| {
            let Some(kept) = free.iter().copied().find(|id| self.fits(*id, name)) else {
                return made_at(index);
            };
            free.retain(|id| *id != kept);
            kept
        };
        names.chars().zip(0..).map(&mut choose).collect()
    }

    /// An update. `live` are the endpoints after it, `listed` those of its list by their indices.
    pub(crate) fn update(
        &mut self,
        names: &str,
        live: &BTreeMap<EndpointId, String>,
        listed: &BTreeMap<u32, EndpointId>,
    ) {
        let latest = self.latest();
        let repeats = self.current.as_ref().is_some_and(|list| {
            list.0.len() == names.chars().count()
                && list.ids().all(|id| latest.contains(&id))
                && list.ids().zip(names.chars()).all(|(id, name)| self.fits(id, name))
        });
        let ids = match &self.current {
            Some(list) if repeats => list.ids().collect(),
            _ => self.choose(names, |index| listed[&index]),
        };
        for (id, name) in live {
            let name = name.chars().next().expect("a letter");
            let args = self.args_of(name);
            let new = || Modelled { name, args, reported: None, connection: None };
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
            // Without any report, nothing changes.
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

    pub(crate) fn report(
        &mut self,
        id: EndpointId,
        state: Connectivity,
        connection: Option<usize>,
    ) {
        let known = self.known.get_mut(&id).expect("it is alive");
        (known.reported, known.connection) = (Some(state), connection);
        if self.current.as_mut().is_some_and(|list| list.record(id, state)) {
            self.publish();
        }
        if self.pending.as_mut().is_some_and(|list| list.record(id, state)) {
            self.swap_in_if_due();
        }
    }

    /// Forgets the endpoints that are in no list. Returns the names that are left.
    pub(crate) fn forget_unlisted(&mut self) -> BTreeSet<char> {
        let listed: BTreeSet<EndpointId> = self.listed().collect();
        self.known.retain(|id, _| listed.contains(id));
        self.known.values().map(|known| known.name).collect()
    }

    /// The name and the connection of each READY endpoint of the current list, in its order.
    pub(crate) fn ready(&self) -> Vec<(char, usize)> {
        let listed = self.current.iter().flat_map(List::ids).map(|id| &self.known[&id]);
        listed.filter_map(|known| Some((known.name, known.connection?))).collect()
    }
}
