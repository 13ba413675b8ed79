//! The summary for a terminal of 80 columns.
//!
//! Must not depend on: how outcomes come about, the terminal.

use super::cases::{Case, cases};
use super::limits::{self, Verdict};
use super::summary;
use super::table::Table;
use crate::outcome::Outcome;

/// The columns of a terminal.
const WIDTH: usize = 80;
/// For each scenario the numbers of its policies, and the limits that are not kept.
pub fn text(outcomes: &[Outcome]) -> String {
    let cases = cases(outcomes);
    let mut text = String::new();
    for case in &cases {
        text += &scenario(case);
    }
    let unexpected = cases.iter().filter(|case| !summary::verdict(case).1).count();
    text += &match (cases.len(), unexpected) {
        (0, _) => "There are no outcomes.".to_string(),
        (all, 0) => {
            format!("{}: all limits are as expected.", summary::plural(all as u64, "scenario"))
        }
        (all, bad) => format!(
            "{}: {bad} with limits that are not as expected.",
            summary::plural(all as u64, "scenario")
        ),
    };
    text + "\n"
}

fn scenario(case: &Case) -> String {
    let mut text = format!("{}\n", wrapped(&case.first.title, ""));
    text += &format!("{}\n", "─".repeat(case.first.title.chars().count().min(WIDTH)));
    if !case.first.look_for.is_empty() {
        text += &format!("{}\n", wrapped(&case.first.look_for, ""));
    }
    text += &format!("{}\n\n", wrapped(&summary::facts(case), ""));
    let mut policies = summary::policies(case);
    shorten(&mut policies);
    text += &table(&policies);
    if case.seeds() > 1 {
        text += "medians over seeds\n";
    }
    text += "\n";
    for row in limits::rows(case) {
        if row.verdict != Verdict::Kept {
            let range = match row.range.as_str() {
                "" => String::new(),
                range => format!(" ({range})"),
            };
            let (policy, verdict) = (row.policy, row.verdict.words());
            let (limit, measured) = (row.words, &row.measured);
            let line = format!("{policy}: {verdict}. Limit: {limit}. Measured: {measured}{range}.");
            text += &format!("{}\n", wrapped(&line, "    "));
        }
    }
    text += &format!("{}\n\n\n", summary::verdict(case).0);
    text
}

/// Titles and cells that are short enough for a terminal.
fn shorten(table: &mut Table) {
    for column in &mut table.columns {
        match column.as_str() {
            "fullest server" => *column = "fullest".to_string(),
            "limits kept" => *column = "limits".to_string(),
            _ => {}
        }
    }
    for cell in table.rows.iter_mut().filter_map(|row| row.last_mut()) {
        cell.text = cell.text.replace(" of ", "/");
    }
}

/// A table. Numbers are on the right of their column. Details are left out.
pub fn table(table: &Table) -> String {
    let mut lines = vec![table.columns.clone()];
    lines.extend(table.rows.iter().map(|row| row.iter().map(|cell| cell.text.clone()).collect()));
    let mut text = String::new();
    let (widths, gap) = widths(&lines);
    for line in &mut lines {
        // Long names, and titles of rows, have a line of their own.
        if line[0].chars().count() > widths[0] || line.len() == 1 {
            text += &format!("{}\n", shortened(&std::mem::take(&mut line[0])));
        }
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let space = " ".repeat(widths[column] - cell.chars().count());
            if table.has_words(column) {
                format!("{cell}{space}")
            } else {
                format!("{space}{cell}")
            }
        });
        let cells: Vec<_> = cells.collect();
        let columns = cells.join(&" ".repeat(gap));
        if !columns.trim().is_empty() {
            text += &format!("{}\n", columns.trim_end());
        }
    }
    text
}

/// The width of each column, and of the gap between them. If the table is too wide, the gap
/// shrinks, and then the first column.
fn widths(lines: &[Vec<String>]) -> (Vec<usize>, usize) {
    let width = |column: usize| {
        let cells = lines.iter().filter(|line| line.len() > 1).map(|line| &line[column]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let gaps = widths.len() - 1;
    let gap = if widths.iter().sum::<usize>() + 2 * gaps > WIDTH { 1 } else { 2 };
    let others = widths[1..].iter().sum::<usize>() + gap * gaps;
    let title = lines[0][0].chars().count();
    widths[0] = widths[0].min(WIDTH.saturating_sub(others).max(title));
    (widths, gap)
}

/// The text in lines of at most 80 columns. All lines except the first begin with `indent`.
pub fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        // Words that are longer than a line are cut.
        let letters: Vec<char> = word.chars().collect();
        for (index, part) in letters.chunks(WIDTH - indent.len()).enumerate() {
            let space = usize::from(length > 0 && index == 0);
            if length > 0 && length + space + part.len() > WIDTH {
                lines.push('\n');
                lines.push_str(indent);
                length = indent.len();
            } else if space > 0 {
                lines.push(' ');
                length += 1;
            }
            lines.extend(part);
            length += part.len();
        }
    }
    lines
}

/// The text, or as much as a line has room for.
fn shortened(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_string();
    }
    text.chars().take(WIDTH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped() {
        let text = wrapped(&"word ".repeat(40), "  ");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("  word")));
        assert_eq!(text.split_whitespace().count(), 40);
        let text = wrapped(&format!("a {} b", "x".repeat(200)), "    ");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches('x').count(), 200);
    }
}
