//! What a policy must achieve.
//!
//! Must not depend on: events, how limits are measured.

use std::time::Duration;

use super::names::Names;
use super::reader::{Fields, Node};
use super::units::{number, one_of, share, text, time};
use crate::scenario::{Limit, Measure, Threshold, Window};

/// The greatest threshold that is a number, more than anything that can be measured.
const GREATEST: f64 = 1e9;

/// The names of measures, as the enum `Measure` has them.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Latency,
    Errors,
    Share,
    FairShare,
    PeakFairShare,
    Fullest,
    InFlight,
    QueueAboveOthers,
    Attempts,
    FullestConnections,
}

const KINDS: [(&str, Kind); 10] = [
    ("latency", Kind::Latency),
    ("errors", Kind::Errors),
    ("share", Kind::Share),
    ("fair_share", Kind::FairShare),
    ("peak_fair_share", Kind::PeakFairShare),
    ("fullest", Kind::Fullest),
    ("in_flight", Kind::InFlight),
    ("queue_above_others", Kind::QueueAboveOthers),
    ("attempts", Kind::Attempts),
    ("fullest_connections", Kind::FullestConnections),
];

impl Kind {
    /// Whether it is measured at some servers.
    fn is_of_servers(self) -> bool {
        use Kind::{FairShare, InFlight, PeakFairShare, QueueAboveOthers, Share};
        matches!(self, Share | FairShare | PeakFairShare | InFlight | QueueAboveOthers)
    }

    fn measure(self, servers: Vec<String>, quantile: f64) -> Measure {
        match self {
            Kind::Latency => Measure::Latency(quantile),
            Kind::Errors => Measure::Errors,
            Kind::Share => Measure::Share(servers),
            Kind::FairShare => Measure::FairShare(servers),
            Kind::PeakFairShare => Measure::PeakFairShare(servers),
            Kind::Fullest => Measure::Fullest,
            Kind::InFlight => Measure::InFlight(servers),
            Kind::QueueAboveOthers => Measure::QueueAboveOthers(servers),
            Kind::Attempts => Measure::Attempts,
            Kind::FullestConnections => Measure::FullestConnections,
        }
    }

    /// Reads a threshold in the unit of the measure.
    fn threshold(self, node: &Node<'_>) -> Option<f64> {
        match self {
            Kind::Latency => time(node).map(|time| time.as_secs_f64()),
            Kind::Errors | Kind::Share => share(node),
            _ => number(0.0, GREATEST)(node),
        }
    }
}

/// Reads `[[limits]]`. `warm_up` and `duration` are `None` if they have faults.
pub(super) fn limits(
    fields: &mut Fields<'_>,
    names: &Names,
    warm_up: Option<Duration>,
    duration: Option<Duration>,
) -> Vec<Limit> {
    let limits = fields.read("limits", |node| {
        node.list(|node| {
            let line = node.line();
            node.table(|fields| {
                let window = window(fields, warm_up, duration);
                Some(Limit { line, window, ..read_limit(fields, names)? })
            })?
        })
    });
    limits.unwrap_or_default()
}

/// Reads a limit, except for its line and window.
fn read_limit(fields: &mut Fields<'_>, names: &Names) -> Option<Limit> {
    let kind = fields.require("measure", one_of(&KINDS));
    let servers = fields.read("servers", |node| node.some("name", |node| names.servers(node)));
    let quantile = fields.read_or("quantile", 0.99, share);
    let threshold = threshold(fields, kind);
    let policies = fields.read("policies", |node| node.some("policy", |node| names.policy(node)));
    let mentioned = policies.clone().unwrap_or_default();
    let (not_yet, not_yet_because) = not_yet(fields, names, &mentioned);
    let kind = kind?;
    let word = KINDS.iter().find(|(_, known)| *known == kind).map_or("", |(word, _)| word);
    match (fields.has("servers"), kind.is_of_servers()) {
        (false, true) => fields.fault(format!("servers is missing: {word} is measured at servers")),
        (true, false) => fields.fault_at("servers", format!("{word} is measured at all servers")),
        _ => {}
    }
    if fields.has("quantile") && kind != Kind::Latency {
        fields.fault_at("quantile", format!("{word} has no quantiles"));
    }
    let measure = kind.measure(servers.unwrap_or_default(), quantile);
    let window = Window { from: Duration::ZERO, until: Duration::ZERO };
    let threshold = threshold?;
    Some(Limit {
        measure,
        window,
        threshold,
        policies: mentioned,
        not_yet,
        not_yet_because,
        line: 0,
    })
}

fn window(
    fields: &mut Fields<'_>,
    warm_up: Option<Duration>,
    duration: Option<Duration>,
) -> Window {
    let within = |node: &Node<'_>| {
        let at = time(node)?;
        if duration.is_some_and(|duration| at > duration) {
            node.fault("must not be after the end of the scenario");
            return None;
        }
        Some(at)
    };
    let from = if fields.has("from") { fields.read("from", within) } else { warm_up };
    let until = if fields.has("until") { fields.read("until", within) } else { duration };
    fields.allow(&["from", "until"]);
    let (from, until) = match (from, until) {
        (Some(from), Some(until)) => (from, until),
        _ => return Window { from: Duration::ZERO, until: Duration::ZERO },
    };
    // A scenario whose warm-up fills it has a fault of its own.
    if from >= until && (fields.has("from") || fields.has("until")) {
        let key = if fields.has("until") { "until" } else { "from" };
        let word = |time| humantime::format_duration(time).to_string();
        let error = format!("nothing is left from {} until {}", word(from), word(until));
        fields.fault_at(key, error);
    }
    Window { from, until }
}

/// Reads `at_most` or `at_least`. Without a known measure, their unit is not known.
fn threshold(fields: &mut Fields<'_>, kind: Option<Kind>) -> Option<Threshold> {
    fields.allow(&["at_most", "at_least"]);
    match (fields.has("at_most"), fields.has("at_least")) {
        (true, false) => {
            fields.read("at_most", |node| kind?.threshold(node)).map(Threshold::AtMost)
        }
        (false, true) => {
            fields.read("at_least", |node| kind?.threshold(node)).map(Threshold::AtLeast)
        }
        (true, true) => {
            fields.fault_at("at_least", "this limit has at_most already: expected another limit");
            None
        }
        (false, false) => {
            fields.fault("at_most is missing: expected at_most, or at_least");
            None
        }
    }
}

/// Reads the policies that do not keep the limit yet, and why.
fn not_yet(fields: &mut Fields<'_>, names: &Names, policies: &[String]) -> (Vec<String>, String) {
    let among = |node: &Node<'_>| {
        let name = names.policy(node)?;
        if !policies.is_empty() && !policies.contains(&name) {
            node.fault("is not among the policies of this limit");
        }
        Some(name)
    };
    let not_yet = fields.read("not_yet", |node| node.some("policy", among));
    let because = fields.read("because", text);
    match (fields.has("not_yet"), fields.has("because")) {
        (true, false) => fields.fault_at("not_yet", "because is missing: say why, and until when"),
        (false, true) => fields.fault_at("because", "explains not_yet, which is missing"),
        _ => {}
    }
    (not_yet.unwrap_or_default(), because.unwrap_or_default())
}
