//! What happens to servers and clients, and when.
//!
//! An event has a time, whom it concerns, and exactly one key that says what happens.
//!
//! Must not depend on: limits, how events are simulated.

use std::time::Duration;

use super::names::Names;
use super::reader::{Fields, Node};
use super::servers::GREATEST_WEIGHT;
use super::units::{
    code, flag, number, number_above_zero, share, time, time_above_zero, whole, whole_u32,
};
use crate::scenario::{Event, Happening, Rolling, ServerFault};

/// The greatest factor of service times and of load.
const GREATEST_FACTOR: f64 = 1e6;

/// What happens, without whom it concerns.
enum What {
    Fault(ServerFault),
    Add,
    Remove,
    Weight(u32),
    Rolling(Rolling),
    Load(f64),
    Resolve,
}

/// Whom an event concerns.
#[derive(Clone, Copy, PartialEq)]
enum Whom {
    Servers,
    Clients,
    Nobody,
}

struct Kind {
    key: &'static str,
    whom: Whom,
    /// Whether it may end.
    may_last: bool,
    read: fn(&Node<'_>) -> Option<What>,
}

const fn fault(key: &'static str, read: fn(&Node<'_>) -> Option<What>) -> Kind {
    Kind { key, whom: Whom::Servers, may_last: true, read }
}

const fn change(key: &'static str, whom: Whom, read: fn(&Node<'_>) -> Option<What>) -> Kind {
    Kind { key, whom, may_last: false, read }
}

static KINDS: [Kind; 15] = [
    fault("slow", |node| {
        Some(What::Fault(ServerFault::Slow(number_above_zero(GREATEST_FACTOR)(node)?)))
    }),
    fault("hang", |node| yes(node, What::Fault(ServerFault::Hang))),
    fault("fail", |node| Some(What::Fault(ServerFault::FailAtOnce(code(node)?)))),
    fault("errors", errors),
    fault("reset_calls", |node| yes(node, What::Fault(ServerFault::ResetCalls))),
    change("close_connections", Whom::Servers, |node| {
        yes(node, What::Fault(ServerFault::CloseConnections))
    }),
    fault("crash", |node| yes(node, What::Fault(ServerFault::Crash))),
    fault("overload", |node| Some(What::Fault(ServerFault::Overload(share(node)?)))),
    fault("unreachable", |node| yes(node, What::Fault(ServerFault::Unreachable))),
    change("add", Whom::Servers, |node| yes(node, What::Add)),
    change("remove", Whom::Servers, |node| yes(node, What::Remove)),
    change("weight", Whom::Servers, |node| {
        Some(What::Weight(whole_u32(0, GREATEST_WEIGHT)(node)?))
    }),
    change("rolling", Whom::Servers, rolling),
    change("load", Whom::Clients, |node| Some(What::Load(number(0.0, GREATEST_FACTOR)(node)?))),
    change("resolve", Whom::Nobody, |node| yes(node, What::Resolve)),
];

/// Reads `[[events]]`.
pub(super) fn events(
    fields: &mut Fields<'_>,
    names: &Names,
    duration: Option<Duration>,
) -> Vec<Event> {
    let events = fields.read("events", |node| {
        node.list(|node| node.table(|fields| read_event(fields, names, duration))?)
    });
    events.unwrap_or_default()
}

fn read_event(fields: &mut Fields<'_>, names: &Names, duration: Option<Duration>) -> Option<Event> {
    let at = fields.require("at", |node| {
        let at = time(node)?;
        if duration.is_some_and(|duration| at >= duration) {
            node.fault("must be before the end of the scenario");
        }
        Some(at)
    });
    let servers = fields.read("servers", |node| node.some("name", |node| names.servers(node)));
    let clients = fields.read("clients", |node| node.some("name", |node| names.clients(node)));
    let lasts = fields.read("lasts", time_above_zero);
    let (kind, what) = read_kind(fields)?;
    check_whom(fields, kind);
    let servers = servers.unwrap_or_default();
    let what = match what? {
        What::Fault(fault) => Happening::Fault { servers, fault, lasts },
        What::Add => Happening::Add(servers),
        What::Remove => Happening::Remove(servers),
        What::Weight(weight) => Happening::Weight(servers, weight),
        What::Rolling(rolling) => Happening::Rolling(Rolling { servers, ..rolling }),
        What::Load(factor) => Happening::Load(clients.unwrap_or_default(), factor),
        What::Resolve => Happening::Resolve,
    };
    Some(Event { at: at?, what })
}

/// Reads the one key that says what happens.
fn read_kind(fields: &mut Fields<'_>) -> Option<(&'static Kind, Option<What>)> {
    let mut kinds = KINDS.iter().filter_map(|kind| Some((kind, fields.node(kind.key)?)));
    let first = kinds.next();
    let others: Vec<_> = kinds.collect();
    let Some((kind, node)) = first else {
        let keys: Vec<&str> = KINDS.iter().map(|kind| kind.key).collect();
        fields.fault(format!("what happens is missing: expected one of {}", keys.join(", ")));
        return None;
    };
    for (_, other) in others {
        other.fault(format!("this event has {} already: expected another event", kind.key));
    }
    Some((kind, (kind.read)(&node)))
}

/// Checks that the event has the keys that its kind needs, and no others.
fn check_whom(fields: &mut Fields<'_>, kind: &Kind) {
    for (key, whom) in [("servers", Whom::Servers), ("clients", Whom::Clients)] {
        match (fields.has(key), whom == kind.whom) {
            (false, true) => fields.fault(format!("{key} is missing")),
            (true, false) => {
                fields.fault_at(key, format!("an event with {} has no {key}", kind.key))
            }
            _ => {}
        }
    }
    if fields.has("lasts") && !kind.may_last {
        fields.fault_at("lasts", format!("an event with {} has no lasts", kind.key));
    }
}

/// Reads `true`. `false` would be an event that does nothing.
fn yes(node: &Node<'_>, what: What) -> Option<What> {
    match node.value.as_bool() {
        Some(true) => Some(what),
        _ => node.expected("true"),
    }
}

fn errors(node: &Node<'_>) -> Option<What> {
    let both = node.table(|fields| {
        let share = fields.require("share", share);
        let code = fields.require("code", code);
        Some(What::Fault(ServerFault::Errors(share?, code?)))
    });
    both?
}

fn rolling(node: &Node<'_>) -> Option<What> {
    node.table(|fields| {
        What::Rolling(Rolling {
            servers: Vec::new(),
            batch: fields.read_or("batch", 1, whole(1, usize::MAX)),
            every: fields.require("every", time_above_zero).unwrap_or_default(),
            drain: fields.read_or("drain", Duration::ZERO, time),
            down: fields.read_or("down", Duration::ZERO, time),
            new_address: fields.read_or("new_address", false, flag),
        })
    })
}
