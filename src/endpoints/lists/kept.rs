//! Which endpoints a new list keeps.
//!
//! Only those of the list before it: an endpoint that one update left out is a new one when it
//! comes back (rule 11). A policy above this one may tie what it knows to the endpoints that
//! updates name. gRPC's outlier_detection does: it forgets what an update leaves out, and never
//! ejects an endpoint that was made before that.
//!
//! The general flow is: most endpoints are where they were, so the next one of the list before is
//! tried first. Then the addresses are looked up. Endpoints with the same addresses (duplicates)
//! are matched last, in the order of the new list. Each gets the first one with an equal
//! description. If the host would make that one differently, it gets the one whose descriptor is
//! the very same object.
//!
//! So of several equal endpoints of a new list, the first ones are the kept ones, whichever objects
//! the host hands in. Their turns are in the order in which gRPC's subchannels of them would
//! report.
//!
//! Cost: O(descriptors). A look-up in a hash table for each endpoint that has moved, and two for
//! each duplicate.
//!
//! Must not depend on: how endpoints are made, when a list is used.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::index::{EndpointIndex, TrackedEndpoint};
use crate::endpoints::EndpointDescriptor;
use crate::endpoints::list::List;

/// With how many endpoints of equal description a new one is compared. Hosts distinguish such
/// endpoints only by what they do not describe, such as channel args. A host that names the
/// endpoints of the list before (`steer_update.former`) needs no comparison. Without a limit, n
/// equal endpoints that all get other args would cost n² comparisons.
const MOST_COMPARISONS: usize = 16;

/// The current list and the pending one, if there is one.
pub(super) struct Lists<'a> {
    pub(super) endpoints: &'a EndpointIndex,
    pub(super) current: Option<&'a List>,
    pub(super) pending: Option<&'a List>,
    /// [`EndpointHost::made_with`](crate::endpoints::EndpointHost::made_with) now.
    pub(super) made_with: Option<u64>,
}

impl Lists<'_> {
    /// The index of this endpoint in the list of the latest update. `None` if that update left it
    /// out.
    pub(super) fn latest_index(&self, tracked: &TrackedEndpoint) -> Option<u32> {
        if self.pending.is_some() { tracked.pending } else { tracked.current }
    }

    /// The keys of the list of the latest update, in its order.
    fn latest(&self) -> impl Iterator<Item = u32> {
        let list = self.pending.or(self.current);
        list.into_iter().flat_map(List::entries).map(|entry| entry.key)
    }

    /// For each of `descriptors`, the endpoint that stays. Of several that could stay for one
    /// description, the first in the new list gets the first in the list before.
    pub(super) fn find_kept(&self, descriptors: &[Arc<EndpointDescriptor>]) -> Vec<Option<u32>> {
        let taken = vec![false; self.endpoints.capacity()];
        let latest = self.latest().collect();
        let mut search = Search { lists: self, latest, next: 0, all_found: true, taken };
        let mut kept: Vec<Option<u32>> =
            descriptors.iter().map(|descriptor| search.find_unique(descriptor)).collect();
        if self.endpoints.has_duplicates() {
            search.find_duplicates(descriptors, &mut kept);
        }
        kept
    }
}

struct Search<'a> {
    lists: &'a Lists<'a>,
    /// The keys of the list of the latest update, in its order.
    latest: Vec<u32>,
    /// The index in `latest` after the endpoint that was found last.
    next: usize,
    /// Whether an endpoint was found for each descriptor so far.
    all_found: bool,
    /// By key: the endpoints that were found.
    taken: Vec<bool>,
}

impl<'a> Search<'a> {
    /// Whether this endpoint is free, and the host would make the same one for this descriptor.
    fn fits(&self, key: u32, descriptor: &Arc<EndpointDescriptor>) -> bool {
        let lists = self.lists;
        !self.taken[key as usize] && lists.endpoints.at(key).fits(descriptor, lists.made_with)
    }

    /// The endpoint for this descriptor, unless it is a duplicate that has moved, or that follows
    /// a descriptor without an endpoint, which may be equal.
    fn find_unique(&mut self, descriptor: &Arc<EndpointDescriptor>) -> Option<u32> {
        let found = self.find_expected(descriptor).or_else(|| self.find_moved(descriptor));
        let Some(key) = found else {
            self.all_found = false;
            return None;
        };
        self.taken[key as usize] = true;
        if let Some(index) = self.lists.latest_index(self.lists.endpoints.at(key)) {
            self.next = index as usize + 1;
        }
        Some(key)
    }

    /// The endpoint at the next index of the list before.
    fn find_expected(&self, descriptor: &Arc<EndpointDescriptor>) -> Option<u32> {
        let key = *self.latest.get(self.next)?;
        let tracked = self.lists.endpoints.at(key);
        let is_certain =
            !tracked.duplicate || (self.all_found && Arc::ptr_eq(&tracked.descriptor, descriptor));
        (is_certain && self.fits(key, descriptor)).then_some(key)
    }

    /// The endpoint with these addresses, if there is only one.
    fn find_moved(&self, descriptor: &Arc<EndpointDescriptor>) -> Option<u32> {
        let endpoints = self.lists.endpoints;
        let key = endpoints.find(&descriptor.addresses, endpoints.hash(&descriptor.addresses))?;
        self.lists.latest_index(endpoints.at(key))?;
        Some(key).filter(|key| self.fits(*key, descriptor))
    }

    /// The duplicates of the list before that are free, in its order.
    fn free_duplicates(&self) -> impl Iterator<Item = (u32, &'a Arc<EndpointDescriptor>)> {
        let endpoints: &'a EndpointIndex = self.lists.endpoints;
        let tracked = move |key: &u32| (*key, endpoints.at(*key));
        let free = |(key, tracked): &(u32, &TrackedEndpoint)| {
            tracked.duplicate && !self.taken[*key as usize]
        };
        self.latest.iter().map(tracked).filter(free).map(|(key, found)| (key, &found.descriptor))
    }

    /// Finds the endpoints for the descriptors that have none yet, among the duplicates.
    fn find_duplicates(
        &mut self,
        descriptors: &[Arc<EndpointDescriptor>],
        kept: &mut [Option<u32>],
    ) {
        let mut by_object: HashMap<*const EndpointDescriptor, u32> = HashMap::new();
        let mut by_description: HashMap<&EndpointDescriptor, VecDeque<u32>> = HashMap::new();
        for (key, descriptor) in self.free_duplicates() {
            by_object.insert(Arc::as_ptr(descriptor), key);
            by_description.entry(&**descriptor).or_default().push_back(key);
        }
        for (descriptor, kept) in descriptors.iter().zip(kept).filter(|(_, kept)| kept.is_none()) {
            let Some(equal) = by_description.get_mut(&**descriptor) else { continue };
            while equal.front().is_some_and(|key| self.taken[*key as usize]) {
                equal.pop_front();
            }
            let same_object = by_object.get(&Arc::as_ptr(descriptor));
            let others = equal.iter().skip(1).take(MOST_COMPARISONS);
            let candidates = equal.front().into_iter().chain(same_object).chain(others);
            *kept = candidates.copied().find(|key| self.fits(*key, descriptor));
            if let Some(key) = *kept {
                self.taken[key as usize] = true;
            }
        }
    }
}
