//! How an update replaces a list.
//!
//! The general flow is: an update that lists the current endpoints again changes the current list
//! in place. Any other update makes a new pending list, which keeps the endpoints that stay and
//! makes the others. The kept endpoints report to the new list what they reported last. The pending
//! list becomes current as soon as it is due (rule 5). Then the endpoints that only the old list
//! had are dropped.
//!
//! Must not depend on: how a backend is chosen, the C ABI.

use std::sync::Arc;

use super::EndpointLists;
use super::index::EndpointIndex;
use super::kept::Lists;
use crate::endpoints::list::{Aggregate, Entry, List};
use crate::endpoints::{EndpointDescriptor, EndpointHost, PersistentVec, Report};
use crate::{Severity, Status};

impl<H: EndpointHost + ?Sized> EndpointLists<H> {
    /// Whether these are the endpoints of the current list again, and the latest update named them
    /// all, too.
    pub(super) fn repeats_current(
        &self,
        descriptors: &[Arc<EndpointDescriptor>],
        made_with: Option<u64>,
    ) -> bool {
        let current = self.current.as_ref().map_or(&[][..], List::entries);
        let lists = self.lists(made_with);
        let stays = |(entry, descriptor): (&Entry, &Arc<EndpointDescriptor>)| {
            let tracked = self.endpoints.at(entry.key);
            lists.latest_index(tracked).is_some() && tracked.fits(descriptor, made_with)
        };
        // An empty list never counts as repeated: each one is published.
        !current.is_empty()
            && current.len() == descriptors.len()
            && current.iter().zip(descriptors).all(stays)
    }

    /// Replaces the current list by itself. Such a list is due as soon as one of its endpoints has
    /// reported. If one has, that is now. If none has, the two lists do not differ. `is_latest`:
    /// the descriptors are the very objects that the current list has.
    pub(super) fn repeat_current(
        &mut self,
        descriptors: &[Arc<EndpointDescriptor>],
        made_with: Option<u64>,
        is_latest: bool,
        resolution_note: &str,
    ) -> Option<Aggregate> {
        self.drop_pending();
        let list = self.current.as_mut()?;
        let other_words = list.set_note(resolution_note);
        if is_latest && list.is_settled() && !other_words {
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
    pub(super) fn replace_pending(
        &mut self,
        descriptors: &[Arc<EndpointDescriptor>],
        resolution_note: &str,
    ) {
        let made_with = self.host.made_with();
        let mut listed = self.lists(made_with).find_kept(descriptors);
        let former = self.take_pending();
        self.create_missing(descriptors, &mut listed);
        let mut keys = Vec::with_capacity(descriptors.len());
        for (descriptor, key) in descriptors.iter().zip(listed) {
            // The host refused to make it.
            let Some(key) = key else { continue };
            let tracked = self.endpoints.at_mut(key);
            if tracked.describe(descriptor, made_with) {
                self.list_number += 1;
            }
            tracked.pending = Some(keys.len() as u32);
            keys.push(key);
        }
        let words = self.host.words();
        self.pending = Some(List::new(keys.into_iter(), words, resolution_note));
        self.drop_unlisted(former);
    }

    /// Makes the endpoints that are missing in `listed`. Rule 12: from a random one on, because
    /// they connect in this order. Otherwise many clients with the same list would all connect to
    /// its first address first.
    fn create_missing(
        &mut self,
        descriptors: &[Arc<EndpointDescriptor>],
        listed: &mut [Option<u32>],
    ) {
        let missing = (0..listed.len()).filter(|index| listed[*index].is_none());
        let mut missing: Vec<usize> = missing.collect();
        self.endpoints.reserve(missing.len());
        if missing.len() > 1 {
            let first = self.host.random() % missing.len() as u64;
            missing.rotate_left(first as usize);
        }
        for index in missing {
            listed[index] = self.create_endpoint(&descriptors[index]);
        }
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

    /// Both lists, to find the endpoints that an update keeps.
    fn lists(&self, made_with: Option<u64>) -> Lists<'_> {
        let (current, pending) = (self.current.as_ref(), self.pending.as_ref());
        Lists { endpoints: &self.endpoints, current, pending, made_with }
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
