//! The section of a scenario.
//!
//! Must not depend on: what is in its plots.

use super::{figures, render};
use crate::report::cases::Case;
use crate::report::escape::escape;
use crate::report::summary;
use crate::report::table::{Cell, Table, Tone};
use crate::report::units;

/// The id of a scenario's section.
pub fn anchor(index: usize) -> String {
    format!("scenario-{}", index + 1)
}

/// Adds the section of a scenario.
pub fn section(page: &mut String, case: &Case, index: usize) {
    let id = anchor(index);
    let (words, good) = summary::verdict(case);
    *page += &format!(
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n\
         <p class=\"name\"><code>{}</code> <span class=\"{}\">{}</span></p>\n",
        escape(&case.first.title),
        escape(&case.first.scenario),
        if good { "quiet" } else { "bad" },
        escape(&words),
    );
    if !case.first.look_for.is_empty() {
        *page += &format!(
            "<p><strong>What to look for:</strong> {}</p>\n",
            escape(&case.first.look_for)
        );
    }
    *page += &format!("<p class=\"quiet\">{}</p>\n", escape(&summary::facts(case)));
    *page += &render::table(&summary::policies(case));
    if let Some(limits) = summary::limits(case) {
        *page += &render::table(&limits);
    }
    *page += "<div class=\"figures\">\n";
    for figure in figures::figures(case) {
        *page += &render::figure(&figure);
    }
    *page += "</div>\n";
    for (summary, table) in [("Configs", configs(case)), ("Log lines", log(case))] {
        if !table.rows.is_empty() {
            *page += &render::details(summary, &[table]);
        }
    }
    *page += "</section>\n";
}

/// The configs of the policies.
fn configs(case: &Case) -> Table {
    let mut table = Table::new("Configs of the policies", &["policy", "config"]);
    for policy in &case.policies {
        let first = policy.plotted();
        let config = Cell::words(first.config.to_string(), Tone::Words);
        table.rows.push(vec![Cell::new(&first.policy), config]);
    }
    table
}

/// The log lines of the plotted outcomes.
fn log(case: &Case) -> Table {
    let mut table =
        Table::new("What the policies logged, with the first seed", &["policy", "times", "line"]);
    for policy in &case.policies {
        for (line, times) in &policy.plotted().log {
            table.rows.push(vec![
                Cell::new(&policy.label),
                Cell::new(units::count(*times)),
                Cell::words(line, Tone::Words),
            ]);
        }
    }
    table
}
