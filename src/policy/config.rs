//! From a config's JSON to a policy's own type, with the field path of every fault.
//!
//! Unknown fields are ignored, as gRPC does. serde does the reading, serde_path_to_error the path, and
//! prost-types the durations.
//!
//! Must not know: any policy.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

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

/// The config of a policy that has no fields.
#[derive(Debug)]
pub struct NoFields {}

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

/// A policy's config while it is read: the values of its fields, and the faults found so far.
///
/// A field that is absent or `null` has its default, as in protobuf's JSON.
pub struct Fields<'a> {
    policy: &'a str,
    object: Cow<'a, Value>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// Reads a policy's config, with all of its faults.
    pub fn parse<T>(
        policy: &'a str,
        json: &'a Value,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Result<T, ConfigError> {
        let object = fields_of(policy, json)?;
        let mut fields = Fields { policy, object, faults: Vec::new() };
        let config = read(&mut fields);
        if fields.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { policy: policy.to_owned(), faults: fields.faults })
        }
    }

    /// Whether the field is there.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The field, or else its default. A value of another type is a fault.
    pub fn read<T: DeserializeOwned>(&mut self, name: &str, default: T) -> T {
        let Some(value) = self.value(name) else { return default };
        match serde_path_to_error::deserialize(value) {
            Ok(value) => value,
            Err(error) => {
                let within = error.path().to_string();
                let field = match within.as_bytes()[0] {
                    b'.' => name.to_owned(),
                    b'[' => format!("{name}{within}"),
                    _ => format!("{name}.{within}"),
                };
                self.fault(&field, error.into_inner().to_string());
                default
            }
        }
    }

    /// A number, or else its default: in JSON a number, or, as gRPC and protobuf's JSON have it, a text with
    /// one.
    pub fn number<T: DeserializeOwned>(&mut self, name: &str, default: T) -> T {
        let number = match self.value(name) {
            Some(Value::String(text)) => serde_json::from_str::<Number>(text).ok(),
            _ => None,
        };
        match number.map(|number| serde_json::from_value(Value::Number(number))) {
            Some(Ok(number)) => number,
            _ => self.read(name, default),
        }
    }

    /// A `google.protobuf.Duration`, in JSON a text such as "10s" or "0.1s", or else its default. A negative
    /// one is a fault.
    pub fn duration(&mut self, name: &str, default: Duration) -> Duration {
        let Some(value) = self.value(name) else { return default };
        let duration = value.as_str().and_then(|text| text.parse::<prost_types::Duration>().ok());
        match duration.map(Duration::try_from) {
            Some(Ok(duration)) => duration,
            Some(Err(_)) => {
                self.fault(name, "must not be negative");
                default
            }
            None => {
                let value = value.to_string();
                self.fault(name, format!("invalid duration {value}: expected one such as \"10s\""));
                default
            }
        }
    }

    /// This field is wrong.
    pub fn fault(&mut self, name: &str, error: impl Into<String>) {
        self.faults.push(Fault { field: format!("{}.{name}", self.policy), error: error.into() });
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Config {
        choice_count: u32,
        names: Vec<String>,
        period: Duration,
    }

    const DEFAULTS: Config =
        Config { choice_count: 2, names: Vec::new(), period: Duration::from_secs(10) };

    fn parse(json: Value) -> Result<Config, String> {
        let parsed = Fields::parse("p", &json, |fields| Config {
            choice_count: fields.number("choiceCount", DEFAULTS.choice_count),
            names: fields.read("names", DEFAULTS.names),
            period: fields.duration("period", DEFAULTS.period),
        });
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_there_has_its_default() {
        for json in [json!(null), json!({}), json!({"choiceCount": null, "period": null})] {
            assert_eq!(parse(json), Ok(DEFAULTS));
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let config = parse(json!({"choiceCount": 3, "other": [1]})).unwrap();
        assert_eq!(config, Config { choice_count: 3, ..DEFAULTS });
    }

    #[test]
    fn numbers_may_be_texts() {
        assert_eq!(parse(json!({"choiceCount": "3"})).unwrap().choice_count, 3);
        assert!(parse(json!({"choiceCount": "3x"})).is_err());
        assert!(parse(json!({"choiceCount": "-3"})).is_err());
    }

    #[test]
    fn durations_are_protobufs() {
        for (text, duration) in [("1.5s", 1500), ("0s", 0), ("0.001s", 1), ("3600s", 3_600_000)] {
            let config = parse(json!({"period": text})).unwrap();
            assert_eq!(config.period, Duration::from_millis(duration), "{text}");
        }
        for wrong in [json!("10"), json!(10), json!("s"), json!("1m"), json!("-1s"), json!([])] {
            let error = parse(json!({"period": wrong})).unwrap_err();
            assert!(error.contains("field:p.period error:"), "{error}");
        }
    }

    #[test]
    fn every_fault_is_named_by_its_field_path() {
        let error = parse(json!({"names": ["a", 5], "choiceCount": -1, "period": "x"}));
        assert_eq!(
            error.unwrap_err(),
            "errors validating p LB policy config: [\
             field:p.choiceCount error:invalid value: integer `-1`, expected u32; \
             field:p.names[1] error:invalid type: integer `5`, expected a string; \
             field:p.period error:invalid duration \"x\": expected one such as \"10s\"]"
        );
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
