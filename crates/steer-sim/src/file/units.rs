//! Single values with their units: "20ms", "300/s", "5%", numbers, names.
//!
//! Each function reports a fault and returns `None` if the value is another one.
//!
//! Must not depend on: the fields that have these values.

use std::time::Duration;

use steer::Code;
use toml::de::DeValue;

use super::reader::Node;

/// The longest time that a scenario may name. It keeps sums of times far from overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The greatest rate: more calls per second than a simulation could finish.
const GREATEST_RATE: f64 = 10_000_000.0;

/// Reads a text that is not empty.
pub(super) fn text(node: &Node<'_>) -> Option<String> {
    match node.value.as_str() {
        Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
        _ => node.expected("a text"),
    }
}

/// Reads `true` or `false`.
pub(super) fn flag(node: &Node<'_>) -> Option<bool> {
    node.value.as_bool().or_else(|| node.expected("true or false"))
}

/// Reads a time.
pub(super) fn time(node: &Node<'_>) -> Option<Duration> {
    match node.value.as_str().and_then(parse_time) {
        Some(time) => Some(time),
        None => node.expected("a time such as \"20ms\""),
    }
}

/// Reads a time that is not 0.
pub(super) fn time_above_zero(node: &Node<'_>) -> Option<Duration> {
    match time(node)? {
        Duration::ZERO => node.expected("a time above 0"),
        time => Some(time),
    }
}

/// Parses a time such as "20ms". `None` also if it is longer than a year.
pub(super) fn parse_time(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|time| *time <= LONGEST)
}

/// Reads how often something happens, and returns it per second.
pub(super) fn rate(node: &Node<'_>) -> Option<f64> {
    match node.value.as_str().and_then(parse_rate).filter(|rate| *rate > 0.0) {
        Some(rate) if rate > GREATEST_RATE => {
            node.expected(&format!("at most \"{GREATEST_RATE}/s\""))
        }
        Some(rate) => Some(rate),
        None => node.expected("a rate such as \"300/s\" or \"5/min\""),
    }
}

fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(parse_number(number)? / seconds)
}

/// Reads a share, as "1%" or 0.01.
pub(super) fn share(node: &Node<'_>) -> Option<f64> {
    let share = match node.value.as_str() {
        Some(text) => text.strip_suffix('%').and_then(parse_number).map(|percent| percent / 100.0),
        None => as_number(node.value),
    };
    match share.filter(|share| (0.0..=1.0).contains(share)) {
        Some(share) => Some(share),
        None => node.expected("a share from 0 to 1 or from \"0%\" to \"100%\""),
    }
}

/// Reads a number between these two.
pub(super) fn number(least: f64, most: f64) -> impl Fn(&Node<'_>) -> Option<f64> {
    move |node| match as_number(node.value).filter(|n| (least..=most).contains(n)) {
        Some(number) => Some(number),
        None => node.expected(&format!("a number from {least} to {most}")),
    }
}

/// Reads a number that is above 0 and at most this.
pub(super) fn number_above_zero(most: f64) -> impl Fn(&Node<'_>) -> Option<f64> {
    move |node| match as_number(node.value).filter(|n| *n > 0.0 && *n <= most) {
        Some(number) => Some(number),
        None => node.expected(&format!("a number above 0, at most {most}")),
    }
}

/// Reads a whole number between these two. `usize::MAX` is no bound.
pub(super) fn whole(least: usize, most: usize) -> impl Fn(&Node<'_>) -> Option<usize> {
    move |node| {
        let whole = as_whole(node.value).and_then(|whole| usize::try_from(whole).ok());
        match whole.filter(|whole| (least..=most).contains(whole)) {
            Some(whole) => Some(whole),
            None if most == usize::MAX => node.expected(&format!("a whole number from {least}")),
            None => node.expected(&format!("a whole number from {least} to {most}")),
        }
    }
}

/// As [`whole`], for smaller numbers.
pub(super) fn whole_u32(least: u32, most: u32) -> impl Fn(&Node<'_>) -> Option<u32> {
    let whole = whole(least as usize, most as usize);
    // Cannot fail: `most` is the bound.
    move |node| whole(node).and_then(|whole| u32::try_from(whole).ok())
}

/// Reads one of these words.
pub(super) fn one_of<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&Node<'_>) -> Option<T> {
    move |node| {
        let word = node.value.as_str();
        match words.iter().find(|(known, _)| Some(*known) == word) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let known: Vec<String> =
                    words.iter().map(|(word, _)| format!("{word:?}")).collect();
                let expected = format!("expected one of {}", known.join(", "));
                node.unknown(&expected, words.iter().map(|(word, _)| *word))
            }
        }
    }
}

/// Reads the name of a status that is not OK.
pub(super) fn code(node: &Node<'_>) -> Option<Code> {
    let failures = &Code::ALL[1..];
    let name = node.value.as_str();
    match failures.iter().find(|code| Some(code.name()) == name) {
        Some(code) => Some(*code),
        None => node.unknown(
            "expected a gRPC status of a failure, such as \"UNAVAILABLE\"",
            failures.iter().map(|code| code.name()),
        ),
    }
}

/// The number of a value. Integers are numbers, too.
pub(super) fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(_) => as_whole(value).map(|whole| whole as f64),
        DeValue::Float(float) => parse_number(float.as_str()),
        _ => None,
    }
}

/// The whole number of a value.
pub(super) fn as_whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn parse_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
