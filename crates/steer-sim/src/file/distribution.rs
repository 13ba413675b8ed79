//! Distributions of times, and files with times.
//!
//! Must not depend on: the fields that have distributions.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::reader::{Fields, Node, quote_text};
use super::units::{number, parse_time, share, text, time, time_above_zero};
use crate::scenario::Distribution;

/// With a larger one, the mean of a log-normal distribution says nothing about its values.
const GREATEST_SIGMA: f64 = 5.0;

/// Of a file with times, so many faults are reported. A file of another kind has one in each line.
const FAULTS_OF_FILE: usize = 5;

#[derive(Clone, Copy)]
enum Kind {
    Exponential,
    LogNormal,
    Bimodal,
    Uniform,
    Samples,
}

const KINDS: [(&str, Kind); 5] = [
    ("exponential", Kind::Exponential),
    ("log_normal", Kind::LogNormal),
    ("bimodal", Kind::Bimodal),
    ("uniform", Kind::Uniform),
    ("samples", Kind::Samples),
];

/// Reads a distribution: a time, or a table with the key `distribution`.
pub(super) fn distribution(node: &Node<'_>) -> Option<Distribution> {
    if node.value.is_table() {
        return node.table(read_table)?;
    }
    match node.value.as_str().and_then(parse_time) {
        Some(time) => Some(Distribution::Constant(time)),
        None => node.expected("a time such as \"20ms\", or a distribution"),
    }
}

fn read_table(fields: &mut Fields<'_>) -> Option<Distribution> {
    let Some(kind) = fields.require("distribution", super::units::one_of(&KINDS)) else {
        // The other keys depend on it: without it, none of them can be called unknown.
        fields.allow(&["mean", "median", "sigma", "fast", "slow", "share_of_slow"]);
        fields.allow(&["least", "most", "file"]);
        return None;
    };
    match kind {
        Kind::Exponential => {
            let mean = fields.require("mean", time_above_zero)?;
            Some(Distribution::Exponential { mean })
        }
        Kind::LogNormal => {
            let median = fields.require("median", time_above_zero);
            let sigma = fields.require("sigma", number(0.0, GREATEST_SIGMA));
            Some(Distribution::LogNormal { median: median?, sigma: sigma? })
        }
        Kind::Bimodal => {
            let fast = fields.require("fast", time);
            let slow = fields.require("slow", time);
            let share_of_slow = fields.require("share_of_slow", share);
            Some(Distribution::Bimodal { fast: fast?, slow: slow?, share_of_slow: share_of_slow? })
        }
        Kind::Uniform => {
            let least = fields.require("least", time);
            let most = fields.require("most", time);
            let (least, most) = (least?, most?);
            if least > most {
                fields.fault_at("most", "must not be less than least");
                return None;
            }
            Some(Distribution::Uniform { least, most })
        }
        Kind::Samples => Some(Distribution::Samples(fields.require("file", times_of_file)?)),
    }
}

/// Reads the times of a file: one in each line. Empty lines and those that begin with `#` do not
/// count.
pub(super) fn times_of_file(node: &Node<'_>) -> Option<Arc<[Duration]>> {
    let name = text(node)?;
    let path = node.source.folder.join(&name);
    let content = match fs::read_to_string(&path) {
        Ok(content) => content,
        Err(error) => {
            node.fault(format!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    let mut times = Vec::new();
    let mut faults = 0;
    for (i, line) in content.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_time(line) {
            Some(time) => times.push(time),
            None if faults == FAULTS_OF_FILE => break,
            None => {
                faults += 1;
                let place = format!("{}:{}", path.display(), i + 1);
                let line = quote_text(line);
                node.fault(format!("{place}: expected a time such as \"20ms\", not {line}"));
            }
        }
    }
    if faults == 0 && times.is_empty() {
        node.fault(format!("{} has no times", path.display()));
    }
    (faults == 0 && !times.is_empty()).then(|| times.into())
}
