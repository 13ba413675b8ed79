//! Names of gRPC's own policies that other policies *take over*: where a service config, a channel
//! or one of gRPC's policies names `round_robin`, Steer's policy runs.
//!
//! | file | idea |
//! |---|---|
//! | `setting.rs` | one setting, and the text `round_robin=steer_peak_ewma{"decayTime":"5s"},…` |
//! | `names.rs` | which names can be taken over, and why others cannot |
//! | `akin.rs` | the fields of gRPC's configs that a policy of Steer understands |
//!
//! A host asks for the names that are taken, and makes factories for them. It has the engine parse
//! their configs by the taken name. What it gets is a config of the policy that took the name.
//!
//! Must not depend on: how a host makes its policies' names lead here, the C ABI.

mod akin;
mod names;
mod setting;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::setting::{Setting, parse_list};
use crate::policy::{ParsedConfig, Registry};
use crate::sync::{Lazy, Mutex};

/// Where a setting comes from. What the operator of a program sets wins over the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The environment variable `STEER_TAKE_OVER`.
    Environment,
    /// The program.
    Program,
}

/// The names that are taken over. Any thread.
#[derive(Default)]
pub struct TakeOvers {
    settings: Mutex<BTreeMap<String, (SetBy, Setting)>>,
}

impl TakeOvers {
    /// Adds all of these settings, or none. Returns the names that were not set before. The error
    /// names every fault and says what to do.
    ///
    /// A name that the environment set stays as it is, whatever the program says. A setting that is
    /// there already is no fault.
    pub fn add(
        &self,
        by: SetBy,
        added: Vec<Setting>,
        registry: &Registry,
    ) -> Result<Vec<String>, String> {
        // Custom policies check their configs here, so no lock is held.
        let mut faults: Vec<String> =
            added.iter().filter_map(|setting| fault_of(setting, registry)).collect();
        let mut settings = self.settings.lock();
        let mut new: BTreeMap<String, Setting> = BTreeMap::new();
        for setting in added {
            let before = match settings.get(&setting.name) {
                Some((SetBy::Environment, _)) if by == SetBy::Program => continue,
                Some((_, before)) => Some(before),
                None => new.get(&setting.name),
            };
            match before {
                None => drop(new.insert(setting.name.clone(), setting)),
                Some(before) if *before == setting => {}
                Some(before) => faults.push(format!(
                    "{setting}: the name is set to {} already. Set each name once",
                    before.policy
                )),
            }
        }
        if !faults.is_empty() {
            return Err(faults.join("; "));
        }
        let names = new.keys().cloned().collect();
        settings.extend(new.into_iter().map(|(name, setting)| (name, (by, setting))));
        Ok(names)
    }

    /// Removes settings that a host could not follow.
    pub fn remove(&self, names: &[String]) {
        let mut settings = self.settings.lock();
        settings.retain(|name, _| !names.contains(name));
    }

    /// The settings of the names that are taken over, by name. Without those that leave a name to
    /// gRPC.
    pub fn taken(&self) -> Vec<Setting> {
        let settings = self.settings.lock();
        let taken = settings.values().map(|(_, setting)| setting);
        taken.filter(|setting| !setting.leaves_the_name()).cloned().collect()
    }

    /// The setting of a name, if the name is taken over.
    pub fn find(&self, name: &str) -> Option<Setting> {
        let settings = self.settings.lock();
        let (_, setting) = settings.get(name)?;
        (!setting.leaves_the_name()).then(|| setting.clone())
    }
}

/// The settings of this process.
pub fn take_overs() -> &'static TakeOvers {
    static TAKE_OVERS: Lazy<TakeOvers> = Lazy::new(TakeOvers::default);
    &TAKE_OVERS
}

/// Why a setting cannot be used, if it cannot.
fn fault_of(setting: &Setting, registry: &Registry) -> Option<String> {
    if let Some(why) = names::why_not(&setting.name) {
        return Some(format!("{setting}: {why}"));
    }
    if setting.leaves_the_name() {
        return (!setting.config.is_null())
            .then(|| format!("{setting}: gRPC's own policy takes no config here. Leave it out"));
    }
    let Some(factory) = registry.find(&setting.policy) else {
        return Some(format!(
            "{setting}: no policy is named {:?}; there are: {}. A custom policy must be known \
             before it takes a name over: register it first, or name its plugin in STEER_PLUGINS",
            setting.policy,
            registry.names().join(", ")
        ));
    };
    let parsed = ParsedConfig::parse(&*factory, &setting.config_for(&Value::Null), registry);
    parsed.err().map(|error| format!("{setting}: {error}"))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::built_ins;

    struct Names {
        take_overs: TakeOvers,
        registry: Registry,
    }

    impl Names {
        fn new() -> Names {
            let registry = Registry::with_built_ins(built_ins());
            Names { take_overs: TakeOvers::default(), registry }
        }

        fn add(&self, by: SetBy, text: &str) -> Result<Vec<String>, String> {
            self.take_overs.add(by, parse_list(text).unwrap(), &self.registry)
        }

        fn taken(&self) -> Vec<String> {
            self.take_overs.taken().iter().map(ToString::to_string).collect()
        }
    }

    #[test]
    fn a_name_is_taken_over() {
        let names = Names::new();
        let new = names.add(SetBy::Program, r#"round_robin=steer_peak_ewma{"decayTime":"5s"}"#);
        assert_eq!(new.unwrap(), ["round_robin"]);
        let setting = names.take_overs.find("round_robin").unwrap();
        assert_eq!(setting.policy, "steer_peak_ewma");
        assert_eq!(setting.config_for(&json!({})), json!({"decayTime": "5s"}));
        assert_eq!(names.take_overs.find("ring_hash"), None);
    }

    #[test]
    fn one_bad_setting_takes_nothing() {
        let names = Names::new();
        let error = names
            .add(SetBy::Program, "round_robin=steer_random,pick_first=steer_random,rls=steer_x")
            .unwrap_err();
        assert!(error.contains("pick_first=steer_random: "), "{error}");
        assert!(error.contains("rls=steer_x: "), "{error}");
        assert!(names.taken().is_empty());
    }

    #[test]
    fn an_unknown_policy_is_refused_with_those_that_there_are() {
        let error = Names::new().add(SetBy::Program, "round_robin=steer_peak").unwrap_err();
        assert!(error.contains(r#"no policy is named "steer_peak""#), "{error}");
        assert!(error.contains("steer_peak_ewma"), "{error}");
    }

    #[test]
    fn a_config_that_the_policy_refuses_is_refused() {
        let text = r#"round_robin=steer_peak_ewma{"decayTime":5}"#;
        let error = Names::new().add(SetBy::Program, text).unwrap_err();
        assert!(error.contains("steer_peak_ewma.decayTime"), "{error}");
    }

    #[test]
    fn a_name_is_set_once() {
        let names = Names::new();
        names.add(SetBy::Program, "round_robin=steer_random").unwrap();
        assert_eq!(names.add(SetBy::Program, "round_robin=steer_random").unwrap(), [""; 0]);
        let error = names.add(SetBy::Program, "round_robin=steer_maglev").unwrap_err();
        assert!(error.contains("set to steer_random already"), "{error}");
        let twice = "ring_hash=steer_maglev,ring_hash=steer_ring_hash";
        assert!(names.add(SetBy::Program, twice).is_err());
        assert_eq!(names.taken(), ["round_robin=steer_random"]);
    }

    #[test]
    fn the_environment_wins_over_the_program() {
        let names = Names::new();
        names.add(SetBy::Environment, "round_robin=round_robin").unwrap();
        let text = "round_robin=steer_random,ring_hash=steer_maglev";
        assert_eq!(names.add(SetBy::Program, text).unwrap(), ["ring_hash"]);
        assert_eq!(names.taken(), ["ring_hash=steer_maglev"]);
        assert_eq!(names.take_overs.find("round_robin"), None);
    }

    #[test]
    fn what_a_host_cannot_follow_is_removed() {
        let names = Names::new();
        let new = names.add(SetBy::Program, "round_robin=steer_random").unwrap();
        names.take_overs.remove(&new);
        assert!(names.taken().is_empty());
    }
}
