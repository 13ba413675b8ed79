//! The report as Markdown, for documents: the tables, without plots.
//!
//! Must not depend on: how outcomes come about.

use super::cases::cases;
use super::summary;
use super::table::{Cell, Table};
use crate::outcome::Outcome;

/// For each scenario its title, what to look for, and its tables.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for case in cases(outcomes) {
        text += &format!("## {}\n\n", escape(&case.first.title));
        if !case.first.look_for.is_empty() {
            text += &format!("{}\n\n", escape(&case.first.look_for));
        }
        text += &format!("{}\n\n", escape(&summary::facts(&case)));
        text += &table(&summary::policies(&case));
        if let Some(limits) = summary::limits(&case) {
            text += &format!("\n{}", table(&limits));
        }
        text += "\n";
    }
    // One line break at the end.
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn table(table: &Table) -> String {
    let mut text = String::new();
    let titles: Vec<_> = table.columns.iter().map(|column| escape(column)).collect();
    text += &format!("| {} |\n", titles.join(" | "));
    let rules: Vec<_> = (0..titles.len()).map(|index| rule(table, index)).collect();
    text += &format!("|{}|\n", rules.join("|"));
    for row in &table.rows {
        let mut cells: Vec<_> = row.iter().map(cell).collect();
        if let [title] = &mut cells[..] {
            *title = format!("**{title}**");
        }
        cells.resize(table.columns.len(), String::new());
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}

/// Numbers are on the right of their column.
fn rule(table: &Table, column: usize) -> &'static str {
    if table.has_words(column) { "---" } else { "---:" }
}

fn cell(cell: &Cell) -> String {
    let text = escape(&cell.text);
    if cell.detail.is_empty() { text } else { format!("{text} ({})", escape(&cell.detail)) }
}

/// The text without what means something in Markdown, in one line.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let after = letters.peek().copied().unwrap_or(' ');
        match letter {
            '\n' | '\r' => escaped.push(' '),
            // Within a word it means nothing.
            '_' if before.is_alphanumeric() && after.is_alphanumeric() => escaped.push('_'),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' => {
                escaped.extend(['\\', letter]);
            }
            '&' => escaped.push_str("&amp;"),
            other => escaped.push(other),
        }
        before = letter;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("round_robin _x_ a|b\n<c> &"), "round_robin \\_x\\_ a\\|b \\<c\\> &amp;");
    }
}
