//! Which group of `steer_priority` is in use.
//!
//! Must not depend on: what a child does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::PriorityConfig;
use super::group::Group;
use super::grouping::{Place, grouped};
use crate::Status;
use crate::endpoints::{Connectivity, EndpointDescriptor};
use crate::policy::{
    BuiltInParent, Children, Fields, GuardedPicker, Parent, ParentConfig, Published, TimerId,
    Update,
};

/// The policy `steer_priority`.
pub struct Priority {
    children: Children,
    config: Option<Arc<ParentConfig<PriorityConfig>>>,
    /// The groups of the latest list that were tried so far, by their places.
    groups: BTreeMap<Place, Group>,
    /// The parts of the latest update, by the places of the groups.
    updates: BTreeMap<Place, Listed>,
    /// A group that the latest list has left out. It answers calls until a group of the list can,
    /// or all of them have failed.
    leaving: Option<Group>,
    latest: Latest,
}

/// What was published last.
#[derive(Clone)]
enum Latest {
    Nothing,
    Queue,
    Child(Connectivity, Arc<GuardedPicker>),
}

impl Latest {
    fn is_same(&self, other: &Latest) -> bool {
        match (self, other) {
            (Latest::Child(state, picker), Latest::Child(other_state, other)) => {
                state == other_state && Arc::ptr_eq(picker, other)
            }
            (Latest::Queue, Latest::Queue) => true,
            _ => false,
        }
    }
}

/// A group's part of the latest update.
struct Listed {
    name: String,
    update: Update,
}

impl BuiltInParent for Priority {
    const NAME: &'static str = "steer_priority";

    fn parse(fields: &mut Fields<'_>) -> PriorityConfig {
        PriorityConfig::parse(fields)
    }

    fn new(children: &Children) -> Priority {
        Priority {
            children: children.clone(),
            config: None,
            groups: BTreeMap::new(),
            updates: BTreeMap::new(),
            leaving: None,
            latest: Latest::Nothing,
        }
    }
}

impl Parent for Priority {
    type Config = PriorityConfig;

    fn update(
        &mut self,
        config: &Arc<ParentConfig<PriorityConfig>>,
        update: &Update,
    ) -> Result<(), Status> {
        self.config = Some(Arc::clone(config));
        // A resolver error leaves the lists in use. Without any, one group says why.
        let failed = match &update.endpoints {
            Ok(list) => {
                self.list(&config.own, list, update);
                None
            }
            Err(_) if self.updates.is_empty() => {
                self.list_all(update);
                None
            }
            Err(_) => Some(update),
        };
        let mut accepted = Ok(());
        for (place, group) in &mut self.groups {
            if let Some(listed) = self.updates.get(place) {
                let update = failed.unwrap_or(&listed.update);
                accepted = accepted.and(group.child.update(&config.child, update));
            }
        }
        self.take_published();
        self.children.set_changed();
        accepted = accepted.and(self.choose());
        self.leave();
        accepted
    }

    fn publish(&mut self) {
        self.take_published();
        // The result of a group's first update. Its resolver is told with the next one.
        let _ = self.choose();
        self.publish_chosen();
    }

    fn timer(&mut self, timer: TimerId) {
        self.groups.retain(|_, group| !group.was_kept_until(timer));
        for group in self.groups.values_mut().chain(&mut self.leaving) {
            if group.failover_timer(timer) {
                self.children.set_changed();
            }
        }
    }
}

impl Priority {
    /// Sets the groups of this list.
    fn list(&mut self, config: &PriorityConfig, list: &[Arc<EndpointDescriptor>], update: &Update) {
        let grouped = grouped(&config.groups, list).into_iter();
        let listed = grouped.map(|(place, group)| {
            let endpoints = Ok(group.endpoints.into());
            (place, Listed { name: group.name, update: Update { endpoints, ..update.clone() } })
        });
        self.updates = listed.collect();
        if self.updates.is_empty() {
            self.list_all(update);
        }
    }

    /// One group gets the whole update.
    fn list_all(&mut self, update: &Update) {
        let listed = Listed { name: "others".to_owned(), update: update.clone() };
        self.updates.insert(Place::Last, listed);
    }

    /// Ends the groups that the latest list has left out. When such a group comes back, it is a new
    /// one, as each endpoint is: a policy above, such as gRPC's outlier_detection, has forgotten
    /// it.
    fn leave(&mut self) {
        let gone = self.groups.keys().filter(|place| !self.updates.contains_key(place));
        let gone: Vec<Place> = gone.copied().collect();
        let mut left = gone.iter().filter_map(|place| self.groups.remove(place));
        if let Some(serving) = left.find(|group| group.state() == Connectivity::Ready) {
            self.leaving = Some(serving);
        }
        // The others end here, after the new ones were made: these can take over connections.
        left.for_each(drop);
    }

    fn take_published(&mut self) {
        let Some(config) = &self.config else { return };
        for group in self.groups.values_mut().chain(&mut self.leaving) {
            group.take_published(config.own.failover_timeout);
        }
    }

    /// Makes groups until one of them works or is tried, and deactivates those after one that
    /// works.
    fn choose(&mut self) -> Result<(), Status> {
        let Some(config) = self.config.clone() else { return Ok(()) };
        let timeout = config.own.failover_timeout;
        let places: Vec<Place> = self.updates.keys().copied().collect();
        let mut accepted = Ok(());
        for (number, place) in places.iter().enumerate() {
            let group = match self.groups.get_mut(place) {
                Some(group) => group,
                None => {
                    let listed = &self.updates[place];
                    let child = self.children.child(&listed.name);
                    let group = Group::new(self.children.helper(), child, timeout);
                    let group = self.groups.entry(*place).or_insert(group);
                    accepted = accepted.and(group.child.update(&config.child, &listed.update));
                    group.take_published(timeout);
                    group
                }
            };
            group.activate();
            if group.works() {
                for after in &places[number + 1..] {
                    if let Some(group) = self.groups.get_mut(after) {
                        group.deactivate();
                    }
                }
                break;
            }
            if group.is_tried() {
                break;
            }
        }
        accepted
    }

    /// Publishes what the group in use has published.
    fn publish_chosen(&mut self) {
        let listed = || self.updates.keys().filter_map(|place| self.groups.get(place));
        // As in gRFC A56: the first that works or is tried; if none is, the first that connects; if
        // none does, the last.
        let chosen = listed().find(|group| group.works() || group.is_tried());
        let chosen =
            chosen.or_else(|| listed().find(|group| group.state() == Connectivity::Connecting));
        let Some(group) = chosen.or_else(|| listed().next_back()) else { return };
        // Calls do not wait for the groups of a new list as long as a former one serves them.
        let connects = group.state() == Connectivity::Connecting;
        let serving = |leaving: &&Group| connects && leaving.state() == Connectivity::Ready;
        let leaving = self.leaving.as_ref().filter(serving);
        let (published, done) = match leaving {
            Some(leaving) => (leaving.published.clone(), None),
            None => (group.published.clone(), self.leaving.take()),
        };
        let latest = match &published {
            Some(Published { state, picker, .. }) => Latest::Child(*state, Arc::clone(picker)),
            None => Latest::Queue,
        };
        if latest.is_same(&std::mem::replace(&mut self.latest, latest.clone())) {
            return;
        }
        match published {
            Some(published) => self.children.publish_as_is(published),
            None => self.children.publish_connecting(),
        }
        // After its picker was replaced.
        drop(done);
    }
}
