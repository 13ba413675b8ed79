//! How calls are made: arrivals, retries, hedging, streams and keys.
//!
//! Must not depend on: who makes the calls.

use std::time::Duration;

use steer::Code;

use super::distribution::{distribution, times_of_file};
use super::reader::{Fields, Node};
use super::units::{
    code, flag, number, number_above_zero, one_of, time, time_above_zero, whole_u32,
};
use crate::scenario::{Arrivals, Distribution, Hedging, Keys, Retries, Stream};

/// gRPC takes a greater number as 5 (gRFC A6).
const MOST_ATTEMPTS: u32 = 5;

/// The bounds of gRPC's retry throttling (gRFC A6).
const MOST_TOKENS: f64 = 1000.0;

/// A greater factor leaves the range of times after two retries.
const GREATEST_MULTIPLIER: f64 = 1000.0;

/// The most calls of a burst.
const LARGEST_BURST: u32 = 1_000_000;

/// The most keys, and the greatest exponent of Zipf's law: with 10, one key has practically all.
const MOST_KEYS: u32 = 10_000_000;
const GREATEST_ZIPF: f64 = 10.0;

/// Reads "poisson", "regular", `{ bursts = 10 }` or `{ file = "times.txt" }`.
pub(super) fn arrivals(node: &Node<'_>) -> Option<Arrivals> {
    if !node.value.is_table() {
        #[derive(Clone, Copy)]
        enum Word {
            Poisson,
            Regular,
        }
        let words = [("poisson", Word::Poisson), ("regular", Word::Regular)];
        return Some(match one_of(&words)(node)? {
            Word::Poisson => Arrivals::Poisson,
            Word::Regular => Arrivals::Regular,
        });
    }
    node.table(|fields| {
        let bursts = fields.read("bursts", whole_u32(1, LARGEST_BURST)).map(Arrivals::Bursts);
        let times = fields.read("file", times_of_file).map(|times| {
            let mut sorted = times.to_vec();
            sorted.sort();
            Arrivals::Times(sorted.into())
        });
        if fields.has("bursts") == fields.has("file") {
            fields.fault("expected either bursts or file");
            return None;
        }
        bursts.or(times)
    })?
}

/// Reads the retries of the service config. The defaults are those of the examples in gRFC A6.
pub(super) fn retries(node: &Node<'_>) -> Option<Retries> {
    node.table(|fields| Retries {
        max_attempts: fields.read_or("max_attempts", 3, whole_u32(2, MOST_ATTEMPTS)),
        initial_backoff: fields.read_or(
            "initial_backoff",
            Duration::from_millis(100),
            time_above_zero,
        ),
        max_backoff: fields.read_or("max_backoff", Duration::from_secs(1), time_above_zero),
        backoff_multiplier: fields.read_or(
            "backoff_multiplier",
            2.0,
            number_above_zero(GREATEST_MULTIPLIER),
        ),
        codes: fields.read_or("codes", vec![Code::Unavailable], |node| node.some("status", code)),
        throttling: fields.read("throttling", throttling),
    })
}

fn throttling(node: &Node<'_>) -> Option<(f64, f64)> {
    let both = node.table(|fields| {
        let max_tokens = fields.require("max_tokens", number_above_zero(MOST_TOKENS));
        let token_ratio = fields.require("token_ratio", number_above_zero(MOST_TOKENS));
        max_tokens.zip(token_ratio)
    });
    both?
}

/// Reads the hedging of the service config.
pub(super) fn hedging(node: &Node<'_>) -> Option<Hedging> {
    node.table(|fields| Hedging {
        max_attempts: fields.read_or("max_attempts", 2, whole_u32(2, MOST_ATTEMPTS)),
        delay: fields.require("delay", time).unwrap_or_default(),
        non_fatal_codes: fields.read_or("non_fatal_codes", Vec::new(), |node| node.list(code)),
    })
}

/// Reads a stream.
pub(super) fn stream(node: &Node<'_>) -> Option<Stream> {
    node.table(|fields| Stream {
        lasts: fields
            .require("lasts", distribution)
            .unwrap_or(Distribution::Constant(Duration::ZERO)),
        ends_by_cancel: fields.read_or("ends_by_cancel", false, flag),
    })
}

/// Reads the keys of calls.
pub(super) fn keys(node: &Node<'_>) -> Option<Keys> {
    node.table(|fields: &mut Fields<'_>| Keys {
        header: fields.read_or("header", "key".to_owned(), header),
        count: fields.require("count", whole_u32(1, MOST_KEYS)).unwrap_or(1),
        zipf: fields.read_or("zipf", 0.0, number(0.0, GREATEST_ZIPF)),
    })
}

/// Reads the name of a header with text, as gRPC allows it.
fn header(node: &Node<'_>) -> Option<String> {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let right =
        |name: &&str| !name.is_empty() && name.chars().all(right) && !name.ends_with("-bin");
    match node.value.as_str().filter(right) {
        Some(name) => Some(name.to_owned()),
        None => node.expected("a header's name, in lower case and without \"-bin\" at the end"),
    }
}
