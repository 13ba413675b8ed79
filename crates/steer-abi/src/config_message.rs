//! serde's messages about configs, in words for people. The engine and `steer-sdk` share them.
//!
//! serde names Rust's types and its own data model: "invalid value: integer `-1`, expected u32".
//! This becomes "expected a whole number from 0 to 4294967295, found -1".
//!
//! Must not depend on: serde, pickers, policies, the other types of this crate.

/// Rewrites a message of serde for people. Returns a message of another form as it is.
pub fn config_message(message: &str) -> String {
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
    if let Some(number) = whole_number(expected) {
        return number;
    }
    if let Some(length) = expected.strip_prefix("a tuple of size ") {
        return format!("an array of length {length}");
    }
    match expected {
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" | "newtype variant" | "tuple variant" | "struct variant" => "an object".to_owned(),
        "string or map" => "a string or an object".to_owned(),
        "unit" => "null".to_owned(),
        of_struct if of_struct.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
    }
}

/// The range of an integer type, such as "u8" or "a nonzero u8".
fn whole_number(expected: &str) -> Option<String> {
    let (name, least) = match expected.strip_prefix("a nonzero ") {
        Some(name) => (name, 1),
        None => (expected, 0),
    };
    let range = |min: i64, max: u64| format!("a whole number from {min} to {max}");
    let not_zero = if least == 1 { ", and not 0" } else { "" };
    Some(match name {
        "u8" => range(least, u8::MAX.into()),
        "u16" => range(least, u16::MAX.into()),
        "u32" => range(least, u32::MAX.into()),
        "i8" => range(i8::MIN.into(), i8::MAX as u64) + not_zero,
        "i16" => range(i16::MIN.into(), i16::MAX as u64) + not_zero,
        "i32" => range(i32::MIN.into(), i32::MAX as u64) + not_zero,
        // The maximum of 64 bits would only make the text longer.
        "u64" | "usize" => format!("a whole number that is {least} or more"),
        "i64" | "isize" => format!("a whole number{not_zero}"),
        _ => return None,
    })
}

/// The value that serde found, as JSON has it: "integer `5`" becomes "5".
fn found_value(found: &str) -> &str {
    match found {
        "sequence" => return "an array",
        "map" => return "an object",
        "unit variant" => return "a string",
        _ => {}
    }
    let number_or_boolean = ["integer", "floating point", "boolean"]
        .into_iter()
        .find_map(|kind| found.strip_prefix(kind)?.strip_prefix(" `")?.strip_suffix('`'));
    number_or_boolean.or_else(|| found.strip_prefix("string ")).unwrap_or(found)
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

    use super::*;

    #[derive(Deserialize)]
    struct Fields {}

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only read from JSON")]
    enum Step {
        Wait,
        Number(u8),
        Pair(u8, u8),
        Fields {},
    }

    fn message<T: DeserializeOwned>(value: Value) -> String {
        config_message(
            &serde_json::from_value::<T>(value).err().expect("a wrong value").to_string(),
        )
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
    fn numbers_that_are_not_0_have_their_range() {
        for (text, expected) in [
            (message::<NonZero<u8>>(json!(0)), "a whole number from 1 to 255"),
            (message::<NonZero<i8>>(json!(0)), "a whole number from -128 to 127, and not 0"),
            (message::<NonZero<usize>>(json!(0)), "a whole number that is 1 or more"),
            (message::<NonZero<i64>>(json!(0)), "a whole number, and not 0"),
        ] {
            assert_eq!(text, format!("expected {expected}, found 0"));
        }
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
    fn structs_and_enums_are_objects_and_strings() {
        let object = |found| format!("expected an object, found {found}");
        assert_eq!(message::<Fields>(json!(5)), object("5"));
        assert_eq!(message::<Step>(json!("fields")), object("a string"));
        assert_eq!(message::<Step>(json!("number")), object("a string"));
        assert_eq!(message::<Step>(json!("pair")), object("a string"));
        assert_eq!(message::<Step>(json!(5)), "expected a string or an object, found 5");
        assert_eq!(message::<Step>(json!({"wait": 5})), "expected null, found 5");
        assert_eq!(message::<(u8, u8)>(json!(5)), "expected an array of length 2, found 5");
    }

    #[test]
    fn other_messages_stay() {
        for text in ["missing field `a`", "invalid type", "invalid value: 5", ""] {
            assert_eq!(config_message(text), text);
        }
    }
}
