//! From a config's JSON to a policy's own type, with the field path of every fault.
//!
//! Unknown fields are ignored, as gRPC does. serde does the reading, serde_path_to_error the path.
//!
//! Must not know: any policy.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as `policy.field[index].field`.
    pub field: String,
    /// What.
    pub error: String,
}

/// Why a config is rejected: every fault of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The policy's name.
    pub policy: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    /// In the form of gRPC's own config errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "errors validating {} LB policy config: [", self.policy)?;
        for (i, fault) in self.faults.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}field:{} error:{}", fault.field, fault.error)?;
        }
        write!(f, "]")
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// A config with this one fault.
    pub fn of(policy: &str, field: impl Into<String>, error: impl Into<String>) -> ConfigError {
        let fault = Fault { field: field.into(), error: error.into() };
        ConfigError { policy: policy.to_owned(), faults: vec![fault] }
    }
}

/// The object with a policy's fields. `null`, which gRPC passes for a policy chosen by its name, is
/// read as `{}`.
pub fn fields_of<'a>(policy: &str, json: &'a Value) -> Result<Cow<'a, Value>, ConfigError> {
    match json {
        Value::Null => Ok(Cow::Owned(Value::Object(serde_json::Map::new()))),
        Value::Object(_) => Ok(Cow::Borrowed(json)),
        // Also what serde would take for a struct: an array of its fields' values.
        _ => Err(ConfigError::of(policy, policy, "is not an object")),
    }
}

/// Reads a policy's fields.
pub fn parse_fields<T: DeserializeOwned>(policy: &str, json: &Value) -> Result<T, ConfigError> {
    let fields = fields_of(policy, json)?;
    serde_path_to_error::deserialize(&*fields).map_err(|error| {
        let path = error.path().to_string();
        ConfigError::of(policy, format!("{policy}.{path}"), error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, rename_all = "camelCase")]
    struct Fields {
        choice_count: u32,
        names: Vec<String>,
    }

    fn parse(json: Value) -> Result<Fields, String> {
        parse_fields("p", &json).map_err(|error| error.to_string())
    }

    #[test]
    fn null_and_the_empty_object_give_the_defaults() {
        assert_eq!(parse(json!(null)), Ok(Fields::default()));
        assert_eq!(parse(json!({})), Ok(Fields::default()));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let fields = parse(json!({"choiceCount": 3, "other": [1]})).unwrap();
        assert_eq!(fields.choice_count, 3);
    }

    #[test]
    fn a_fault_is_named_by_its_field_path() {
        let error = parse(json!({"names": ["a", 5]})).unwrap_err();
        assert!(error.contains("field:p.names[1] error:invalid type: integer `5`"), "{error}");
        let error = parse(json!({"choiceCount": -1})).unwrap_err();
        assert!(error.contains("field:p.choiceCount error:invalid value"), "{error}");
    }

    #[test]
    fn a_config_is_an_object() {
        for json in [json!(5), json!("x"), json!([]), json!([1, ["a"]]), json!(true)] {
            assert_eq!(
                parse(json),
                Err("errors validating p LB policy config: [field:p error:is not an object]".into())
            );
        }
    }
}
