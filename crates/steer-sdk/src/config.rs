//! Parses a config's JSON into a factory's own type. An error has the path of its field, and says
//! in terms of JSON what is wrong.
//!
//! Must not depend on: any picker, the C types of the ABI.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use steer_abi::config_message;

/// A config without fields.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct NoConfig {}

/// Collects the errors of a config. A config with errors is rejected.
#[derive(Debug, Default)]
pub struct Faults(pub(crate) Vec<(String, String)>);

impl Faults {
    /// Adds an error. `field` is the path of the field (`"a.b[3]"`); empty means the config as a
    /// whole.
    pub fn add(&mut self, field: impl Into<String>, error: impl Into<String>) {
        self.0.push((field.into(), error.into()));
    }

    /// Returns whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Parses a config. The engine has checked that it is a JSON object. Unknown fields are ignored, as
/// in gRPC.
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
            faults.add(field, config_message(&error.into_inner().to_string()));
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
    fn missing_fields_have_their_defaults_and_unknown_ones_are_ignored() {
        for json in ["{}", r#"{"other": [1]}"#] {
            let mut faults = Faults::default();
            assert_eq!(read::<Fields>(json, &mut faults), Some(Fields::default()));
            assert!(faults.is_empty());
        }
    }

    #[test]
    fn an_error_is_named_by_its_field_path() {
        let found = faults::<Fields>(r#"{"names": ["a", 5]}"#);
        assert_eq!(found, [("names[1]".to_owned(), "expected a string, found 5".to_owned())]);
        let found = faults::<Fields>(r#"{"choiceCount": -1}"#);
        let expected = "expected a whole number from 0 to 4294967295, found -1";
        assert_eq!(found, [("choiceCount".to_owned(), expected.to_owned())]);
    }

    #[test]
    fn a_missing_field_is_an_error_of_the_config_as_a_whole() {
        let found = faults::<Required>("{}");
        assert_eq!(found, [(String::new(), "missing field `header`".to_owned())]);
    }

    #[test]
    fn no_config_accepts_any_fields() {
        let mut faults = Faults::default();
        assert!(read::<NoConfig>(r#"{"other": 1}"#, &mut faults).is_some() && faults.is_empty());
    }

    #[test]
    fn invalid_json_is_an_error() {
        assert_eq!(faults::<Fields>("{").len(), 1);
    }
}
