//! The columns of the two tables: their heads, what stands in them, and how they sort. The last ones are
//! those that a narrow screen can do without.
//!
//! Must not know: how a table is drawn.

use std::cmp::Ordering;

use crate::rates::{BackendRow, ChannelRow};
use crate::stats::Channel;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Something to read.
    Text(String),
    /// A connectivity state.
    State(String),
    /// How many.
    Count(Option<u64>),
    /// How many, where none would be best.
    Faults(Option<u64>),
    /// How many each second.
    Rate(Option<f64>),
    /// How many each second, where none would be best.
    FaultRate(Option<f64>),
    /// A part of a whole.
    Part(Option<f64>),
    /// A time in seconds.
    Time(Option<f64>),
    /// A number of no unit.
    Number(Option<f64>),
}

impl Cell {
    /// As it is shown.
    pub fn text(&self) -> String {
        let known = match self {
            Cell::Text(text) | Cell::State(text) => Some(text.clone()),
            Cell::Count(count) | Cell::Faults(count) => count.map(|count| count.to_string()),
            Cell::Rate(rate) | Cell::FaultRate(rate) => rate.map(|rate| format!("{rate:.1}")),
            Cell::Part(part) => part.map(|part| format!("{:.1} %", part * 100.0)),
            Cell::Time(seconds) => seconds.map(time),
            Cell::Number(number) => number.map(|number| format!("{number:.3}")),
        };
        known.unwrap_or_else(|| "-".to_owned())
    }

    /// Whether there is nothing to show.
    pub fn is_unknown(&self) -> bool {
        match self {
            Cell::Text(_) | Cell::State(_) => false,
            Cell::Count(count) | Cell::Faults(count) => count.is_none(),
            _ => self.number().is_none(),
        }
    }

    /// Numbers stand to the right, and sort with the greatest first.
    pub fn is_number(&self) -> bool {
        !matches!(self, Cell::Text(_) | Cell::State(_))
    }

    fn number(&self) -> Option<f64> {
        match self {
            Cell::Text(_) | Cell::State(_) => None,
            Cell::Count(count) | Cell::Faults(count) => count.map(|count| count as f64),
            Cell::Rate(number)
            | Cell::FaultRate(number)
            | Cell::Part(number)
            | Cell::Time(number)
            | Cell::Number(number) => *number,
        }
    }

    /// Which of two cells of a column comes first: what is unknown comes last.
    pub fn order(&self, other: &Cell) -> Ordering {
        if let (Cell::Text(a), Cell::Text(b)) | (Cell::State(a), Cell::State(b)) = (self, other) {
            return a.cmp(b);
        }
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

/// Three digits, whatever the size.
fn time(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let decimals = match number {
        n if n >= 99.95 || n == 0.0 => 0,
        n if n >= 9.995 => 1,
        _ => 2,
    };
    format!("{number:.decimals$} {unit}")
}

/// A column of rows of type `R`.
pub struct Column<R> {
    /// Its head.
    pub head: &'static str,
    /// What stands in it.
    pub cell: fn(&R) -> Cell,
    /// Whether it is left out when nothing is known of any row.
    pub optional: bool,
    /// Whether it may be cut on a narrow screen.
    pub flexible: bool,
}

const fn column<R>(head: &'static str, cell: fn(&R) -> Cell) -> Column<R> {
    Column { head, cell, optional: false, flexible: false }
}

const fn flexible<R>(head: &'static str, cell: fn(&R) -> Cell) -> Column<R> {
    Column { head, cell, optional: false, flexible: true }
}

const fn optional<R>(head: &'static str, cell: fn(&R) -> Cell) -> Column<R> {
    Column { head, cell, optional: true, flexible: false }
}

/// The policy, and what is in its place if it broke.
fn policy(channel: &Channel) -> String {
    match &channel.fallback {
        Some(fallback) => format!("{} → {}", channel.policy, fallback.mode),
        None => channel.policy.clone(),
    }
}

/// Of channels.
pub const CHANNELS: &[Column<ChannelRow>] = &[
    column("ID", |row| Cell::Text(row.channel.id.to_string())),
    flexible("TARGET", |row| Cell::Text(row.channel.target.clone())),
    column("POLICY", |row| Cell::Text(policy(&row.channel))),
    column("STATE", |row| Cell::State(row.channel.state.clone())),
    optional("CALLS/S", |row| Cell::Rate(row.calls)),
    optional("ERRORS/S", |row| Cell::FaultRate(row.errors)),
    column("FAULTS", |row| Cell::Faults(Some(row.channel.faults))),
    column("BACKENDS", |row| Cell::Count(Some(row.backends.len() as u64))),
    column("PICKERS", |row| Cell::Count(Some(row.channel.pickers))),
];

/// Of a channel's backends.
pub const BACKENDS: &[Column<BackendRow>] = &[
    flexible("BACKEND", |row| Cell::Text(row.backend.addresses.join(" "))),
    column("STATE", |row| Cell::State(row.backend.state.clone())),
    optional("CALLS/S", |row| Cell::Rate(row.calls)),
    optional("OF CALLS", |row| Cell::Part(row.part)),
    optional("IN FLIGHT", |row| Cell::Count(row.backend.in_flight)),
    optional("ERRORS/S", |row| Cell::FaultRate(row.errors)),
    optional("P50", |row| Cell::Time(row.backend.latency_seconds.as_ref().map(|l| l.p50))),
    optional("P99", |row| Cell::Time(row.backend.latency_seconds.as_ref().map(|l| l.p99))),
    optional("WEIGHT", |row| Cell::Number(row.backend.weight)),
    optional("EWMA", |row| Cell::Time(row.backend.ewma_seconds)),
    optional("OF TABLE", |row| Cell::Part(row.backend.share)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (seconds, text) in [
            (0.0, "0 µs"),
            (1.5e-6, "1.50 µs"),
            (0.000_999, "999 µs"),
            (0.001, "1.00 ms"),
            (0.012_34, "12.3 ms"),
            (0.123_4, "123 ms"),
            (0.099_96, "100 ms"),
            (1.0, "1.00 s"),
            (62.0, "62.0 s"),
        ] {
            assert_eq!(Cell::Time(Some(seconds)).text(), text);
        }
    }

    #[test]
    fn a_policy_that_broke_is_named_with_what_is_in_its_place() {
        let mut channel = Channel { policy: "mine".to_owned(), ..Channel::default() };
        assert_eq!(policy(&channel), "mine");
        channel.fallback = serde_json::from_str(
            r#"{"since_unix_seconds":1.5,"reason":"pick failed: broken","mode":"round_robin"}"#,
        )
        .unwrap();
        assert_eq!(policy(&channel), "mine → round_robin");
    }

    #[test]
    fn the_greatest_number_comes_first_and_what_is_unknown_last() {
        let mut cells = [Cell::Rate(None), Cell::Rate(Some(1.0)), Cell::Rate(Some(2.0))];
        cells.sort_by(Cell::order);
        assert_eq!(cells, [Cell::Rate(Some(2.0)), Cell::Rate(Some(1.0)), Cell::Rate(None)]);
        let mut names = [Cell::Text("b".to_owned()), Cell::Text("a".to_owned())];
        names.sort_by(Cell::order);
        assert_eq!(names, [Cell::Text("a".to_owned()), Cell::Text("b".to_owned())]);
    }
}
