//! From a config's JSON to a factory's own type, with the field path of every fault.
//!
//! Must not know: any picker, how JSON comes and faults go.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A config without fields.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct NoConfig {}

/// What is wrong with a config.
#[derive(Debug, Default)]
pub struct Faults(pub(crate) Vec<(String, String)>);

impl Faults {
    /// Says what is wrong with a field, named by its path (`"a.b[3]"`; empty: the config as a whole).
    pub fn add(&mut self, field: impl Into<String>, error: impl Into<String>) {
        self.0.push((field.into(), error.into()));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a config, which is an object: the engine sees to that. Unknown fields are ignored, as gRPC
/// does.
pub(crate) fn read<C: DeserializeOwned>(json: &str, faults: &mut Faults) -> Option<C> {
    let fields: Value = match serde_json::from_str(json) {
        Ok(fields) => fields,
        Err(error) => {
            faults.add("", error.to_string());
            return None;
        }
    };
    match serde_path_to_error::deserialize(fields) {
        Ok(config) => Some(config),
        Err(error) => {
            let path = error.path().to_string();
            let field = if path == "." { String::new() } else { path };
            faults.add(field, error.into_inner().to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, rename_all = "camelCase")]
    struct Fields {
        choice_count: u32,
        names: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Required {
        #[expect(dead_code, reason = "only read from JSON")]
        header: String,
    }

    fn faults<C: DeserializeOwned>(json: &str) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        assert!(read::<C>(json, &mut faults).is_none());
        faults.0
    }

    #[test]
    fn what_is_missing_has_its_default_and_what_is_unknown_is_ignored() {
        for json in ["{}", r#"{"other": [1]}"#] {
            let mut faults = Faults::default();
            assert_eq!(read::<Fields>(json, &mut faults), Some(Fields::default()));
            assert!(faults.is_empty());
        }
    }

    #[test]
    fn a_fault_is_named_by_its_field_path() {
        let found = faults::<Fields>(r#"{"names": ["a", 5]}"#);
        assert_eq!(found[0].0, "names[1]");
        assert!(found[0].1.starts_with("invalid type: integer `5`"), "{found:?}");
        let found = faults::<Fields>(r#"{"choiceCount": -1}"#);
        assert_eq!(found[0].0, "choiceCount");
    }

    #[test]
    fn a_missing_field_is_a_fault_of_the_whole() {
        let found = faults::<Required>("{}");
        assert_eq!(found, [(String::new(), "missing field `header`".to_owned())]);
    }

    #[test]
    fn a_config_without_fields_takes_any() {
        let mut faults = Faults::default();
        assert!(read::<NoConfig>(r#"{"other": 1}"#, &mut faults).is_some() && faults.is_empty());
    }

    #[test]
    fn what_is_no_json_is_a_fault() {
        assert_eq!(faults::<Fields>("{").len(), 1);
    }
}
