//! One policy of a child.
//!
//! Must not depend on: how a child is switched.

use std::sync::Arc;

use super::config::ChildConfig;
use super::family::{Family, InstanceId};
use super::host::ChildHost;
use super::published::{Latest, Published};
use crate::Status;
use crate::policy::{PolicyFactory, Runner, Update};

/// One policy of a child. Dropping it shuts the policy down.
pub(super) struct Instance {
    id: InstanceId,
    runner: Arc<Runner>,
    family: Arc<Family>,
    latest: Arc<Latest>,
}

impl Instance {
    /// Makes a policy for the child of this name.
    pub(super) fn new(
        family: &Arc<Family>,
        name: &Arc<str>,
        config: &ChildConfig,
        round_robin: &Arc<dyn PolicyFactory>,
    ) -> Instance {
        let (id, latest) = (family.join(), Arc::<Latest>::default());
        let host = ChildHost {
            id,
            name: Arc::clone(name),
            family: Arc::clone(family),
            latest: Arc::clone(&latest),
        };
        let runner =
            Runner::new(Arc::clone(&config.factory), Arc::clone(round_robin), Box::new(host));
        let runner = Arc::new(runner);
        family.set_runner(id, &runner);
        Instance { id, runner, family: Arc::clone(family), latest }
    }

    /// Whether another release of its policy, or the same one, has this name.
    pub(super) fn is_named(&self, policy: &str) -> bool {
        self.runner.name() == policy
    }

    pub(super) fn update(&self, config: &ChildConfig, update: &Update) -> Result<(), Status> {
        self.runner.update(Update {
            factory: Arc::clone(&config.factory),
            config: Arc::clone(&config.config),
            common: Arc::clone(&config.common),
            ..update.clone()
        })
    }

    /// The number of its endpoints that have failed, and were not READY since.
    pub(super) fn failing(&self) -> usize {
        self.family.failing(self.id)
    }

    pub(super) fn published(&self) -> Option<Published> {
        self.latest.get()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.runner.close();
        self.family.leave(self.id);
        self.latest.clear();
    }
}
