//! Policy factories by name.
//!
//! | file | idea |
//! |---|---|
//! | `name.rs` | which names a policy may have |
//! | `error.rs` | why a policy is not registered |
//!
//! Must not depend on: any concrete policy.

mod error;
mod name;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::error::{Origin, RegisterError};
use self::name::check_name;
use super::policy::{Policies, PolicyFactory};
use crate::sync::Mutex;

type Factories = BTreeMap<String, (Origin, Arc<dyn PolicyFactory>)>;

/// Policy factories by name. A name that is registered stays registered. Any thread.
#[derive(Default)]
pub struct Registry {
    factories: Mutex<Factories>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// A registry with these policies of the engine.
    pub fn with_built_ins(built_ins: Vec<Arc<dyn PolicyFactory>>) -> Registry {
        let named = built_ins
            .into_iter()
            .map(|factory| (factory.name().to_owned(), (Origin::BuiltIn, factory)));
        Registry { factories: Mutex::new(named.collect()) }
    }

    /// Adds a policy of the program.
    pub fn register(&self, factory: Arc<dyn PolicyFactory>) -> Result<(), RegisterError> {
        self.register_all(&Origin::Program, vec![factory])
    }

    /// Adds all of these policies, or none. A policy of the same plugin is replaced.
    pub fn register_all(
        &self,
        origin: &Origin,
        added: Vec<Arc<dyn PolicyFactory>>,
    ) -> Result<(), RegisterError> {
        // Factories may be user code, so `name` is called, and factories are dropped, without the
        // lock.
        let names: Vec<String> = added.iter().map(|factory| factory.name().to_owned()).collect();
        let mut factories = self.factories.lock();
        for (index, name) in names.iter().enumerate() {
            check(&factories, origin, name, &names[..index])?;
        }
        let added = added.into_iter().map(|factory| (origin.clone(), factory));
        let replaced: Vec<_> = names
            .into_iter()
            .zip(added)
            .filter_map(|(name, new)| factories.insert(name, new))
            .collect();
        drop(factories);
        drop(replaced);
        Ok(())
    }

    /// Checks whether a policy of this name can be added together with the policies of `before`.
    pub fn check(
        &self,
        origin: &Origin,
        name: &str,
        before: &[Arc<dyn PolicyFactory>],
    ) -> Result<(), RegisterError> {
        let before: Vec<String> = before.iter().map(|other| other.name().to_owned()).collect();
        check(&self.factories.lock(), origin, name, &before)
    }

    /// See [`Policies::find`].
    pub fn find(&self, name: &str) -> Option<Arc<dyn PolicyFactory>> {
        self.factories.lock().get(name).map(|(_, factory)| Arc::clone(factory))
    }

    /// See [`Policies::names`].
    pub fn names(&self) -> Vec<String> {
        self.factories.lock().keys().cloned().collect()
    }
}

impl Policies for Registry {
    fn find(&self, name: &str) -> Option<Arc<dyn PolicyFactory>> {
        Registry::find(self, name)
    }

    fn names(&self) -> Vec<String> {
        Registry::names(self)
    }
}

fn check(
    factories: &Factories,
    origin: &Origin,
    name: &str,
    before: &[String],
) -> Result<(), RegisterError> {
    check_name(name)?;
    // Only the next release of a plugin replaces a policy.
    let next_release = |taken: &Origin| taken == origin && *origin != Origin::Program;
    let taken = factories.get(name).map(|(taken, _)| taken).filter(|taken| !next_release(taken));
    let twice = before.iter().any(|other| other == name).then_some(origin);
    match taken.or(twice) {
        Some(taken) => Err(RegisterError::Taken(name.to_owned(), taken.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Config, ConfigError, Helper, Policy};

    struct Named(&'static str);

    impl PolicyFactory for Named {
        fn name(&self) -> &str {
            self.0
        }
        fn parse_config(
            &self,
            _json: &serde_json::Value,
            _policies: &dyn Policies,
        ) -> Result<Config, ConfigError> {
            Ok(Arc::new(()))
        }
        fn new_policy(&self, _helper: Arc<dyn Helper>) -> Box<dyn Policy> {
            unreachable!("the registry makes no policies")
        }
    }

    #[test]
    fn finds_a_registered_policy() {
        let registry = Registry::new();
        assert!(registry.find("mine_2").is_none());
        registry.register(Arc::new(Named("mine_2"))).unwrap();
        assert_eq!(registry.find("mine_2").unwrap().name(), "mine_2");
        assert_eq!(registry.names(), ["mine_2"]);
    }

    #[test]
    fn a_name_is_registered_once() {
        let registry = Registry::with_built_ins(crate::policies::built_ins());
        let error = registry.register(Arc::new(Named("steer_round_robin"))).unwrap_err();
        assert_eq!(error, RegisterError::Reserved("steer_round_robin".into()));
        registry.register(Arc::new(Named("mine"))).unwrap();
        let error = registry.register(Arc::new(Named("mine"))).unwrap_err();
        assert_eq!(error, RegisterError::Taken("mine".into(), Origin::Program));
    }

    #[test]
    fn only_a_plugin_of_the_same_name_replaces_a_policy() {
        let registry = Registry::new();
        let (mine, other) = (Origin::Plugin("p".into()), Origin::Plugin("q".into()));
        let policy = || -> Arc<dyn PolicyFactory> { Arc::new(Named("mine")) };
        registry.register_all(&mine, vec![policy()]).unwrap();
        let first = registry.find("mine").unwrap();
        registry.register_all(&mine, vec![policy()]).unwrap();
        assert!(!Arc::ptr_eq(&first, &registry.find("mine").unwrap()));
        let taken = Err(RegisterError::Taken("mine".into(), mine));
        assert_eq!(registry.register_all(&other, vec![policy()]), taken);
        assert_eq!(registry.register(policy()), taken);
    }

    #[test]
    fn policies_are_added_together_or_not_at_all() {
        let registry = Registry::new();
        let origin = Origin::Plugin("p".into());
        let added: Vec<Arc<dyn PolicyFactory>> =
            vec![Arc::new(Named("mine")), Arc::new(Named("mine"))];
        assert!(registry.register_all(&origin, added).is_err());
        assert!(registry.names().is_empty());
    }

    #[test]
    fn bad_names_are_refused() {
        let registry = Registry::new();
        for name in ["", "Mine", "my policy", "my-policy", "2nd", "_x", "é"] {
            let error = registry.register(Arc::new(Named(name))).unwrap_err();
            assert_eq!(error, RegisterError::BadName(name.into()));
            assert!(error.to_string().contains("lower-case letters"));
        }
    }
}
