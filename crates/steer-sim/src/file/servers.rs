//! Groups of servers.
//!
//! Must not depend on: clients, events, limits.

use std::time::Duration;

use super::distribution::distribution;
use super::names::{Names, name};
use super::reader::{Fields, Node};
use super::units::{flag, number_above_zero, one_of, share, time, time_above_zero, whole};
use crate::scenario::{Discipline, Distribution, LoadReports, Queue, ServerGroup, WarmUp};

/// The most servers of a group. Ten times the largest fleets that one client is told of.
const MOST_SERVERS: usize = 100_000;

/// The most calls that a server serves at a time.
const MOST_CONCURRENCY: usize = 1_000_000;

/// The greatest speed, and the greatest weight. More than a million times the usual is an error.
const GREATEST_SPEED: f64 = 1e6;
pub(super) const GREATEST_WEIGHT: u32 = 1_000_000;

/// As the servers of docs/why.md: 8 calls at a time, 10 ms each, 800 calls per second.
const DEFAULT_CONCURRENCY: usize = 8;
const DEFAULT_SERVICE_TIME: Distribution =
    Distribution::Exponential { mean: Duration::from_millis(10) };

/// Reads `[[servers]]`, and adds their names.
pub(super) fn servers(fields: &mut Fields<'_>, names: &mut Names) -> Vec<ServerGroup> {
    let groups = fields.require("servers", |node| {
        let groups = node.entries(|group| group.table(|fields| read_group(fields, names)))?;
        if groups.is_empty() {
            node.fault("expected at least one group of servers");
        }
        Some(groups)
    });
    names.servers_unclear |=
        groups.as_ref().is_none_or(|groups| groups.iter().any(Option::is_none));
    names.end_servers();
    groups.into_iter().flatten().flatten().collect()
}

fn read_group(fields: &mut Fields<'_>, names: &mut Names) -> ServerGroup {
    let group_name = fields.require("name", name);
    let has_count = fields.has("count");
    let count = fields.read("count", whole(1, MOST_SERVERS));
    let zones = zones(fields, names);
    names.servers_unclear |= group_name.is_none() || (has_count && count.is_none());
    names.servers_unclear |= zones.is_none();
    let (group_name, count) = (group_name.unwrap_or_default(), count.unwrap_or(1));
    if !group_name.is_empty() {
        if let Some(other) = names.add_servers(&group_name, count) {
            let error = format!("the names of its servers clash with those of {other:?}");
            fields.fault_at("name", error);
        }
    }
    ServerGroup {
        name: group_name,
        count,
        zones: zones.unwrap_or_default(),
        concurrency: fields.read_or("concurrency", DEFAULT_CONCURRENCY, whole(1, MOST_CONCURRENCY)),
        queue: queue(fields),
        service_time: fields.read_or("service_time", DEFAULT_SERVICE_TIME, distribution),
        speed: fields.read_or("speed", 1.0, number_above_zero(GREATEST_SPEED)),
        warm_up: fields.read("warm_up", warm_up),
        weight: fields.read_or("weight", 0, super::units::whole_u32(0, GREATEST_WEIGHT)),
        reports: reports(fields),
        listed: fields.read_or("listed", true, flag),
        stops_cancelled_calls: fields.read_or("stops_cancelled_calls", false, flag),
    }
}

/// Reads the zones of a group, one zone if there is nothing else, and adds their names. `None` if
/// they have faults.
pub(super) fn zones(fields: &mut Fields<'_>, names: &mut Names) -> Option<Vec<String>> {
    let zones = match fields.node("zones") {
        Some(node) => node.some("zone", name),
        None => Some(vec!["a".to_owned()]),
    };
    names.add_zones(zones.as_deref().unwrap_or_default());
    zones
}

fn queue(fields: &mut Fields<'_>) -> Queue {
    fields.read_or("queue", Queue::default(), |node| {
        let disciplines = [("fifo", Discipline::Fifo), ("lifo", Discipline::Lifo)];
        node.table(|fields| Queue {
            length: fields.read("length", whole(0, usize::MAX)),
            discipline: fields.read_or("discipline", Discipline::Fifo, one_of(&disciplines)),
            shed_after: fields.read("shed_after", time),
            keeps_cancelled_calls: fields.read_or("keeps_cancelled_calls", false, flag),
        })
    })
}

fn warm_up(node: &Node<'_>) -> Option<WarmUp> {
    node.table(|fields| WarmUp {
        speed: fields.require("speed", share_above_zero).unwrap_or_default(),
        lasts: fields.require("lasts", time_above_zero).unwrap_or_default(),
        at_once: fields.read_or("at_once", false, flag),
    })
}

fn share_above_zero(node: &Node<'_>) -> Option<f64> {
    let share = share(node)?;
    if share == 0.0 { node.expected("a share above 0") } else { Some(share) }
}

/// Reports as gRPC's own recorder of call metrics makes them, with values of the last second.
fn reports(fields: &mut Fields<'_>) -> LoadReports {
    let reports = fields.read("reports", |node| {
        let default = LoadReports::default();
        node.table(|fields| LoadReports {
            with_calls: fields.read_or("with_calls", default.with_calls, flag),
            out_of_band: fields.read_or("out_of_band", default.out_of_band, flag),
            over: fields.read_or("over", default.over, time_above_zero),
            delay: fields.read_or("delay", default.delay, time),
            queue_metrics: fields.read_or("queue_metrics", default.queue_metrics, flag),
            rif_and_latency: fields.read_or("rif_and_latency", default.rif_and_latency, flag),
        })
    });
    reports.unwrap_or_default()
}
