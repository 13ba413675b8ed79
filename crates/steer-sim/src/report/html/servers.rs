//! The plot of each server's share, with all numbers of servers.
//!
//! Must not depend on: how figures become HTML.

use super::render::Figure;
use crate::outcome::{Outcome, Server};
use crate::report::cases::{Case, PolicyRuns};
use crate::report::chart::{Axis, Bar, Bars, swatch};
use crate::report::summary::plural;
use crate::report::table::{Cell, Table, Tone};
use crate::report::units;

/// The most servers that are shown one by one. More would not fit on a screen.
const MOST_SERVERS: usize = 40;

/// The servers that are shown one by one, and the others.
struct Shown<'a> {
    each: Vec<&'a Server>,
    others: Vec<&'a Server>,
}

/// All servers in the order of the scenario, if they are few. Otherwise the busiest first.
fn shown(outcome: &Outcome) -> Shown<'_> {
    let mut each: Vec<&Server> = outcome.servers.iter().collect();
    let mut others = Vec::new();
    if each.len() > MOST_SERVERS {
        each.sort_by_key(|server| std::cmp::Reverse(server.attempts));
        others = each.split_off(MOST_SERVERS);
    }
    Shown { each, others }
}

/// The share of each server in the attempts of each policy.
pub fn figure(case: &Case, width: i32) -> Figure {
    let title = "Share of attempts by server";
    let groups = &case.first.intervals.groups;
    let shares = case.policies.iter().flat_map(|policy| &policy.plotted().servers);
    let even = (!case.first.servers.is_empty()).then(|| 1.0 / case.first.servers.len() as f64);
    let most = shares.map(|server| server.share).chain(even).fold(0.0, f64::max);
    let plots = case.policies.iter().map(|policy| {
        let plot = Bars {
            description: format!("{title}, {}", policy.label),
            width,
            x: Axis::share("share of attempts", most),
            names: "server".to_string(),
            reference: even,
            bars: bars(policy.plotted(), groups),
        };
        (policy.label.clone(), plot.svg())
    });
    let mut legend = Vec::new();
    if groups.len() > 1 {
        let keys = groups.iter().enumerate();
        legend.extend(keys.map(|(index, group)| (swatch(index), group.clone())));
    }
    if let Some(even) = even {
        let key = "<span class=\"key reference-key\"></span>".to_string();
        legend.push((key, format!("even share: {}", units::share(even))));
    }
    let many = case.policies.iter().any(|policy| policy.plotted().servers.len() > MOST_SERVERS);
    let note = if many {
        format!("The {MOST_SERVERS} busiest servers, and the mean of the others.")
    } else {
        String::new()
    };
    Figure {
        title: title.to_string(),
        note,
        legend,
        plots: plots.collect(),
        tables: case.policies.iter().map(table).collect(),
    }
}

fn bars(outcome: &Outcome, groups: &[String]) -> Vec<Bar> {
    let shown = shown(outcome);
    let bar = |server: &&Server| Bar {
        name: server.name.clone(),
        series: groups.iter().position(|group| *group == server.group),
        value: server.share,
    };
    let mut bars: Vec<_> = shown.each.iter().map(bar).collect();
    if !shown.others.is_empty() {
        let value = mean(&shown.others, |server| server.share);
        bars.push(Bar { name: others_name(&shown.others), series: None, value });
    }
    bars
}

fn others_name(others: &[&Server]) -> String {
    format!("{} others", units::count(others.len() as u64))
}

fn mean(servers: &[&Server], value: impl Fn(&Server) -> f64) -> f64 {
    servers.iter().map(|server| value(server)).sum::<f64>() / servers.len().max(1) as f64
}

fn table(policy: &PolicyRuns) -> Table {
    let outcome = policy.plotted();
    let shown = shown(outcome);
    let mut caption = format!(
        "{}: {}, with {}",
        policy.label,
        plural(outcome.attempts, "attempt"),
        plural(outcome.servers.len() as u64, "server")
    );
    if !shown.others.is_empty() {
        caption += ". The others: means of shares and utilization, sums of attempts, greatest \
                    values of the rest";
    }
    let columns = [
        "server",
        "group",
        "zone",
        "share",
        "attempts",
        "failed",
        "most in flight",
        "in flight at end",
        "longest queue",
        "utilization",
        "most connections",
    ];
    let mut table = Table::new(caption, &columns);
    table.rows.extend(shown.each.iter().map(|server| row(server)));
    if !shown.others.is_empty() {
        table.rows.push(row(&merged(&shown.others)));
    }
    table
}

/// The row of a server.
fn row(server: &Server) -> Vec<Cell> {
    let count = |value: u64| Cell::new(units::count(value));
    vec![
        Cell::new(&server.name),
        Cell::words(&server.group, Tone::Words),
        Cell::words(&server.zone, Tone::Words),
        Cell::new(units::share(server.share)),
        count(server.attempts),
        count(server.failed),
        count(server.most_in_flight),
        count(server.in_flight_at_end),
        count(server.longest_queue),
        Cell::new(units::share(server.utilization)),
        count(server.most_connections),
    ]
}

/// One row for many servers.
fn merged(others: &[&Server]) -> Server {
    let sum = |value: fn(&Server) -> u64| others.iter().map(|server| value(server)).sum();
    let most = |value: fn(&Server) -> u64| others.iter().map(|s| value(s)).max().unwrap_or(0);
    Server {
        name: others_name(others),
        group: String::new(),
        zone: String::new(),
        attempts: sum(|server| server.attempts),
        share: mean(others, |server| server.share),
        failed: sum(|server| server.failed),
        most_in_flight: most(|server| server.most_in_flight),
        in_flight_at_end: most(|server| server.in_flight_at_end),
        longest_queue: most(|server| server.longest_queue),
        utilization: mean(others, |server| server.utilization),
        most_connections: most(|server| server.most_connections),
    }
}
