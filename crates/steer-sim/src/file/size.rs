//! How long a scenario lasts, and whether it is small enough to be simulated.
//!
//! Must not depend on: events, limits.

use std::time::Duration;

use super::reader::Fields;
use super::units::{time, time_above_zero};
use crate::scenario::{Load, Scenario};

/// A week of virtual time.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The most intervals. Each takes some hundred bytes in a run's results.
const MOST_INTERVALS: u128 = 1_000_000;

/// The most servers, and the most clients, of all groups.
const MOST_MEMBERS: usize = 100_000;

/// The most connections. Each takes some hundred bytes of memory.
const MOST_CONNECTIONS: usize = 10_000_000;

/// The most calls of an open loop. A simulation of so many takes hours.
const MOST_CALLS: f64 = 1e10;

/// Reads `duration`. `None` if it has a fault.
pub(super) fn duration(fields: &mut Fields<'_>, default: Duration) -> Option<Duration> {
    let Some(node) = fields.node("duration") else { return Some(default) };
    let duration = time_above_zero(&node)?;
    if duration > LONGEST {
        return node.expected("at most \"7days\"");
    }
    Some(duration)
}

/// Reads `warm_up`. `None` if it has a fault.
pub(super) fn warm_up(fields: &mut Fields<'_>, duration: Option<Duration>) -> Option<Duration> {
    let Some(node) = fields.node("warm_up") else { return Some(Duration::ZERO) };
    let warm_up = time(&node)?;
    if duration.is_some_and(|duration| warm_up >= duration) {
        return node.expected("a time shorter than the duration");
    }
    Some(warm_up)
}

/// Reads `interval`.
pub(super) fn interval(
    fields: &mut Fields<'_>,
    default: Duration,
    duration: Option<Duration>,
) -> Duration {
    let interval = fields.read_or("interval", default, time_above_zero);
    let count = duration.unwrap_or_default().as_nanos() / interval.as_nanos().max(1);
    if count > MOST_INTERVALS {
        let error = format!("must be longer: {count} intervals are more than {MOST_INTERVALS}");
        fields.fault_at("interval", error);
    }
    interval
}

/// Checks the size of the whole.
pub(super) fn check(fields: &Fields<'_>, scenario: &Scenario) {
    let servers = sum(scenario.servers.iter().map(|group| group.count));
    let clients = sum(scenario.clients.iter().map(|group| group.count));
    for (key, count) in [("servers", servers), ("clients", clients)] {
        if count > MOST_MEMBERS {
            fields.fault_at(key, format!("{count} in all groups are more than {MOST_MEMBERS}"));
        }
    }
    let connections = sum(scenario.clients.iter().map(|group| {
        let each = group.subset.map_or(servers, |subset| subset.min(servers));
        group.count.saturating_mul(each)
    }));
    if connections > MOST_CONNECTIONS {
        let error = format!(
            "{connections} connections are more than {MOST_CONNECTIONS}: give clients a subset"
        );
        fields.fault_at("clients", error);
    }
    let rates = scenario.clients.iter().map(|group| match group.load {
        Load::Open { rate, .. } => rate,
        Load::Closed { .. } => 0.0,
    });
    let calls = rates.sum::<f64>() * scenario.duration.as_secs_f64();
    if calls > MOST_CALLS {
        fields.fault_at("clients", format!("{calls:.0} calls are more than {MOST_CALLS:.0}"));
    }
}

fn sum(counts: impl Iterator<Item = usize>) -> usize {
    counts.fold(0, usize::saturating_add)
}
