//! Groups of clients, and the calls that they make.
//!
//! Must not depend on: events, limits.

use std::time::Duration;

use super::calls::{arrivals, hedging, keys, retries, stream};
use super::distribution::distribution;
use super::names::{Names, name};
use super::reader::Fields;
use super::servers::zones;
use super::units::{flag, one_of, rate, time, whole};
use crate::scenario::{Arrivals, ClientGroup, Distribution, ListOrder, Load};

/// The most clients of a group, and the most callers of a client.
const MOST_CLIENTS: usize = 100_000;
const MOST_CALLERS: usize = 1_000_000;

const LIST_ORDERS: [(&str, ListOrder); 3] = [
    ("same", ListOrder::Same),
    ("shuffled", ListOrder::Shuffled),
    ("shuffled_each_time", ListOrder::ShuffledEachTime),
];

/// No time at all.
const AT_ONCE: Distribution = Distribution::Constant(Duration::ZERO);

/// Reads `[[clients]]`, and adds their names.
pub(super) fn clients(fields: &mut Fields<'_>, names: &mut Names) -> Vec<ClientGroup> {
    let groups = fields.require("clients", |node| {
        let groups = node.entries(|group| group.table(|fields| read_group(fields, names)))?;
        if groups.is_empty() {
            node.fault("expected at least one group of clients");
        }
        Some(groups)
    });
    names.clients_unclear |=
        groups.as_ref().is_none_or(|groups| groups.iter().any(Option::is_none));
    groups.into_iter().flatten().flatten().collect()
}

fn read_group(fields: &mut Fields<'_>, names: &mut Names) -> ClientGroup {
    let group_name = fields.require("name", name);
    let zones = zones(fields, names);
    names.clients_unclear |= group_name.is_none() || zones.is_none();
    let group_name = group_name.unwrap_or_default();
    if !group_name.is_empty() && !names.add_clients(&group_name) {
        fields.fault_at("name", "another group of clients has this name");
    }
    let group = ClientGroup {
        name: group_name,
        count: fields.read_or("count", 1, whole(1, MOST_CLIENTS)),
        zones: zones.unwrap_or_default(),
        start_within: fields.read_or("start_within", Duration::ZERO, time),
        load: load(fields),
        deadline: fields.read("deadline", distribution),
        cancel_after: fields.read("cancel_after", distribution),
        wait_for_ready: fields.read_or("wait_for_ready", false, flag),
        retries: fields.read("retries", retries),
        hedging: fields.read("hedging", hedging),
        stream: fields.read("stream", stream),
        keys: fields.read("keys", keys),
        list_order: fields.read_or("list_order", ListOrder::Same, one_of(&LIST_ORDERS)),
        subset: fields.read("subset", whole(1, usize::MAX)),
        resolver_delay: fields.read_or("resolver_delay", AT_ONCE, distribution),
    };
    if fields.has("retries") && fields.has("hedging") {
        fields.fault_at("hedging", "a method has either retries or hedging, not both");
    }
    group
}

/// Reads the load: `rate` and `arrivals` of an open loop, or `callers` and `think_time` of a closed
/// one.
fn load(fields: &mut Fields<'_>) -> Load {
    let given_rate = fields.read("rate", rate);
    let given_arrivals = fields.read("arrivals", arrivals);
    let callers = fields.read("callers", whole(1, MOST_CALLERS));
    let think_time = fields.read_or("think_time", AT_ONCE, distribution);
    let open = ["rate", "arrivals"].into_iter().find(|key| fields.has(key));
    let closed = ["callers", "think_time"].into_iter().find(|key| fields.has(key));
    if let (Some(open), Some(closed)) = (open, closed) {
        fields.fault_at(closed, format!("an open loop with {open} has no {closed}"));
    } else if closed.is_some() && !fields.has("callers") {
        fields.fault("callers is missing");
    } else if open.is_none() && closed.is_none() {
        fields.fault("rate is missing: expected rate, or callers");
    }
    if closed.is_some() {
        return Load::Closed { callers: callers.unwrap_or(1), think_time };
    }
    let has_times = matches!(given_arrivals, Some(Arrivals::Times(_)));
    // An unreadable `arrivals` may be one with times.
    let needs_rate = !fields.has("arrivals") || (given_arrivals.is_some() && !has_times);
    if open.is_some() && needs_rate && !fields.has("rate") {
        fields.fault("rate is missing");
    } else if has_times && fields.has("rate") {
        fields.fault_at("rate", "arrivals with a file of times have no rate");
    }
    let arrivals = given_arrivals.unwrap_or(Arrivals::Poisson);
    Load::Open { rate: given_rate.unwrap_or_else(|| mean_rate(&arrivals)), arrivals }
}

/// Calls per second of a file of times, which nothing needs except reports.
fn mean_rate(arrivals: &Arrivals) -> f64 {
    match arrivals {
        Arrivals::Times(times) => {
            let last = times.last().copied().unwrap_or_default().as_secs_f64();
            times.len() as f64 / last.max(1e-9)
        }
        _ => 0.0,
    }
}
