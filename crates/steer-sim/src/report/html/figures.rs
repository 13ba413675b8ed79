//! The plots of a scenario, each with a table of the same numbers.
//!
//! Must not depend on: how figures become HTML.

use super::render::Figure;
use super::servers;
use crate::outcome::Outcome;
use crate::report::cases::Case;
use crate::report::chart::{Axis, Grid, Line, Lines, key};
use crate::report::table::{Cell, Table};
use crate::report::timeline::{self, Step};
use crate::report::units;

/// The size of a plot. Three of them fit in the width of the page.
const SIZE: (i32, i32) = (400, 260);

/// All figures of a scenario.
pub fn figures(case: &Case) -> Vec<Figure> {
    let errors = |o: &Outcome| timeline::rates(o, &o.intervals.errors);
    let calls = |o: &Outcome| timeline::rates(o, &o.intervals.calls);
    let slow = |o: &Outcome| {
        let p99 = |index: usize| o.intervals.p99.get(index).copied().filter(|p99| *p99 > 0.0);
        timeline::greatest(o, p99)
    };
    let in_flight = |o: &Outcome| gauge(o, &o.intervals.in_flight);
    let connections = |o: &Outcome| gauge(o, &o.intervals.connections);
    vec![
        latency(case),
        over_time(case, "99th percentile of latency over time", Kind::Latency, slow),
        over_time(case, "Errors over time", Kind::Amount("errors per second"), errors),
        over_time(case, "Calls over time", Kind::Amount("calls per second"), calls),
        over_time(case, "Calls in flight over time", Kind::Amount("calls"), in_flight),
        over_time(case, "Connections over time", Kind::Amount("connections"), connections),
        groups(case),
        servers::figure(case, SIZE.0),
    ]
}

/// What the vertical axis of a plot over time shows.
enum Kind {
    Latency,
    Amount(&'static str),
}

impl Kind {
    fn axis(&self, values: impl Iterator<Item = f64>) -> Axis {
        match self {
            Kind::Latency => Axis::latency("p99 latency (logarithmic)", values),
            Kind::Amount(label) => Axis::amount(label, values.fold(0.0, f64::max)),
        }
    }

    fn format(&self, value: f64) -> String {
        match self {
            Kind::Latency => units::time(value),
            Kind::Amount(_) => units::number(value),
        }
    }
}

fn gauge(outcome: &Outcome, values: &[u64]) -> Vec<Step> {
    timeline::greatest(outcome, |index| values.get(index).map(|value| *value as f64))
}

/// The key of each policy.
fn legend(case: &Case) -> Vec<(String, String)> {
    let keys = case.policies.iter().enumerate();
    keys.map(|(index, policy)| (key(index), policy.label.clone())).collect()
}

fn labels(case: &Case) -> String {
    let labels: Vec<_> = case.policies.iter().map(|policy| policy.label.as_str()).collect();
    labels.join(", ")
}

/// Latency by percentile.
fn latency(case: &Case) -> Figure {
    let title = "Latency by percentile";
    let quantiles = |o: &Outcome| {
        let below_one = o.latency.quantiles.iter().filter(|(quantile, _)| *quantile < 1.0);
        below_one.copied().collect::<Vec<_>>()
    };
    let curves: Vec<_> = case.policies.iter().map(|policy| quantiles(policy.plotted())).collect();
    let all = || curves.iter().flatten();
    let line = |(series, curve): (usize, &Vec<(f64, f64)>)| Line {
        series,
        points: curve.iter().map(|(quantile, latency)| (*quantile, Some(*latency))).collect(),
    };
    let plot = Lines {
        description: format!("{title}, for {}", labels(case)),
        size: SIZE,
        x: Axis::percentile(
            "percentile of calls (logarithmic)",
            all().map(|(quantile, _)| *quantile).fold(0.0, f64::max),
        ),
        y: Axis::latency("latency (logarithmic)", all().map(|(_, latency)| *latency)),
        grid: Grid::Both,
        shaded: None,
        lines: curves.iter().enumerate().map(line).collect(),
    };
    Figure {
        title: title.to_string(),
        note: String::new(),
        legend: legend(case),
        plots: vec![(String::new(), plot.svg())],
        tables: vec![latency_table(case, title)],
    }
}

fn latency_table(case: &Case, title: &str) -> Table {
    let mut table = Table::new(title, &["percentile"]);
    table.columns.extend(case.policies.iter().map(|policy| policy.label.clone()));
    for quantile in [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999] {
        let latencies: Vec<_> =
            case.policies.iter().map(|policy| policy.plotted().latency.at(quantile)).collect();
        if latencies.iter().all(Option::is_none) {
            continue;
        }
        // Exact: 0.999 * 100 is not 99.9 in floating point.
        let mut row = vec![Cell::new(format!("{}%", (quantile * 1e6).round() / 1e4))];
        row.extend(latencies.into_iter().map(|latency| Cell::number(latency, units::time)));
        table.rows.push(row);
    }
    let mut row = vec![Cell::new("100%")];
    row.extend(case.policies.iter().map(|policy| {
        let latency = &policy.plotted().latency;
        let most = (!latency.quantiles.is_empty()).then_some(latency.max);
        Cell::number(most, units::time)
    }));
    table.rows.push(row);
    table
}

/// A number of each policy over time.
fn over_time(
    case: &Case,
    title: &str,
    kind: Kind,
    steps: impl Fn(&Outcome) -> Vec<Step>,
) -> Figure {
    let all: Vec<_> = case.policies.iter().map(|policy| steps(policy.plotted())).collect();
    let values = all.iter().flatten().filter_map(|step| step.value);
    let line = |(series, steps): (usize, &Vec<Step>)| Line { series, points: points(steps) };
    let plot = Lines {
        description: format!("{title}, for {}", labels(case)),
        size: SIZE,
        x: Axis::simulated_time(case.first.duration),
        y: kind.axis(values),
        grid: Grid::Y,
        shaded: warm_up(case),
        lines: all.iter().enumerate().map(line).collect(),
    };
    let columns: Vec<_> = case.policies.iter().map(|policy| policy.label.clone()).collect();
    Figure {
        title: title.to_string(),
        note: merged(case),
        legend: with_warm_up(case, legend(case)),
        plots: vec![(String::new(), plot.svg())],
        tables: vec![steps_table(title, &columns, &all, |value| kind.format(value))],
    }
}

/// The share of each group of servers in the attempts of each policy.
fn groups(case: &Case) -> Figure {
    let title = "Share of attempts by server group over time";
    let names = &case.first.intervals.groups;
    let mut plots = Vec::new();
    let mut tables = Vec::new();
    for policy in &case.policies {
        let outcome = policy.plotted();
        let all: Vec<_> = (0..names.len()).map(|group| timeline::shares(outcome, group)).collect();
        let line = |(series, steps): (usize, &Vec<Step>)| Line { series, points: points(steps) };
        let description = format!("{title}, {}: {}", policy.label, names.join(", "));
        let plot = Lines {
            description: description.clone(),
            size: SIZE,
            x: Axis::simulated_time(case.first.duration),
            y: Axis::share("share of attempts", 1.0),
            grid: Grid::Y,
            shaded: warm_up(case),
            lines: all.iter().enumerate().map(line).collect(),
        };
        plots.push((policy.label.clone(), plot.svg()));
        tables.push(steps_table(&description, names, &all, units::share));
    }
    let keys = names.iter().enumerate().map(|(index, name)| (key(index), name.clone()));
    Figure {
        title: title.to_string(),
        note: merged(case),
        legend: with_warm_up(case, keys.collect()),
        plots,
        tables,
    }
}

/// Says so if each step stands for several intervals.
fn merged(case: &Case) -> String {
    let intervals = &case.first.intervals;
    match timeline::intervals_per_step(intervals) {
        1 => String::new(),
        count => format!(
            "Each point stands for {}: mean rates, and the greatest of other values.",
            units::time(count as f64 * intervals.width)
        ),
    }
}

/// The points of a line: in the middle of each step.
fn points(steps: &[Step]) -> Vec<(f64, Option<f64>)> {
    steps.iter().map(|step| ((step.from + step.until) / 2.0, step.value)).collect()
}

fn warm_up(case: &Case) -> Option<(f64, f64)> {
    let until = case.first.warm_up.min(case.first.duration);
    (until > 0.0).then_some((0.0, until))
}

fn with_warm_up(case: &Case, mut legend: Vec<(String, String)>) -> Vec<(String, String)> {
    if warm_up(case).is_some() {
        legend.push(("<span class=\"key shade-key\"></span>".into(), "warm-up".into()));
    }
    legend
}

/// The steps of several lists side by side.
fn steps_table(
    caption: &str,
    columns: &[String],
    all: &[Vec<Step>],
    format: impl Fn(f64) -> String,
) -> Table {
    let mut table = Table::new(caption, &["time"]);
    table.columns.extend_from_slice(columns);
    let longest = all.iter().max_by_key(|steps| steps.len());
    for (index, step) in longest.into_iter().flatten().enumerate() {
        let time = format!("{}–{}", units::time(step.from), units::time(step.until));
        let values = all.iter().map(|steps| steps.get(index).and_then(|step| step.value));
        let mut row = vec![Cell::new(time)];
        row.extend(values.map(|value| Cell::number(value, &format)));
        table.rows.push(row);
    }
    table
}
