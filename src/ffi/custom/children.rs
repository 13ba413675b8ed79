//! The children of a custom policy: other policies, which get a part of its endpoints, and whose
//! pickers it publishes.
//!
//! Must not depend on: channels, hooks, the functions of `steer_api`.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use crate::Status;
use crate::endpoints::{EndpointDescriptor, Index};
use crate::policies::fallback;
use crate::policy::{Child, ChildConfig, Children, GuardedPicker, Helper, Published, Update};
use crate::sync::Mutex;

/// The children of one policy. Empty for picker types. Used in serialised calls only, so no thread
/// waits for the lock. The lock is not held while a child is called, because its code is foreign.
pub(super) struct OwnChildren {
    /// Passes events on to them.
    pub(super) family: Children,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    latest_number: u64,
    children: BTreeMap<u64, OwnChild>,
    /// The latest list of the resolver, or its error before the first one.
    list: Option<Update>,
    /// The answer of the resolver that the policy gets now.
    now: Option<Update>,
}

struct OwnChild {
    /// `None` while it is called.
    child: Option<Child>,
    /// The picker that the policy was told about.
    told: Option<Arc<GuardedPicker>>,
}

/// The endpoints of a child, as places in the latest list, with other weights or their own.
pub(super) type Part = Vec<(usize, Option<u32>)>;

impl OwnChildren {
    pub(super) fn new(helper: &Arc<dyn Helper>) -> OwnChildren {
        let family = Children::new(Arc::clone(helper), fallback());
        OwnChildren { family, state: Mutex::default() }
    }

    /// The policy gets an answer of the resolver. While it does, its children get that answer, too.
    pub(super) fn begin_update(&self, update: &Update) {
        let mut state = self.state.lock();
        let before = state.now.replace(update.clone());
        // A resolver error leaves the list in use.
        let former = match update.endpoints.is_ok() || state.list.is_none() {
            true => state.list.replace(update.clone()),
            false => None,
        };
        drop(state);
        drop((former, before));
    }

    /// The policy has got the answer. From now on, children get parts of the list in use.
    pub(super) fn end_update(&self) {
        let former = self.state.lock().now.take();
        drop(former);
    }

    /// Makes a child, and returns its number.
    pub(super) fn add(&self, name: &str) -> u64 {
        let child = Some(self.family.child(name));
        let mut state = self.state.lock();
        state.latest_number += 1;
        let number = state.latest_number;
        state.children.insert(number, OwnChild { child, told: None });
        number
    }

    /// Calls a child. `None`: there is no such child, or it is being called.
    fn with<R>(&self, number: u64, call: impl FnOnce(&mut Child) -> R) -> Option<R> {
        let mut child = self.state.lock().children.get_mut(&number)?.child.take()?;
        let result = call(&mut child);
        let mut state = self.state.lock();
        let ended = match state.children.get_mut(&number) {
            Some(own) => own.child.replace(child),
            None => Some(child),
        };
        drop(state);
        drop(ended);
        Some(result)
    }

    /// Gives a child its part of the latest list, or all of it. `Err` is the answer for the
    /// resolver. `None`: there is no such child, or no update yet.
    pub(super) fn update(
        &self,
        number: u64,
        config: &ChildConfig,
        part: Option<Part>,
    ) -> Option<Result<(), Status>> {
        let mut update = {
            let state = self.state.lock();
            state.now.as_ref().or(state.list.as_ref())?.clone()
        };
        if let (Some(part), Ok(list)) = (part, &update.endpoints) {
            let of = |(place, weight): &(usize, Option<u32>)| {
                list.get(*place).map(|endpoint| with_weight(endpoint, *weight))
            };
            update.endpoints = Ok(part.iter().filter_map(of).collect());
        }
        self.with(number, |child| child.update(config, &update))
    }

    /// What a child has published last.
    pub(super) fn published(&self, number: u64) -> Option<Published> {
        self.with(number, Child::published)?
    }

    /// The children whose publication the policy was not told about, which it counts as told from
    /// now on.
    pub(super) fn take_changed(&self) -> Vec<u64> {
        if !self.family.take_changed() {
            return Vec::new();
        }
        let numbers: Vec<u64> = self.state.lock().children.keys().copied().collect();
        let changed = |number: &u64| {
            let Some(published) = self.published(*number) else { return false };
            let mut state = self.state.lock();
            let Some(own) = state.children.get_mut(number) else { return false };
            let same = |told: &Arc<_>| Arc::ptr_eq(told, &published.picker);
            if own.told.as_ref().is_some_and(same) {
                return false;
            }
            let former = own.told.replace(published.picker);
            drop(state);
            drop(former);
            true
        };
        numbers.into_iter().filter(changed).collect()
    }

    /// Ends a child, if there is such a child.
    pub(super) fn remove(&self, number: u64) {
        let removed = self.state.lock().children.remove(&number);
        drop(removed);
    }

    /// Ends all children.
    pub(super) fn clear(&self) {
        let state = mem::take(&mut *self.state.lock());
        drop(state);
    }
}

/// The endpoint with another weight, or its own.
fn with_weight(endpoint: &Arc<EndpointDescriptor>, weight: Option<u32>) -> Arc<EndpointDescriptor> {
    match weight.filter(|weight| *weight != endpoint.weight) {
        None => Arc::clone(endpoint),
        Some(weight) => {
            let index = Index::of(endpoint);
            Arc::new(EndpointDescriptor { index, weight, ..EndpointDescriptor::clone(endpoint) })
        }
    }
}
