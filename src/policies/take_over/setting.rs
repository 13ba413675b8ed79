//! One setting, `round_robin=steer_peak_ewma{"decayTime":"5s"}`, and lists of them.
//!
//! Must not depend on: which names and policies there are.

use std::fmt;

use serde_json::Value;

/// A name of gRPC's, the policy that takes it over, and that policy's config.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// gRPC's name.
    pub name: String,
    /// The policy. The same as `name`: gRPC keeps the name.
    pub policy: String,
    /// The policy's config. Null: none was given.
    pub config: Value,
}

impl Setting {
    /// Whether gRPC's own policy keeps the name.
    pub fn leaves_the_name(&self) -> bool {
        self.name == self.policy
    }
}

/// The text that it was parsed from, without the config.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.policy)
    }
}

/// Parses `name=policy{config},name=policy,…`. The config is a JSON object, and may be left out.
/// Spaces around each part are ignored. The error quotes the place, and says what is expected.
pub fn parse_list(text: &str) -> Result<Vec<Setting>, String> {
    let mut settings = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (setting, after) = parse_one(rest)?;
        settings.push(setting);
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return Err(unexpected(after, "',' before the next name")),
        };
    }
    Ok(settings)
}

/// Parses one setting. Returns it and what follows.
fn parse_one(text: &str) -> Result<(Setting, &str), String> {
    let (name, rest) = word(text, "the name of a policy of gRPC's")?;
    let rest = rest
        .strip_prefix('=')
        .ok_or_else(|| unexpected(rest, &format!("'=' and the name of a policy after {name:?}")))?;
    let (policy, rest) = word(rest.trim_start(), "the name of a policy")?;
    let (config, rest) = if rest.starts_with('{') { object(rest)? } else { (Value::Null, rest) };
    Ok((Setting { name: name.to_owned(), policy: policy.to_owned(), config }, rest.trim_start()))
}

/// A name at the start of the text. Returns it and what follows.
fn word<'a>(text: &'a str, expected: &str) -> Result<(&'a str, &'a str), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (word, rest) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
    if word.is_empty() {
        return Err(unexpected(text, expected));
    }
    Ok((word, rest.trim_start()))
}

/// A JSON object at the start of the text. Returns it and what follows.
fn object(text: &str) -> Result<(Value, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => {
            let end = values.byte_offset();
            Ok((value, &text[end..]))
        }
        Some(Err(error)) => Err(unexpected(text, &format!("a JSON object ({error})"))),
        None => Err(unexpected(text, "a JSON object")),
    }
}

/// How much of a text an error quotes.
const QUOTED: usize = 40;

fn unexpected(text: &str, expected: &str) -> String {
    const FORM: &str = r#"write name=policy, or name=policy{"field":value}, separated by ','"#;
    let quoted: String = text.chars().take(QUOTED).collect();
    let place = if quoted.is_empty() { "the end".to_owned() } else { format!("{quoted:?}") };
    format!("expected {expected} at {place}: {FORM}")
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Vec<(String, Value)> {
        let settings = parse_list(text).unwrap();
        settings.into_iter().map(|setting| (setting.to_string(), setting.config)).collect()
    }

    #[test]
    fn reads_lists() {
        assert_eq!(parsed(""), []);
        assert_eq!(parsed("  "), []);
        assert_eq!(parsed("a=b"), [("a=b".into(), Value::Null)]);
        assert_eq!(
            parsed(r#"a=b{"x":[1,2],"y":{"z":"=,}"}} , c = d,e=f {} ,"#),
            [
                ("a=b".into(), json!({"x": [1, 2], "y": {"z": "=,}"}})),
                ("c=d".into(), Value::Null),
                ("e=f".into(), json!({})),
            ]
        );
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, expected) in [
            ("a", r#"'=' and the name of a policy after "a" at the end"#),
            ("=b", r#"the name of a policy of gRPC's at "=b""#),
            ("a=", "the name of a policy at the end"),
            ("a=b c=d", r#"',' before the next name at "c=d""#),
            (r#"a=b{"x":}"#, "a JSON object (expected value"),
            ("a=b{", "a JSON object (EOF"),
            ("a:b", r#"at ":b""#),
        ] {
            let error = parse_list(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.contains("write name=policy"), "{error}");
        }
    }
}
