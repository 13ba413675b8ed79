//! How an update replaces a list.
//!
//! The general flow is: an update that lists the current endpoints again changes the current list
//! in place. Any other update makes a new pending list, which keeps the endpoints that stay and
//! makes the others. The kept endpoints report to the new list what they reported last. The pending
//! list becomes current as soon as it is due (rule 5). Then the endpoints that only the old list
//! had are dropped.
//!
//! Must not depend on: how a backend is chosen, the C ABI.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::EndpointLists;
use super::index::EndpointIndex;
use crate::endpoints::list::{Aggregate, List};
use crate::endpoints::{EndpointDescriptor, EndpointHost, PersistentVec, Report};
use crate::{Severity, Status};

impl<H: EndpointHost + ?Sized> EndpointLists<H> {
    /// Whether these are the endpoints of the current list again.
    pub(super) fn repeats_current(
        &self,
        descriptors: &[Arc<EndpointDescriptor>],
        made_with: Option<u64>,
    ) -> bool {
        let current = self.current.as_ref().map_or(&[][..], List::entries);
        // An empty list never counts as repeated: each one is published.
        !current.is_empty()
            && current.len() == descriptors.len()
            && current
                .iter()
                .zip(descriptors)
                .all(|(entry, descriptor)| self.endpoints.at(entry.key).fits(descriptor, made_with))
    }

    /// Replaces the current list by itself. Such a list is due as soon as one of its endpoints has
    /// reported. If one has, that is now. If none has, the two lists do not differ. `is_latest`:
    /// the descriptors are the very objects that the current list has.
    pub(super) fn repeat_current(
        &mut self,
        descriptors: &[Arc<EndpointDescriptor>],
        made_with: Option<u64>,
        is_latest: bool,
    ) -> Option<Aggregate> {
        self.drop_pending();
        let list = self.current.as_mut()?;
        if is_latest && list.is_settled() {
            return list.has_ready().then_some(Aggregate::Ready);
        }
        for (entry, descriptor) in list.entries().iter().zip(descriptors) {
            if self.endpoints.at_mut(entry.key).describe(descriptor, made_with) {
                self.list_number += 1;
            }
        }
        list.restart();
        let latest = record_latest_reports(list, &self.endpoints);
        latest.any.then(|| list.aggregate(latest.cause)).flatten()
    }

    fn drop_pending(&mut self) {
        let former = self.take_pending();
        self.drop_unlisted(former);
    }

    /// Takes the pending list out. Its endpoints stay until [`EndpointLists::drop_unlisted`].
    fn take_pending(&mut self) -> Option<List> {
        let former = self.pending.take();
        for entry in former.iter().flat_map(List::entries) {
            self.endpoints.at_mut(entry.key).pending = None;
        }
        former
    }

    /// Makes a new pending list of `descriptors`. Keeps the endpoints that stay, makes the new
    /// ones, and drops those that only the former pending list had.
    pub(super) fn replace_pending(&mut self, descriptors: &[Arc<EndpointDescriptor>]) {
        let kept = self.find_kept(descriptors);
        let former = self.take_pending();
        let made_with = self.host.made_with();
        self.endpoints.reserve(kept.iter().filter(|kept| kept.is_none()).count());
        let mut keys = Vec::with_capacity(descriptors.len());
        for (descriptor, kept) in descriptors.iter().zip(kept) {
            let Some(key) = kept.or_else(|| self.create_endpoint(descriptor)) else { continue };
            let tracked = self.endpoints.at_mut(key);
            if tracked.describe(descriptor, made_with) {
                self.list_number += 1;
            }
            tracked.pending = Some(keys.len() as u32);
            keys.push(key);
        }
        self.pending = Some(List::new(keys.into_iter()));
        self.drop_unlisted(former);
    }

    /// Makes an endpoint. Returns its key. Logs a failure of the host and returns `None`.
    fn create_endpoint(&mut self, descriptor: &Arc<EndpointDescriptor>) -> Option<u32> {
        match self.host.create_endpoint(descriptor) {
            Ok(endpoint) => Some(self.endpoints.insert(endpoint, descriptor)),
            Err(status) => {
                let message = format!("no endpoint for {:?}: {status}", descriptor.addresses);
                self.host.log(Severity::Debug, &message);
                None
            }
        }
    }

    /// For each of `descriptors`, the existing endpoint that the host would make for it. Of several
    /// with the same addresses, the first in the new list gets the first in the old lists.
    fn find_kept(&self, descriptors: &[Arc<EndpointDescriptor>]) -> Vec<Option<u32>> {
        let endpoints = &self.endpoints;
        let current = self.current.as_ref().map_or(&[][..], List::entries);
        let made_with = self.host.made_with();
        let mut taken = vec![false; endpoints.capacity()];
        let mut duplicates = None;
        // The index in the current list after the endpoint that was found last. Most updates change
        // few endpoints, so the next one is usually there, and costs no look-up.
        let mut next = 0;
        let mut take = |descriptor: &Arc<EndpointDescriptor>| {
            let expected = current.get(next).map(|entry| entry.key);
            let alone = |key: &u32| !endpoints.at(*key).duplicate;
            let fits =
                |key: &u32| !taken[*key as usize] && endpoints.at(*key).fits(descriptor, made_with);
            let found = expected.filter(alone).filter(fits).or_else(|| {
                let hash = endpoints.hash(&descriptor.addresses);
                if let Some(key) = endpoints.find(&descriptor.addresses, hash) {
                    return Some(key).filter(fits);
                }
                let duplicates = duplicates.get_or_insert_with(|| self.duplicates());
                let same = duplicates.get_mut(descriptor.addresses.as_slice())?;
                let at = same.iter().position(fits)?;
                same.remove(at)
            })?;
            taken[found as usize] = true;
            if let Some(index) = endpoints.at(found).current {
                next = index as usize + 1;
            }
            Some(found)
        };
        descriptors.iter().map(&mut take).collect()
    }

    /// The keys of all duplicates by their addresses, each in the order of the lists.
    fn duplicates(&self) -> HashMap<&[String], VecDeque<u32>> {
        let mut duplicates: HashMap<&[String], VecDeque<u32>> = HashMap::new();
        if !self.endpoints.has_duplicates() {
            return duplicates;
        }
        for key in self.listed() {
            let tracked = self.endpoints.at(key);
            if tracked.duplicate {
                duplicates.entry(&tracked.descriptor.addresses).or_default().push_back(key);
            }
        }
        duplicates
    }

    /// Records the latest reports of kept endpoints in the pending list, and promotes it if it is
    /// due. Returns the state to publish, if any.
    pub(super) fn report_to_pending(&mut self) -> Option<Aggregate> {
        let latest = record_latest_reports(self.pending.as_mut()?, &self.endpoints);
        let (any, cause) = (latest.any, latest.cause.cloned());
        if !any || !self.promote_if_due() {
            return None;
        }
        self.current.as_mut().and_then(|list| list.aggregate(cause.as_ref()))
    }

    /// Rule 5: makes the pending list current when it is due. Returns whether it was.
    pub(super) fn promote_if_due(&mut self) -> bool {
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

    /// Makes the pending list current. Drops the endpoints that only the former current list had.
    pub(super) fn promote(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let former = self.current.take();
        let entries = former.as_ref().map_or(&[][..], List::entries);
        for entry in entries {
            self.endpoints.at_mut(entry.key).current = None;
        }
        let pairs = || entries.iter().zip(pending.entries());
        let differ = pairs().filter(|(was, is)| was.key != is.key).count();
        // If most entries differ, a new vector is cheaper than changing the one that pickers share.
        let stays = entries.len() == pending.len() && differ <= pending.len() / 2;
        if !stays {
            self.list_number += 1;
            self.ready = PersistentVec::new(pending.len());
        }
        for (index, entry) in pending.entries().iter().enumerate() {
            let tracked = self.endpoints.at_mut(entry.key);
            tracked.current = tracked.pending.take();
            // An endpoint that was at this index before has its connection there already.
            if !stays || entries[index].key != entry.key {
                self.ready.set(index, tracked.connection().cloned());
                self.list_number += 1;
            }
        }
        self.current = Some(pending);
        self.drop_unlisted(former);
    }

    /// Drops the endpoints of a list that was replaced, unless another list still has them.
    fn drop_unlisted(&mut self, former: Option<List>) {
        for entry in former.iter().flat_map(List::entries) {
            let tracked = self.endpoints.at(entry.key);
            if tracked.current.is_none() && tracked.pending.is_none() {
                self.gone.extend(self.endpoints.remove(entry.key));
            }
        }
    }
}

/// The result of [`record_latest_reports`].
struct LatestReports<'a> {
    /// Whether any endpoint has reported.
    any: bool,
    /// The status of the last one that failed.
    cause: Option<&'a Status>,
}

/// Records in a new list what its kept endpoints reported last, as their first reports. So a sticky
/// TRANSIENT_FAILURE ends with the old list, as it does in gRPC.
fn record_latest_reports<'a>(list: &mut List, endpoints: &'a EndpointIndex) -> LatestReports<'a> {
    let mut latest = LatestReports { any: false, cause: None };
    for index in 0..list.len() {
        let tracked = endpoints.at(list.entries()[index].key);
        let Some(reported) = &tracked.reported else { continue };
        latest.any = true;
        match reported {
            Report::TransientFailure(status) => latest.cause = Some(status),
            Report::Idle => tracked.endpoint.connect(),
            Report::Connecting | Report::Ready(_) => {}
        }
        list.record(index, reported.state());
    }
    latest
}
