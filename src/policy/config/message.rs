//! serde's messages, in words for people.
//!
//! serde names Rust's types and its own data model: "invalid value: integer `-1`, expected u32".
//! This becomes "expected a whole number from 0 to 4294967295, found -1".
//!
//! Must not depend on: fields, policies.

/// Rewrites a message of serde. A message of another form is returned as it is.
pub(super) fn for_people(message: &str) -> String {
    let rest = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    match rest.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            format!("expected {}, found {}", expected_value(expected), found_value(found))
        }
        None => message.to_owned(),
    }
}

/// A Rust type, or a type of serde's data model, as JSON has it.
fn expected_value(expected: &str) -> String {
    let integer = |min: i64, max: u64| format!("a whole number from {min} to {max}");
    match expected {
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "i8" => integer(i8::MIN.into(), i8::MAX as u64),
        "i16" => integer(i16::MIN.into(), i16::MAX as u64),
        "i32" => integer(i32::MIN.into(), i32::MAX as u64),
        // The maximum of 64 bits would only make the text longer.
        "u64" | "usize" => "a whole number that is 0 or more".to_owned(),
        "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "an object".to_owned(),
        other => other.to_owned(),
    }
}

/// The value that serde found, as JSON has it: "integer `5`" becomes "5".
fn found_value(found: &str) -> &str {
    match found {
        "sequence" => return "an array",
        "map" => return "an object",
        _ => {}
    }
    let number_or_boolean = ["integer", "floating point", "boolean"]
        .into_iter()
        .find_map(|kind| found.strip_prefix(kind)?.strip_prefix(" `")?.strip_suffix('`'));
    number_or_boolean.or_else(|| found.strip_prefix("string ")).unwrap_or(found)
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

    use super::*;

    fn message<T: DeserializeOwned>(value: Value) -> String {
        for_people(&serde_json::from_value::<T>(value).err().expect("a wrong value").to_string())
    }

    #[test]
    fn numbers_have_their_range() {
        let whole = "expected a whole number from";
        assert_eq!(message::<u8>(json!(256)), format!("{whole} 0 to 255, found 256"));
        assert_eq!(message::<u16>(json!(-1)), format!("{whole} 0 to 65535, found -1"));
        assert_eq!(message::<u32>(json!(1.5)), format!("{whole} 0 to 4294967295, found 1.5"));
        assert_eq!(message::<i8>(json!(128)), format!("{whole} -128 to 127, found 128"));
        assert_eq!(message::<i16>(json!(1 << 15)), format!("{whole} -32768 to 32767, found 32768"));
        assert_eq!(
            message::<i32>(json!("x")),
            format!("{whole} -2147483648 to 2147483647, found \"x\"")
        );
        for text in [message::<u64>(json!(-1)), message::<usize>(json!(-1))] {
            assert_eq!(text, "expected a whole number that is 0 or more, found -1");
        }
        assert_eq!(message::<i64>(json!(0.5)), "expected a whole number, found 0.5");
        assert_eq!(message::<f64>(json!(null)), "expected a number, found null");
    }

    #[test]
    fn other_types_are_those_of_json() {
        assert_eq!(message::<String>(json!(5)), "expected a string, found 5");
        assert_eq!(message::<String>(json!(true)), "expected a string, found true");
        assert_eq!(
            message::<bool>(json!("a, expected b")),
            "expected true or false, found \"a, expected b\""
        );
        assert_eq!(message::<Vec<u8>>(json!({})), "expected an array, found an object");
        assert_eq!(message::<Map<String, Value>>(json!([1])), "expected an object, found an array");
    }

    #[test]
    fn other_messages_stay() {
        for text in ["missing field `a`", "invalid type", "invalid value: 5", ""] {
            assert_eq!(for_people(text), text);
        }
    }
}
