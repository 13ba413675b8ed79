//! The current and the pending address list of a policy, and what updates and reports do to both.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the interface: updates, reports, and what policies read |
//! | `replace.rs` | how an update replaces a list, and when the pending list becomes current |
//! | `kept.rs` | which endpoints an update keeps |
//! | `index.rs` | the endpoints of both lists, found by number and by addresses |
//!
//! The rules are those of gRPC's `round_robin`. `tests/connectivity` tests them under the same
//! numbers. There is one difference: an endpoint that is the same in the next list is kept, with
//! its connection and its latest report. gRPC makes a new one and waits for its report. An endpoint
//! that an update left out is not kept, although the current list may still use it. New endpoints
//! are made, and so connect, from a random one on.
//!
//! Cost of a report: O(1). If it makes the pending list current: O(endpoints).
//!
//! Cost of an update: O(1) for the very list that is in use, if all endpoints that have reported
//! are READY. Any other update compares each endpoint with the one at the same index of the current
//! list: O(endpoints), a few loads each. An endpoint that is not found there costs a look-up in a
//! hash table, or two if another has the same addresses. A new endpoint costs what the host needs
//! for it. Each index whose connection changes costs O(log endpoints).
//!
//! Must not depend on: how a backend is chosen, the C ABI.

mod index;
mod kept;
mod replace;

use std::sync::Arc;

use self::index::EndpointIndex;
use super::list::{Aggregate, List};
use super::{
    Connection, Connectivity, EndpointDescriptor, EndpointHost, EndpointId, PersistentVec, Report,
};
use crate::Status;

/// The result of an update.
#[derive(Debug)]
pub struct UpdateOutcome {
    /// The answer to the resolver: whether the update was accepted.
    pub accepted: Result<(), Status>,
    /// The state to publish, if any.
    pub aggregate: Option<Aggregate>,
}

/// The result of a report.
#[derive(Debug)]
pub struct ReportOutcome {
    /// The state to publish, if any.
    pub aggregate: Option<Aggregate>,
    /// Whether the endpoint's backend has a new connection. A report of READY is not one if an
    /// update only changed the description of a connected backend, so that its endpoint was made
    /// again.
    pub is_new_connection: bool,
}

/// There is no endpoint with this number, or it was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEndpoint;

/// Keeps one connection to every endpoint of the current list, and prepares the pending list.
///
/// Made by a leaf policy, and used in the host's work serializer only. Pickers get clones of
/// [`connections`](EndpointLists::connections), which they may read on any thread. Dropping it
/// drops all endpoints; pickers keep their connections.
pub struct EndpointLists<H: ?Sized> {
    host: Arc<H>,
    endpoints: EndpointIndex,
    current: Option<List>,
    pending: Option<List>,
    /// The connections of the READY endpoints of the current list, by their indices in it.
    ready: PersistentVec<Connection>,
    /// The list that was handed in last, if the current list has all of its endpoints, and
    /// [`EndpointHost::made_with`] at that time.
    latest: Option<(Arc<[Arc<EndpointDescriptor>]>, u64)>,
    /// Changes whenever the current list does.
    list_number: u64,
    /// Descriptors of endpoints that left, with no other endpoint at their addresses. Kept until
    /// [`EndpointLists::take_gone`].
    gone: Vec<Arc<EndpointDescriptor>>,
}

impl<H: EndpointHost + ?Sized> EndpointLists<H> {
    /// No endpoints yet. `host` will make them.
    pub fn new(host: Arc<H>) -> EndpointLists<H> {
        EndpointLists {
            host,
            endpoints: EndpointIndex::default(),
            current: None,
            pending: None,
            ready: PersistentVec::new(0),
            latest: None,
            list_number: 0,
            gone: Vec::new(),
        }
    }

    /// Takes an answer of the resolver: a list of endpoints, or the reason why there is none.
    pub fn update(
        &mut self,
        endpoints: Result<&Arc<[Arc<EndpointDescriptor>]>, &Status>,
        resolution_note: &str,
    ) -> UpdateOutcome {
        // Rule 6: an error leaves the list that is in use.
        let (descriptors, error) = match endpoints {
            Ok(descriptors) => (Arc::clone(descriptors), None),
            Err(error) if self.current.is_some() => {
                return UpdateOutcome { accepted: Err(error.clone()), aggregate: None };
            }
            Err(error) => (Arc::default(), Some(error)),
        };
        let made_with = self.host.made_with();
        let latest = self.latest.take();
        let same = |(latest, with): &(Arc<_>, u64)| {
            Arc::ptr_eq(latest, &descriptors) && made_with == Some(*with)
        };
        let is_latest = latest.as_ref().is_some_and(same);
        if is_latest || self.repeats_current(&descriptors, made_with) {
            let aggregate =
                self.repeat_current(&descriptors, made_with, is_latest, resolution_note);
            self.latest = made_with.map(|made_with| (descriptors, made_with));
            return UpdateOutcome { accepted: Ok(()), aggregate };
        }
        self.replace_pending(&descriptors, resolution_note);
        if let Some(list) = self.pending.as_ref().filter(|list| list.len() == 0) {
            let status = error.cloned();
            let status = status.unwrap_or_else(|| self.host.words().empty_list(resolution_note));
            let aggregate = Some(Aggregate::TransientFailure(list.worded(&status)));
            self.promote();
            return UpdateOutcome { accepted: Err(status), aggregate };
        }
        if self.current.is_none() {
            // All endpoints are new, and none has reported.
            self.promote();
            return UpdateOutcome { accepted: Ok(()), aggregate: Some(Aggregate::Connecting) };
        }
        UpdateOutcome { accepted: Ok(()), aggregate: self.report_to_pending() }
    }

    /// Takes an endpoint's report. `Err`: there is no such endpoint.
    pub fn report(
        &mut self,
        id: EndpointId,
        report: Report,
    ) -> Result<ReportOutcome, UnknownEndpoint> {
        let key = self.endpoints.key(id).ok_or(UnknownEndpoint)?;
        let tracked = self.endpoints.at(key);
        let state = report.state();
        // Rule 4: the resolver may know a better list. Not at the first report: resolving would
        // then make new endpoints, whose first reports would ask to resolve again.
        let lost = matches!(state, Connectivity::Idle | Connectivity::TransientFailure);
        if lost && tracked.reported.is_some() {
            self.host.request_reresolution();
        }
        if state == Connectivity::Idle {
            tracked.endpoint.connect();
        }
        let cause = match &report {
            Report::TransientFailure(status) => Some(status.clone()),
            _ => None,
        };
        let is_new_connection = self.endpoints.record(key, report);
        let tracked = self.endpoints.at(key);
        let (in_current, in_pending) = (tracked.current, tracked.pending);
        let mut published = None;
        if let (Some(index), Some(list)) = (in_current, self.current.as_mut()) {
            list.record(index as usize, state);
            published = list.aggregate(cause.as_ref());
            self.ready.set(index as usize, tracked.connection().cloned());
        }
        if let (Some(index), Some(list)) = (in_pending, self.pending.as_mut()) {
            list.record(index as usize, state);
            if self.promote_if_due() {
                // The state of the old list holds until the new one has a state.
                let aggregate =
                    self.current.as_mut().and_then(|list| list.aggregate(cause.as_ref()));
                published = aggregate.or(published);
            }
        }
        Ok(ReportOutcome { aggregate: published, is_new_connection })
    }

    /// Ends the backoff of every endpoint, in the order of the lists.
    pub fn reset_backoff(&self) {
        for key in self.listed() {
            self.endpoints.at(key).endpoint.reset_backoff();
        }
    }

    /// The READY endpoints of the current list with their indices in it, in its order.
    pub fn ready(&self) -> impl Iterator<Item = (usize, &Connection, &Arc<EndpointDescriptor>)> {
        let entries = self.current.as_ref().map_or(&[][..], List::entries);
        self.ready.iter().map(|(index, connection)| {
            (index, connection, &self.endpoints.at(entries[index].key).descriptor)
        })
    }

    /// The connections of the READY endpoints of the current list, by their indices in it.
    pub fn connections(&self) -> &PersistentVec<Connection> {
        &self.ready
    }

    /// A number that changes when the current list gets other endpoints or another order, and when
    /// a descriptor of one of its endpoints changes.
    pub fn list_number(&self) -> u64 {
        self.list_number
    }

    /// The descriptors of endpoints that have left since the last call. Only those with no other
    /// endpoint at their addresses.
    pub fn take_gone(&mut self) -> Vec<Arc<EndpointDescriptor>> {
        std::mem::take(&mut self.gone)
    }

    /// The descriptors of the current list, in its order.
    pub fn listed_descriptors(&self) -> impl Iterator<Item = &Arc<EndpointDescriptor>> {
        let entries = self.current.iter().flat_map(List::entries);
        entries.map(|entry| &self.endpoints.at(entry.key).descriptor)
    }

    /// The state that each endpoint of the current list counts with, in its order. `None` before
    /// its first report.
    pub fn listed_states(&self) -> impl Iterator<Item = Option<Connectivity>> {
        self.current.iter().flat_map(List::entries).map(|entry| entry.state)
    }

    /// The descriptor at this index of the current list.
    pub fn listed_descriptor(&self, index: usize) -> Option<&Arc<EndpointDescriptor>> {
        let entry = self.current.as_ref()?.entries().get(index)?;
        Some(&self.endpoints.at(entry.key).descriptor)
    }

    /// The descriptor of this endpoint.
    pub fn descriptor(&self, id: EndpointId) -> Option<&Arc<EndpointDescriptor>> {
        self.endpoints.get(id).map(|tracked| &tracked.descriptor)
    }

    /// The keys of all endpoints: those of the current list, then those only in the pending one.
    fn listed(&self) -> impl Iterator<Item = u32> {
        let current = self.current.iter().flat_map(List::entries);
        let pending = self.pending.iter().flat_map(List::entries);
        let only_pending = pending.filter(|entry| self.endpoints.at(entry.key).current.is_none());
        current.chain(only_pending).map(|entry| entry.key)
    }
}
