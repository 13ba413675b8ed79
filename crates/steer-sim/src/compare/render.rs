//! A comparison as text for a terminal, and as an HTML page.
//!
//! Must not depend on: how outcomes are compared.

use super::{Comparison, MeasureComparison, ScenarioComparison, Verdict};
use crate::report::escape::escape;
use crate::report::table::{Cell, Table, Tone};
use crate::report::{html_table, page, text_table, units, wrapped};

/// How to read the tables. One interval in twenty misses the real difference by chance.
const EXPLANATION: &str = "Differences are means over seeds: second minus first, lower is better. \
     The intervals contain the real difference with a confidence of 95%, so of twenty measures \
     without any real difference, one is expected to be shown as better or worse.";

/// The comparison for a terminal of 80 columns.
pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    for scenario in &comparison.scenarios {
        text += &format!("{}\n", wrapped(&scenario.title, ""));
        text += &format!("{}\n\n", wrapped(&sides(scenario), ""));
        text += &format!("{}\n", text_table(&table(scenario)));
    }
    for words in &comparison.unpaired {
        text += &format!("{}\n", wrapped(&format!("Not compared: {words}"), "    "));
    }
    text += &format!("{}\n", wrapped(&count(comparison), ""));
    if !comparison.scenarios.is_empty() {
        text += &format!("{}\n", wrapped(EXPLANATION, ""));
    }
    text
}

/// The comparison as a self-contained page.
pub fn html(comparison: &Comparison) -> String {
    let mut body = format!(
        "<header>\n<h1>Comparison of policies</h1>\n<p><strong>{}</strong></p>\n\
         <p>{EXPLANATION}</p>\n</header>\n",
        escape(&count(comparison))
    );
    for (index, scenario) in comparison.scenarios.iter().enumerate() {
        let id = format!("comparison-{}", index + 1);
        body += &format!(
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n\
             <p class=\"name\"><code>{}</code></p>\n<p>{}</p>\n{}</section>\n",
            escape(&scenario.title),
            escape(&scenario.scenario),
            escape(&sides(scenario)),
            html_table(&table(scenario))
        );
    }
    if !comparison.unpaired.is_empty() {
        body += "<section>\n<h2>Not compared</h2>\n<ul>\n";
        for words in &comparison.unpaired {
            body += &format!("<li>{}</li>\n", escape(words));
        }
        body += "</ul>\n</section>\n";
    }
    page("Comparison of policies", &body)
}

/// What is compared.
fn sides(scenario: &ScenarioComparison) -> String {
    let seeds = scenario.seeds.len();
    let plural = if seeds == 1 { "" } else { "s" };
    format!("First: {}. Second: {}. {seeds} seed{plural}.", scenario.first, scenario.second)
}

/// How many measures became better and worse.
fn count(comparison: &Comparison) -> String {
    let all = || comparison.scenarios.iter().flat_map(|scenario| &scenario.measures);
    let count = |verdict| all().filter(|measure| measure.verdict == verdict).count();
    format!(
        "Of {} measures, {} became better and {} worse; {} show no difference, and {} have not \
         enough seeds.",
        all().count(),
        count(Verdict::Better),
        count(Verdict::Worse),
        count(Verdict::NoDifferenceShown),
        count(Verdict::NotEnoughSeeds),
    )
}

fn table(scenario: &ScenarioComparison) -> Table {
    let columns = ["measure", "verdict", "difference", "95% interval", "first", "second"];
    let mut table = Table::new("Second minus first: lower is better", &columns);
    table.rows.extend(scenario.measures.iter().map(row));
    table
}

fn row(measure: &MeasureComparison) -> Vec<Cell> {
    let number = |value| Cell::number(value, |value| measure.unit.format(value));
    let signed = |value| measure.unit.format_difference(value);
    let interval = measure.interval.map_or("–".to_string(), |(least, most)| {
        format!("{} to {}", signed(least), signed(most))
    });
    let (verdict, tone) = match measure.verdict {
        Verdict::Better => ("▼ better", Tone::Good),
        Verdict::Worse => ("▲ worse", Tone::Bad),
        Verdict::NoDifferenceShown => ("no difference", Tone::Words),
        Verdict::NotEnoughSeeds => ("not enough seeds", Tone::Words),
    };
    vec![
        Cell::new(&measure.name),
        Cell::words(verdict, tone),
        Cell::number(measure.difference, signed).with_detail(relative(measure)),
        Cell::new(interval),
        number(measure.first),
        number(measure.second),
    ]
}

/// The difference as a share of the first side.
fn relative(measure: &MeasureComparison) -> String {
    match (measure.difference, measure.first) {
        (Some(difference), Some(first)) if first > 0.0 && difference != 0.0 => {
            units::change(difference / first)
        }
        _ => String::new(),
    }
}
