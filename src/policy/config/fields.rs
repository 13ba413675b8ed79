//! Reads the fields of a config, and collects their faults.
//!
//! Must not depend on: any policy.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use steer_abi::config_message;

use super::error::{ConfigError, Fault};

/// The config of a policy that has no fields.
#[derive(Debug)]
pub struct NoFields {}

/// Returns the object with a policy's fields. `null`, which gRPC passes for a policy that is chosen
/// by its name alone, means `{}`.
pub fn fields_of<'a>(policy: &str, json: &'a Value) -> Result<Cow<'a, Value>, ConfigError> {
    match json {
        Value::Null => Ok(Cow::Owned(Value::Object(Map::new()))),
        Value::Object(_) => Ok(Cow::Borrowed(json)),
        // Also an array, which serde would accept as the values of a struct.
        _ => Err(ConfigError::for_field(policy, policy, "is not an object")),
    }
}

/// A policy's config while it is read: the values of its fields, and the faults found so far.
///
/// A field that is absent or `null` has its default, as in protobuf's JSON.
pub struct Fields<'a> {
    policy: &'a str,
    object: Cow<'a, Value>,
    faults: Vec<Fault>,
    /// The names that were asked for.
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Fields<'a> {
    /// Reads a policy's config. Fails with all of its faults.
    pub fn parse<T>(
        policy: &'a str,
        json: &'a Value,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Result<T, ConfigError> {
        let mut fields = Fields::new(policy, fields_of(policy, json)?);
        let config = read(&mut fields);
        if fields.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { policy: policy.to_owned(), faults: fields.faults })
        }
    }

    /// The names of the fields that `read` reads of an empty config: those that there are, if it
    /// reads each whatever the others say.
    pub fn names_read<T>(read: impl FnOnce(&mut Fields<'a>) -> T) -> BTreeSet<String> {
        let mut fields = Fields::new("", Cow::Owned(Value::Object(Map::new())));
        read(&mut fields);
        fields.asked.into_inner()
    }

    fn new(policy: &'a str, object: Cow<'a, Value>) -> Fields<'a> {
        Fields { policy, object, faults: Vec::new(), asked: RefCell::default() }
    }

    /// Whether the config has the field.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Reads a field. A value of another type is a fault. The default is returned then, and if the
    /// field is absent.
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
                self.fault(&field, config_message(&error.into_inner().to_string()));
                default
            }
        }
    }

    /// Reads a number, as [`Fields::read`]. In JSON it is a number, or a string with one, as in
    /// gRPC and in protobuf's JSON.
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

    /// Reads a `google.protobuf.Duration`, in JSON a string such as "10s" or "0.1s". A negative
    /// duration is a fault.
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

    /// Adds a fault of this field.
    pub fn fault(&mut self, name: &str, error: impl Into<String>) {
        self.faults.push(Fault { field: format!("{}.{name}", self.policy), error: error.into() });
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.asked.borrow_mut().insert(name.to_owned());
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
    fn absent_fields_have_their_defaults() {
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
    fn a_number_may_be_a_string() {
        assert_eq!(parse(json!({"choiceCount": "3"})).unwrap().choice_count, 3);
        assert!(parse(json!({"choiceCount": "3x"})).is_err());
        assert!(parse(json!({"choiceCount": "-3"})).is_err());
    }

    #[test]
    fn a_duration_is_a_string_as_in_protobuf() {
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
    fn every_fault_has_its_field_path() {
        let error = parse(json!({"names": ["a", 5], "choiceCount": -1, "period": "x"}));
        assert_eq!(
            error.unwrap_err(),
            "errors validating p LB policy config: [\
             field:p.choiceCount error:expected a whole number from 0 to 4294967295, found -1; \
             field:p.names[1] error:expected a string, found 5; \
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
