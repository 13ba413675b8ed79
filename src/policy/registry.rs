//! Policies by name.
//!
//! Must not know: what any policy does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;

use super::leaf::LeafFactory;
use super::{PolicyFactory, RoundRobin};

/// Policy factories by name. A factory that was registered stays.
#[derive(Default)]
pub struct Registry {
    factories: RwLock<BTreeMap<String, Arc<dyn PolicyFactory>>>,
}

/// Why a policy was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterError {
    /// The name is not made of lower-case letters, digits and `_`.
    BadName(String),
    /// There is a policy of this name.
    Taken(String),
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterError::BadName(name) => write!(
                f,
                "{name:?} cannot name a policy: use lower-case letters, digits and '_', \
                 beginning with a letter"
            ),
            RegisterError::Taken(name) => {
                write!(f, "there is a policy named {name:?} already: choose another name")
            }
        }
    }
}

impl std::error::Error for RegisterError {}

impl Registry {
    /// A registry without any policy.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// A registry with the policies of this crate.
    pub fn with_built_ins() -> Registry {
        let registry = Registry::new();
        let built_ins: [Arc<dyn PolicyFactory>; 1] = [Arc::new(LeafFactory::<RoundRobin>::new())];
        for factory in built_ins {
            registry.register(factory).expect("names of built-ins are good and differ");
        }
        registry
    }

    /// The process's registry: what hosts choose from.
    pub fn global() -> &'static Registry {
        static GLOBAL: LazyLock<Registry> = LazyLock::new(Registry::with_built_ins);
        &GLOBAL
    }

    /// Adds a policy.
    pub fn register(&self, factory: Arc<dyn PolicyFactory>) -> Result<(), RegisterError> {
        let name = factory.name().to_owned();
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !good {
            return Err(RegisterError::BadName(name));
        }
        let mut factories = self.factories.write();
        if factories.contains_key(&name) {
            return Err(RegisterError::Taken(name));
        }
        factories.insert(name, factory);
        Ok(())
    }

    /// The policy of this name.
    pub fn find(&self, name: &str) -> Option<Arc<dyn PolicyFactory>> {
        self.factories.read().get(name).cloned()
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        self.factories.read().keys().cloned().collect()
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
        fn parse_config(&self, _json: &serde_json::Value) -> Result<Config, ConfigError> {
            Ok(Arc::new(()))
        }
        fn new_policy(&self, _helper: Arc<dyn Helper>) -> Box<dyn Policy> {
            unreachable!("the registry makes no policies")
        }
    }

    #[test]
    fn finds_what_was_registered() {
        let registry = Registry::new();
        assert!(registry.find("mine_2").is_none());
        registry.register(Arc::new(Named("mine_2"))).unwrap();
        assert_eq!(registry.find("mine_2").unwrap().name(), "mine_2");
        assert_eq!(registry.names(), ["mine_2"]);
    }

    #[test]
    fn a_name_is_registered_once() {
        let registry = Registry::with_built_ins();
        let error = registry.register(Arc::new(Named("steer_round_robin"))).unwrap_err();
        assert_eq!(error, RegisterError::Taken("steer_round_robin".into()));
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
