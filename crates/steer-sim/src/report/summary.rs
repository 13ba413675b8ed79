//! The tables that every form of a report has: the policies of a scenario, and its limits.
//!
//! Must not depend on: how a table is rendered.

use super::cases::{Case, PolicyRuns};
use super::limits::{self, Verdict};
use super::measures::{self, Measure, Spread};
use super::table::{Cell, Table, Tone};
use super::units;

/// What the summary shows of each policy.
const MEASURES: [&Measure; 7] = [
    &measures::P50,
    &measures::P95,
    &measures::P99,
    &measures::P99_9,
    &measures::MAX,
    &measures::ERRORS,
    &measures::FULLEST_SHARE,
];

/// How the policies of a scenario did.
pub fn policies(case: &Case) -> Table {
    let mut caption = "Latency, errors and balance by policy".to_string();
    if case.seeds() > 1 {
        caption += ": the median over seeds, and the least and the greatest value";
    }
    let mut columns = vec!["policy"];
    columns.extend(MEASURES.iter().map(|measure| measure.name));
    columns.push("limits kept");
    let mut table = Table::new(caption, &columns);
    for policy in &case.policies {
        let mut row = vec![Cell::new(&policy.label)];
        row.extend(MEASURES.iter().map(|measure| measured(measure, policy)));
        row.push(limits_kept(policy, case));
        table.rows.push(row);
    }
    table
}

/// Which limits each policy keeps. `None` if the scenario has no limits.
pub fn limits(case: &Case) -> Option<Table> {
    let rows = limits::rows(case);
    let mut table = Table::new("Limits of the scenario", &["policy", "verdict", "measured"]);
    let mut limit = None;
    for row in &rows {
        if limit.replace((row.line, row.words)) != Some((row.line, row.words)) {
            table.rows.push(vec![Cell::new(row.words)]);
        }
        let tone = match row.verdict {
            Verdict::Kept => Tone::Good,
            Verdict::NotYet(_) => Tone::Words,
            Verdict::NotKept(..) | Verdict::KeptAlready(_) => Tone::Bad,
        };
        table.rows.push(vec![
            Cell::new(row.policy),
            Cell::words(row.verdict.words(), tone),
            Cell::new(&row.measured).with_detail(&row.range),
        ]);
    }
    (!rows.is_empty()).then_some(table)
}

/// The times and sizes of a scenario, in a sentence.
pub fn facts(case: &Case) -> String {
    let first = case.first;
    let calls = case.policies.iter().map(|policy| policy.plotted().calls).max().unwrap_or(0);
    let seeds = match case.seeds() {
        1 => format!("seed {}", first.seed),
        seeds => format!("{seeds} seeds"),
    };
    let warm_up = match first.warm_up {
        0.0 => String::new(),
        time => format!(", of which the first {} are warm-up and not counted", units::time(time)),
    };
    format!(
        "{} of virtual time{warm_up}; {}; {}; {}.",
        units::time(first.duration),
        plural(first.servers.len() as u64, "server"),
        plural(calls, "call"),
        seeds,
    )
}

/// A few words about the limits of a scenario, and whether they are as the scenario says.
pub fn verdict(case: &Case) -> (String, bool) {
    let rows = limits::rows(case);
    let unexpected = rows.iter().filter(|row| !row.verdict.is_expected()).count();
    let not_yet = rows.iter().filter(|row| matches!(row.verdict, Verdict::NotYet(_))).count();
    let mut words = match (rows.len(), unexpected) {
        (0, _) => "no limits".to_string(),
        (_, 0) if not_yet == 0 => "✓ all limits kept".to_string(),
        (_, 0) => format!("✓ all limits kept, except {not_yet} not yet"),
        (all, unexpected) => format!("✗ {unexpected} of {all} limits not as expected"),
    };
    if unexpected > 0 && not_yet > 0 {
        words += &format!(", {not_yet} not yet");
    }
    (words, unexpected == 0)
}

/// A count with a noun.
pub fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", units::count(count), if count == 1 { "" } else { "s" })
}

fn measured(measure: &Measure, policy: &PolicyRuns) -> Cell {
    let spread = Spread::over_seeds(measure, &policy.outcomes);
    let format = |value| measure.unit.format(value);
    let cell = Cell::number(spread.map(|spread| spread.median), format);
    match spread {
        Some(spread) if policy.outcomes.len() > 1 => {
            let range = measure.unit.format_range(spread.least, spread.most);
            if range == cell.text { cell } else { cell.with_detail(range) }
        }
        _ => cell,
    }
}

fn limits_kept(policy: &PolicyRuns, case: &Case) -> Cell {
    let (kept, all) = limits::kept(policy);
    if all == 0 {
        return Cell::new("–");
    }
    let rows = limits::rows(case);
    let mut own = rows.iter().filter(|row| row.policy == policy.label);
    let expected = own.all(|row| row.verdict.is_expected());
    let (mark, tone) = if expected { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
    Cell { tone, ..Cell::new(format!("{mark} {kept} of {all}")) }
}
