//! The columns of the two tables: heads, cells, sort order, and how to shorten a cell. A narrow
//! screen leaves out the last columns.
//!
//! Must not depend on: how a table is drawn.

use std::cmp::Ordering;

use crate::history;
use crate::metrics::MetricRow;
use crate::rates::{BackendRow, ChannelRow};
use crate::stats::{Channel, Value};

/// The value of a cell. `None` is an unknown value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A connectivity state.
    State(String),
    /// A count.
    Count(Option<u64>),
    /// A count that is red unless it is 0.
    Faults(Option<u64>),
    /// A rate per second.
    Rate(Option<f64>),
    /// A rate per second that is red unless it is 0.
    FaultRate(Option<f64>),
    /// The last rates as bars, the oldest first, 0 to 1. Empty if they are unknown.
    History(Vec<f64>),
    /// A share, 0 to 1.
    Part(Option<f64>),
    /// A time in seconds.
    Time(Option<f64>),
    /// A number without a unit.
    Number(Option<f64>),
}

impl Cell {
    /// Returns the text to show.
    pub fn text(&self) -> String {
        let known = match self {
            Cell::Text(text) | Cell::State(text) => Some(text.clone()),
            Cell::Count(count) | Cell::Faults(count) => count.map(|count| count.to_string()),
            Cell::Rate(rate) | Cell::FaultRate(rate) => rate.map(|rate| format!("{rate:.1}")),
            Cell::History(rates) => (!rates.is_empty()).then(|| bars(rates)),
            Cell::Part(part) => part.map(|part| format!("{:.1} %", part * 100.0)),
            Cell::Time(seconds) => seconds.map(time),
            Cell::Number(number) => number.map(|number| format!("{number:.3}")),
        };
        known.unwrap_or_else(|| "-".to_owned())
    }

    /// Returns whether the value is unknown.
    pub fn is_unknown(&self) -> bool {
        match self {
            Cell::Text(text) | Cell::State(text) => text.is_empty(),
            Cell::Count(count) | Cell::Faults(count) => count.is_none(),
            _ => self.number().is_none(),
        }
    }

    /// Returns whether the value is a number. Numbers are aligned to the right, and sort with the
    /// greatest first.
    pub fn is_number(&self) -> bool {
        !matches!(self, Cell::Text(_) | Cell::State(_))
    }

    fn number(&self) -> Option<f64> {
        match self {
            Cell::Text(_) | Cell::State(_) => None,
            Cell::Count(count) | Cell::Faults(count) => count.map(|count| count as f64),
            Cell::History(rates) => rates.last().copied(),
            Cell::Rate(number)
            | Cell::FaultRate(number)
            | Cell::Part(number)
            | Cell::Time(number)
            | Cell::Number(number) => *number,
        }
    }

    /// Compares two cells of a column. Unknown values come last.
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

/// Formats rates of 0 to 1 as bars of eight heights. The newest is at the right. Always as wide as
/// a full history, so that the column does not grow.
fn bars(rates: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |rate: &f64| match (rate * BARS.len() as f64).ceil() as usize {
        0 => '·',
        height => BARS[height.min(BARS.len()) - 1],
    };
    let bars: String = rates.iter().map(bar).collect();
    format!("{bars:>width$}", width = history::LENGTH)
}

/// Formats a time with three digits.
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
    /// The head.
    pub head: &'static str,
    /// Returns the cell of a row.
    pub cell: fn(&R) -> Cell,
    /// Whether it is left out if it is unknown for all rows.
    pub optional: bool,
    /// Whether it is left out if the screen is too narrow for all columns. The table cannot be
    /// sorted by it.
    pub spare: bool,
    /// How a narrow screen shortens the column; `None` if its cells are always whole.
    pub shorten: Option<Shorten>,
}

/// How to shorten the texts of a column.
#[derive(Clone, Copy)]
pub struct Shorten {
    /// The column keeps at least this width.
    pub least: usize,
    /// Shortens a text to a width.
    pub text: fn(&str, usize) -> String,
}

const fn column<R>(head: &'static str, cell: fn(&R) -> Cell) -> Column<R> {
    Column { head, cell, optional: false, spare: false, shorten: None }
}

const fn short<R>(head: &'static str, cell: fn(&R) -> Cell, shorten: Shorten) -> Column<R> {
    Column { head, cell, optional: false, spare: false, shorten: Some(shorten) }
}

const fn optional<R>(head: &'static str, cell: fn(&R) -> Cell) -> Column<R> {
    Column { head, cell, optional: true, spare: false, shorten: None }
}

const fn spare<R>(head: &'static str, cell: fn(&R) -> Cell) -> Column<R> {
    Column { head, cell, optional: true, spare: true, shorten: None }
}

/// Targets differ at their beginning, after the scheme.
const TARGET: Shorten = Shorten { least: 8, text: shorten_target };

/// Addresses differ at their end. 16 characters hold most IPv4 addresses with their port.
const ADDRESS: Shorten = Shorten { least: 16, text: shorten_addresses };

/// Labels may be long, and the first ones are the metric's most important ones.
const LABELS: Shorten = Shorten { least: 12, text: shorten_right };

/// Drops gRPC's default scheme, and then cuts from the right.
fn shorten_target(target: &str, width: usize) -> String {
    shorten_right(target.strip_prefix("dns:///").unwrap_or(target), width)
}

/// Cuts from the right.
fn shorten_right(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let head: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{head}…")
}

/// Keeps the first address, without its scheme, and cuts it from the left. Says how many more
/// addresses there are.
fn shorten_addresses(addresses: &str, width: usize) -> String {
    let mut all = addresses.split(' ');
    let first = all.next().unwrap_or_default();
    let first = first.strip_prefix("ipv4:").or(first.strip_prefix("ipv6:")).unwrap_or(first);
    let more = match all.count() {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    let (length, room) = (first.chars().count(), width.saturating_sub(more.len()));
    if length <= room {
        return format!("{first}{more}");
    }
    let tail: String = first.chars().skip(length + 1 - room.max(1)).collect();
    format!("…{tail}{more}")
}

/// The policy, its fallback if there is one, and its children.
fn policy(channel: &Channel) -> String {
    let own = match &channel.fallback {
        Some(fallback) => format!("{} → {}", channel.policy, fallback.mode),
        None => channel.policy.clone(),
    };
    let named = |child: &Channel| match &child.child {
        Some(name) => format!("{name}: {}", policy(child)),
        None => policy(child),
    };
    match &channel.children[..] {
        [] => own,
        [only] => format!("{own} > {}", policy(only)),
        several => {
            let children: Vec<String> = several.iter().map(named).collect();
            format!("{own} > [{}]", children.join(", "))
        }
    }
}

/// The columns of channels.
pub const CHANNELS: &[Column<ChannelRow>] = &[
    column("ID", |row| Cell::Text(row.channel.id.to_string())),
    short("TARGET", |row| Cell::Text(row.channel.target.clone()), TARGET),
    optional("CHANNEL", |row| Cell::Count(row.shared)),
    optional("CLUSTER", |row| Cell::Text(row.channel.cluster.clone())),
    optional("LOCALITY", |row| Cell::Text(row.channel.locality.text())),
    column("POLICY", |row| Cell::Text(policy(&row.channel))),
    column("STATE", |row| Cell::State(row.channel.state.clone())),
    optional("CALLS/S", |row| Cell::Rate(row.calls)),
    optional("ERRORS/S", |row| Cell::FaultRate(row.errors)),
    column("FAULTS", |row| Cell::Faults(Some(row.channel.all_faults()))),
    column("BACKENDS", |row| Cell::Count(Some(row.backends.len() as u64))),
    column("PICKERS", |row| Cell::Count(Some(row.channel.pickers))),
];

/// The columns of a channel's backends.
pub const BACKENDS: &[Column<BackendRow>] = &[
    short("BACKEND", |row| Cell::Text(row.backend.addresses.join(" ")), ADDRESS),
    column("STATE", |row| Cell::State(row.backend.state.clone())),
    optional("CALLS/S", |row| Cell::Rate(row.calls)),
    spare("HISTORY", |row| Cell::History(row.history.clone())),
    optional("OF CALLS", |row| Cell::Part(row.part)),
    optional("IN FLIGHT", |row| Cell::Count(row.backend.in_flight)),
    optional("ERRORS/S", |row| Cell::FaultRate(row.errors)),
    optional("P50", |row| Cell::Time(row.backend.latency_seconds.as_ref().map(|l| l.p50))),
    optional("P99", |row| Cell::Time(row.backend.latency_seconds.as_ref().map(|l| l.p99))),
    optional("WEIGHT", |row| Cell::Number(row.backend.weight)),
    optional("EWMA", |row| Cell::Time(row.backend.ewma_seconds)),
    optional("OF TABLE", |row| Cell::Part(row.backend.share)),
];

/// The columns of a channel's custom metrics.
pub const METRICS: &[Column<MetricRow>] = &[
    column("METRIC", |row| Cell::Text(row.name.clone())),
    short("LABELS", |row| Cell::Text(row.labels.clone()), LABELS),
    column("VALUE", |row| match row.value {
        Value::Count { value: count } | Value::Histogram { count, .. } => Cell::Count(Some(count)),
        Value::Number { value } => Cell::Number(value),
    }),
    optional("PER S", |row| Cell::Rate(row.rate)),
    optional("MEAN", |row| Cell::Number(row.mean())),
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
    fn a_history_is_drawn_as_bars() {
        let text = |rates: &[f64]| Cell::History(rates.to_vec()).text();
        assert_eq!(text(&[0.0, 0.001, 0.125, 0.126, 0.5, 0.99, 1.0]), "   ·▁▁▂▄██");
        assert_eq!(text(&[1.0; history::LENGTH]), "██████████");
        assert_eq!(text(&[]), "-");
        assert!(Cell::History(Vec::new()).is_unknown());
    }

    #[test]
    fn short_addresses_keep_their_ends() {
        for (addresses, width, text) in [
            ("ipv4:10.0.0.1:50051", 19, "10.0.0.1:50051"),
            ("ipv4:10.0.0.1:50051", 14, "10.0.0.1:50051"),
            ("ipv4:10.0.0.1:50051", 10, "…0.1:50051"),
            ("ipv4:10.0.0.1:50051 ipv4:10.0.0.2:50051", 18, "10.0.0.1:50051 +1"),
            ("ipv4:10.0.0.1:50051 ipv4:10.0.0.2:50051", 12, "….1:50051 +1"),
            ("unix:/run/greeter/1.sock", 8, "…/1.sock"),
            ("", 8, ""),
        ] {
            assert_eq!(shorten_addresses(addresses, width), text);
        }
    }

    #[test]
    fn short_targets_keep_their_beginnings() {
        for (target, width, text) in [
            ("dns:///greeter:50051", 13, "greeter:50051"),
            ("dns:///greeter:50051", 8, "greeter…"),
            ("xds:///greeter", 8, "xds:///…"),
        ] {
            assert_eq!(shorten_target(target, width), text);
        }
    }

    #[test]
    fn a_policy_is_named_with_its_fallback() {
        let mut channel = Channel { policy: "mine".to_owned(), ..Channel::default() };
        assert_eq!(policy(&channel), "mine");
        channel.fallback = serde_json::from_str(
            r#"{"since_unix_seconds":1.5,"reason":"pick failed: broken","mode":"round_robin"}"#,
        )
        .unwrap();
        assert_eq!(policy(&channel), "mine → round_robin");
    }

    #[test]
    fn a_policy_is_named_with_its_children() {
        let channel: Channel = serde_json::from_str(
            r#"{"id":1,"policy":"outer","state":"READY","faults":1,"children":[
                {"id":2,"policy":"middle","state":"READY","child":"only","children":[
                    {"id":3,"policy":"p","state":"READY","child":"zone-a","faults":2},
                    {"id":4,"policy":"q","state":"READY","child":"zone-b",
                     "fallback":{"mode":"fail"}}]}]}"#,
        )
        .unwrap();
        assert_eq!(policy(&channel), "outer > middle > [zone-a: p, zone-b: q → fail]");
        assert_eq!(channel.all_faults(), 3);
    }

    #[test]
    fn the_greatest_number_comes_first_and_unknown_values_last() {
        let mut cells = [Cell::Rate(None), Cell::Rate(Some(1.0)), Cell::Rate(Some(2.0))];
        cells.sort_by(Cell::order);
        assert_eq!(cells, [Cell::Rate(Some(2.0)), Cell::Rate(Some(1.0)), Cell::Rate(None)]);
        let mut names = [Cell::Text("b".to_owned()), Cell::Text("a".to_owned())];
        names.sort_by(Cell::order);
        assert_eq!(names, [Cell::Text("a".to_owned()), Cell::Text("b".to_owned())]);
    }
}
