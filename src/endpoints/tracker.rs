//! The current and the pending address list of a policy, and what updates and reports do to both.
//!
//! The rules are those of gRPC's `round_robin`; their numbers are those of the tests in
//! `tests/connectivity.rs`. An endpoint that stays the same from one list to the next is kept,
//! with its connection and with what it last reported; gRPC makes it anew and asks again.
//!
//! Cost: O(1) for a report, but for one that swaps the pending list in: O(endpoints). An update
//! is O(endpoints).
//!
//! Must not know: how a backend is chosen, the C ABI.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::list::{Aggregate, List};
use super::{Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, Places, Report};
use crate::Status;
use crate::policy::{Helper, Severity};

/// An endpoint that is in one list or both.
struct Tracked {
    endpoint: Box<dyn Endpoint>,
    descriptor: Arc<EndpointDescriptor>,
    /// What it reported last.
    reported: Option<Report>,
    /// Its places in the current and in the pending list.
    current: Option<usize>,
    pending: Option<usize>,
}

impl Tracked {
    /// What it can be reached over; none unless it is READY.
    fn connection(&self) -> Option<&Connection> {
        match &self.reported {
            Some(Report::Ready(connection)) => Some(connection),
            _ => None,
        }
    }
}

/// What an update led to.
#[derive(Debug)]
pub struct UpdateOutcome {
    /// What the resolver is told: whether the update was accepted.
    pub accepted: Result<(), Status>,
    /// What to publish, if anything.
    pub aggregate: Option<Aggregate>,
}

/// Keeps one connection to every endpoint of the current list, and readies the pending one.
pub struct Tracker {
    helper: Arc<dyn Helper>,
    endpoints: HashMap<EndpointId, Tracked>,
    current: Option<List>,
    pending: Option<List>,
    /// The connections of the READY endpoints of the current list, by their places in it.
    ready: Places<Connection>,
    /// Counts the current lists.
    list_number: u64,
    /// Counts the times that endpoints came or went.
    set_number: u64,
}

impl Tracker {
    /// No endpoints yet. What it needs it asks of `helper`.
    pub fn new(helper: Arc<dyn Helper>) -> Tracker {
        Tracker {
            helper,
            endpoints: HashMap::new(),
            current: None,
            pending: None,
            ready: Places::new(0),
            list_number: 0,
            set_number: 0,
        }
    }

    /// Takes a resolver's answer: a list of endpoints, or why there is none.
    pub fn update(
        &mut self,
        endpoints: Result<&[Arc<EndpointDescriptor>], &Status>,
        resolution_note: &str,
    ) -> UpdateOutcome {
        // Rule 6: an error leaves the list that is in use.
        let (descriptors, error) = match endpoints {
            Ok(descriptors) => (descriptors, None),
            Err(error) if self.current.is_some() => {
                return UpdateOutcome { accepted: Err(error.clone()), aggregate: None };
            }
            Err(error) => (&[][..], Some(error)),
        };
        self.replace_pending(descriptors);
        if self.pending.as_ref().is_some_and(|list| list.len() == 0) {
            self.promote();
            let status = error.cloned().unwrap_or_else(|| {
                Status::unavailable(format!("empty address list: {resolution_note}"))
            });
            return UpdateOutcome {
                accepted: Err(status.clone()),
                aggregate: Some(Aggregate::TransientFailure(status)),
            };
        }
        let first = self.current.is_none();
        if first {
            self.promote();
        }
        let aggregate = self.initial_reports().or(first.then_some(Aggregate::Connecting));
        UpdateOutcome { accepted: Ok(()), aggregate }
    }

    /// Takes an endpoint's report; returns what to publish, if anything. `Err` when there is no
    /// such endpoint (any more).
    pub fn report(
        &mut self,
        id: EndpointId,
        report: Report,
    ) -> Result<Option<Aggregate>, UnknownEndpoint> {
        let tracked = self.endpoints.get_mut(&id).ok_or(UnknownEndpoint)?;
        let state = report.state();
        // Rule 4: the resolver may know better. Not at the first report, or resolving anew would
        // lead to resolving anew.
        let lost = matches!(state, Connectivity::Idle | Connectivity::TransientFailure);
        if lost && tracked.reported.is_some() {
            self.helper.request_reresolution();
        }
        if state == Connectivity::Idle {
            tracked.endpoint.connect();
        }
        let cause = match &report {
            Report::TransientFailure(status) => Some(status.clone()),
            _ => None,
        };
        tracked.reported = Some(report);
        let (in_current, in_pending) = (tracked.current, tracked.pending);
        let mut published = None;
        if let (Some(index), Some(list)) = (in_current, self.current.as_mut()) {
            list.record(index, state);
            published = list.aggregate(cause.as_ref());
            self.ready.set(index, tracked.connection().cloned());
        }
        if let (Some(index), Some(list)) = (in_pending, self.pending.as_mut()) {
            list.record(index, state);
            if self.promote_if_due() {
                // Where the new list has nothing to say yet, what the old one said last holds.
                let aggregate =
                    self.current.as_mut().and_then(|list| list.aggregate(cause.as_ref()));
                published = aggregate.or(published);
            }
        }
        Ok(published)
    }

    /// Forgets the backoff of every endpoint, in the order of the lists.
    pub fn reset_backoff(&self) {
        for id in self.listed() {
            self.endpoints[&id].endpoint.reset_backoff();
        }
    }

    /// The READY endpoints of the current list with their places in it, in its order.
    pub fn ready(&self) -> impl Iterator<Item = (usize, &Connection, &Arc<EndpointDescriptor>)> {
        let entries = self.current.as_ref().map_or(&[][..], List::entries);
        self.ready.iter().filter_map(|(place, connection)| {
            Some((place, connection, self.descriptor(entries[place].id)?))
        })
    }

    /// The connections of the READY endpoints of the current list, by their places in it.
    pub fn connections(&self) -> &Places<Connection> {
        &self.ready
    }

    /// A number that changes when the current list does.
    pub fn list_number(&self) -> u64 {
        self.list_number
    }

    /// A number that changes when endpoints come or go.
    pub fn set_number(&self) -> u64 {
        self.set_number
    }

    /// What the resolver knows of the endpoints of the current list, in its order.
    pub fn listed_descriptors(&self) -> impl Iterator<Item = &Arc<EndpointDescriptor>> {
        let entries = self.current.iter().flat_map(List::entries);
        entries.filter_map(|entry| self.descriptor(entry.id))
    }

    /// What the resolver knows of this endpoint.
    pub fn descriptor(&self, id: EndpointId) -> Option<&Arc<EndpointDescriptor>> {
        self.endpoints.get(&id).map(|tracked| &tracked.descriptor)
    }

    /// Whether READY is what this endpoint reported last.
    pub fn is_ready(&self, id: EndpointId) -> bool {
        self.endpoints.get(&id).is_some_and(|tracked| tracked.connection().is_some())
    }

    /// What the resolver knows of every endpoint there is: of the current list, and of the pending one.
    pub fn descriptors(&self) -> impl Iterator<Item = &Arc<EndpointDescriptor>> {
        self.endpoints.values().map(|tracked| &tracked.descriptor)
    }

    /// Makes a list of `descriptors` the pending one: keeps the endpoints that stay, makes the new
    /// ones, and drops those that only the former pending list had.
    fn replace_pending(&mut self, descriptors: &[Arc<EndpointDescriptor>]) {
        let kept = self.kept(descriptors);
        let former = self.pending.take();
        for entry in former.iter().flat_map(List::entries) {
            if let Some(tracked) = self.endpoints.get_mut(&entry.id) {
                tracked.pending = None;
            }
        }
        let mut ids = Vec::with_capacity(descriptors.len());
        for (descriptor, kept) in descriptors.iter().zip(kept) {
            let id = match kept {
                Some(id) => id,
                None => match self.helper.create_endpoint(descriptor) {
                    Ok(endpoint) => self.insert(endpoint, descriptor),
                    Err(status) => {
                        self.helper.log(
                            Severity::Debug,
                            &format!("no endpoint for {:?}: {status}", descriptor.addresses),
                        );
                        continue;
                    }
                },
            };
            let tracked = self.endpoints.get_mut(&id).expect("just found or inserted");
            tracked.descriptor = Arc::clone(descriptor);
            tracked.pending = Some(ids.len());
            ids.push(id);
        }
        self.pending = Some(List::new(ids.into_iter()));
        self.drop_unlisted(former);
    }

    fn insert(
        &mut self,
        endpoint: Box<dyn Endpoint>,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> EndpointId {
        let id = endpoint.id();
        let descriptor = Arc::clone(descriptor);
        let tracked =
            Tracked { endpoint, descriptor, reported: None, current: None, pending: None };
        self.endpoints.insert(id, tracked);
        self.set_number += 1;
        id
    }

    /// Every endpoint once: those of the current list, then those that only the pending one has.
    fn listed(&self) -> impl Iterator<Item = EndpointId> {
        let current = self.current.iter().flat_map(List::entries);
        let pending = self.pending.iter().flat_map(List::entries);
        let only_pending = pending.filter(|entry| self.endpoints[&entry.id].current.is_none());
        current.chain(only_pending).map(|entry| entry.id)
    }

    /// For each of `descriptors` the endpoint there is for it, if the host would make it just the same. Of
    /// several with the same addresses, the first in the new list gets the first in the old ones.
    fn kept(&self, descriptors: &[Arc<EndpointDescriptor>]) -> Vec<Option<EndpointId>> {
        let fits = |id: EndpointId, descriptor: &EndpointDescriptor| {
            let tracked = &self.endpoints[&id];
            tracked.descriptor.addresses == descriptor.addresses
                && tracked.endpoint.matches(descriptor)
        };
        // Most lists repeat the one in use: then nothing needs to be looked up by its addresses.
        let current = self.current.as_ref().map_or(&[][..], List::entries);
        if current.len() == descriptors.len()
            && current.iter().zip(descriptors).all(|(entry, descriptor)| fits(entry.id, descriptor))
        {
            return current.iter().map(|entry| Some(entry.id)).collect();
        }
        let mut candidates: HashMap<&[String], VecDeque<EndpointId>> = HashMap::new();
        for id in self.listed() {
            let addresses = self.endpoints[&id].descriptor.addresses.as_slice();
            candidates.entry(addresses).or_default().push_back(id);
        }
        let take = |descriptor: &Arc<EndpointDescriptor>| {
            let candidates = candidates.get_mut(descriptor.addresses.as_slice())?;
            let at = candidates.iter().position(|id| fits(*id, descriptor))?;
            candidates.remove(at)
        };
        descriptors.iter().map(take).collect()
    }

    /// Gives the new list's kept endpoints their first report in it: what they reported last.
    /// Stickiness begins anew with a list, as it does in gRPC.
    fn initial_reports(&mut self) -> Option<Aggregate> {
        let is_pending = self.pending.is_some();
        let list = self.pending.as_mut().or(self.current.as_mut())?;
        let mut any = false;
        let mut cause = None;
        for index in 0..list.len() {
            let tracked = &self.endpoints[&list.entries()[index].id];
            let Some(reported) = &tracked.reported else {
                continue;
            };
            any = true;
            match reported {
                Report::TransientFailure(status) => cause = Some(status.clone()),
                Report::Idle => tracked.endpoint.connect(),
                Report::Connecting | Report::Ready(_) => {}
            }
            list.record(index, reported.state());
            if !is_pending {
                self.ready.set(index, tracked.connection().cloned());
            }
        }
        if !any || (is_pending && !self.promote_if_due()) {
            return None;
        }
        self.current.as_mut().and_then(|list| list.aggregate(cause.as_ref()))
    }

    /// Rule 5: swaps the pending list in when it is due.
    fn promote_if_due(&mut self) -> bool {
        let Some(pending) = &self.pending else {
            return false;
        };
        let current_ready = self.current.as_ref().is_some_and(List::has_ready);
        let due = !current_ready || pending.has_ready() || pending.all_failed();
        if due {
            self.promote();
        }
        due
    }

    /// Makes the pending list the current one and drops the endpoints that only the latter had.
    fn promote(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.list_number += 1;
        let former = self.current.take();
        for entry in former.iter().flat_map(List::entries) {
            if let Some(tracked) = self.endpoints.get_mut(&entry.id) {
                tracked.current = None;
            }
        }
        for entry in pending.entries() {
            if let Some(tracked) = self.endpoints.get_mut(&entry.id) {
                tracked.current = tracked.pending.take();
            }
        }
        self.ready = Places::new(pending.len());
        for (index, entry) in pending.entries().iter().enumerate() {
            // An endpoint that is new in the list counts with its first report in it.
            if entry.state.is_some() {
                self.ready.set(index, self.endpoints[&entry.id].connection().cloned());
            }
        }
        self.current = Some(pending);
        self.drop_unlisted(former);
    }

    /// Drops the endpoints of a list that was replaced, unless another list still has them.
    fn drop_unlisted(&mut self, former: Option<List>) {
        for entry in former.iter().flat_map(List::entries) {
            let unlisted = self
                .endpoints
                .get(&entry.id)
                .is_some_and(|tracked| tracked.current.is_none() && tracked.pending.is_none());
            if unlisted {
                self.endpoints.remove(&entry.id);
                self.set_number += 1;
            }
        }
    }
}

/// There is no such endpoint (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEndpoint;
