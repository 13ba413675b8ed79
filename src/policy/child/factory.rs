//! The factory of a built-in policy with children.
//!
//! Must not depend on: any concrete policy.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::Value;

use super::config::ChildConfig;
use super::parent::{Children, Parent, ParentConfig, ParentPolicy};
use crate::policy::{Config, ConfigError, Fields, Helper, Policies, Policy, PolicyFactory};

/// A policy of the engine with children.
pub trait BuiltInParent: Parent + Sized + 'static {
    /// The name in `loadBalancingConfig`.
    const NAME: &'static str;

    /// Reads the fields of a config, except `childPolicy`. Asks for each of its fields, whatever
    /// the others say: the log names those that it does not ask for.
    fn parse(fields: &mut Fields<'_>) -> Self::Config;

    /// Makes the policy of one channel.
    fn new(children: &Children) -> Self;
}

/// The policy factory of a [`BuiltInParent`].
pub struct ParentFactory<P> {
    round_robin: Arc<dyn PolicyFactory>,
    parent: PhantomData<fn() -> P>,
}

impl<P> ParentFactory<P> {
    /// The policy factory for `P`. `round_robin` makes the child of a config that names none, and
    /// what replaces a child that fails.
    pub fn new(round_robin: Arc<dyn PolicyFactory>) -> Self {
        ParentFactory { round_robin, parent: PhantomData }
    }
}

impl<P: BuiltInParent> PolicyFactory for ParentFactory<P> {
    fn name(&self) -> &str {
        P::NAME
    }

    fn parse_config(&self, json: &Value, policies: &dyn Policies) -> Result<Config, ConfigError> {
        let parsed = Fields::parse(P::NAME, json, |fields| {
            let own = P::parse(fields);
            let child = ChildConfig::parse(fields, policies, &self.round_robin);
            child.map(|child| ParentConfig { own, child })
        });
        let config = parsed?.expect("a child's config without faults was parsed");
        Ok(Arc::new(config))
    }

    fn known_fields(&self, _config: &Config) -> Option<BTreeSet<String>> {
        let mut known = Fields::names_read(P::parse);
        known.insert(ChildConfig::FIELD.to_owned());
        Some(known)
    }

    fn uses_weights(&self, config: &Config) -> bool {
        let config = config.downcast_ref::<ParentConfig<P::Config>>();
        config.is_some_and(|config| config.child.uses_weights())
    }

    fn same_children(&self, one: &Config, other: &Config) -> bool {
        match (one.downcast_ref(), other.downcast_ref()) {
            (Some(one), Some(other)) => {
                let (one, other): (&ParentConfig<P::Config>, &ParentConfig<P::Config>) =
                    (one, other);
                one.child.is_same_release(&other.child)
            }
            _ => false,
        }
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        let children = Children::new(helper, Arc::clone(&self.round_robin));
        let parent = P::new(&children);
        Box::new(ParentPolicy::new(children, parent))
    }
}
