//! One child, and its graceful switch to another policy.
//!
//! Must not depend on: what the parent does with it.

use std::sync::Arc;

use super::config::ChildConfig;
use super::family::Family;
use super::instance::Instance;
use super::published::Published;
use crate::Status;
use crate::endpoints::Connectivity;
use crate::policy::{PolicyFactory, Update};

/// A child of a policy.
///
/// Made by [`Children::child`](super::Children::child), and owned by the parent. Used in the host's
/// work serializer. Dropping it shuts its policy down; its pickers live on.
///
/// If a config names another policy, that one replaces the one in use as soon as it publishes
/// something other than CONNECTING. Until then the old one answers calls.
pub struct Child {
    family: Arc<Family>,
    name: Arc<str>,
    round_robin: Arc<dyn PolicyFactory>,
    /// `None` before the first update.
    current: Option<Instance>,
    /// The policy that a later config names, until it replaces the current one.
    pending: Option<Instance>,
}

impl Child {
    pub(super) fn new(
        family: Arc<Family>,
        name: &str,
        round_robin: Arc<dyn PolicyFactory>,
    ) -> Child {
        Child { family, name: Arc::from(name), round_robin, current: None, pending: None }
    }

    /// The name that the parent gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives an update to the child's policy, which `config` names. The endpoints are `update`'s;
    /// its config is not used.
    pub fn update(&mut self, config: &ChildConfig, update: &Update) -> Result<(), Status> {
        self.settle();
        let Child { family, name, round_robin, current, pending } = self;
        let make = || Instance::new(family, name, config, round_robin);
        let latest = match (&mut *pending, &mut *current) {
            (Some(pending), _) if pending.is_named(config.name()) => pending,
            (None, Some(current)) if current.is_named(config.name()) => current,
            (None, current @ None) => current.insert(make()),
            (pending, _) => pending.insert(make()),
        };
        let accepted = latest.update(config, update);
        self.settle();
        accepted
    }

    /// What its policy published last. `None` before that.
    pub fn published(&mut self) -> Option<Published> {
        self.settle();
        self.current.as_ref()?.published()
    }

    /// The number of its endpoints that have failed, and were not READY since.
    pub fn failing(&self) -> usize {
        self.current.as_ref().map_or(0, Instance::failing)
    }

    /// Puts the pending policy in the place of the current one, if it is ready for that.
    fn settle(&mut self) {
        let published = self.pending.as_ref().and_then(Instance::published);
        if published.is_some_and(|published| published.state != Connectivity::Connecting) {
            self.current = self.pending.take();
        }
    }
}
