//! Tables and figures as HTML.
//!
//! Must not depend on: outcomes.

use crate::report::escape::escape;
use crate::report::table::{Cell, Table, Tone};

/// One plot or several, with the same numbers in tables.
pub struct Figure {
    /// Its title.
    pub title: String,
    /// A sentence on how to read it. May be empty.
    pub note: String,
    /// The entries of the legend: SVG or HTML of the key, and what it stands for.
    pub legend: Vec<(String, String)>,
    /// The plots, each with a title of its own, or a single one without.
    pub plots: Vec<(String, String)>,
    /// The same numbers.
    pub tables: Vec<Table>,
}

/// A table, in a box that scrolls if the page is narrow.
pub fn table(table: &Table) -> String {
    let caption = escape(&table.caption);
    let mut text = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n\
         <table>\n<caption><span>{caption}</span></caption>\n<thead><tr>"
    );
    for (index, column) in table.columns.iter().enumerate() {
        let class = if table.has_words(index) { " class=\"words\"" } else { "" };
        text += &format!("<th scope=\"col\"{class}>{}</th>", escape(column));
    }
    text += "</tr></thead>\n<tbody>\n";
    for (index, row) in table.rows.iter().enumerate() {
        if let [title] = &row[..] {
            text += &rows_title(&title.text, table.columns.len(), index == 0);
            continue;
        }
        text += "<tr>";
        for (index, cell) in row.iter().enumerate() {
            text += &render_cell(cell, index == 0);
        }
        text += "</tr>\n";
    }
    text + "</tbody>\n</table>\n</div>\n"
}

/// The title of the rows below it.
fn rows_title(title: &str, columns: usize, is_first: bool) -> String {
    let next = if is_first { "" } else { "</tbody>\n<tbody>\n" };
    let title = escape(title);
    format!("{next}<tr><th scope=\"rowgroup\" colspan=\"{columns}\">{title}</th></tr>\n")
}

fn render_cell(cell: &Cell, is_first: bool) -> String {
    let text = escape(&cell.text);
    if is_first {
        return format!("<th scope=\"row\">{text}</th>");
    }
    let class = match cell.tone {
        Tone::Plain => "",
        Tone::Words => " class=\"words\"",
        Tone::Good => " class=\"words good\"",
        Tone::Bad => " class=\"words bad\"",
    };
    let detail = if cell.detail.is_empty() {
        String::new()
    } else {
        format!("<br><small>{}</small>", escape(&cell.detail))
    };
    format!("<td{class}>{text}{detail}</td>")
}

/// Tables that the reader can open.
pub fn details(summary: &str, tables: &[Table]) -> String {
    let tables: String = tables.iter().map(table).collect();
    format!("<details>\n<summary>{}</summary>\n{tables}</details>\n", escape(summary))
}

/// A figure. Those with a plot for each policy take the width of the page.
pub fn figure(figure: &Figure) -> String {
    // Plots that have titles are those of several policies.
    let wide = figure.plots.iter().any(|(title, _)| !title.is_empty());
    let class = if wide { " class=\"wide\"" } else { "" };
    let mut text = format!("<figure{class}>\n<figcaption>\n<h3>{}</h3>\n", escape(&figure.title));
    if !figure.note.is_empty() {
        text += &format!("<p class=\"quiet\">{}</p>\n", escape(&figure.note));
    }
    if !figure.legend.is_empty() {
        text += "<ul class=\"legend\">\n";
        for (key, label) in &figure.legend {
            text += &format!("<li>{key}{}</li>\n", escape(label));
        }
        text += "</ul>\n";
    }
    text += "</figcaption>\n<div class=\"panels\">\n";
    for (title, plot) in &figure.plots {
        text += "<div>\n";
        if !title.is_empty() {
            text += &format!("<h4>{}</h4>\n", escape(title));
        }
        text += &format!("{plot}</div>\n");
    }
    text += "</div>\n";
    text + &details("The same in numbers", &figure.tables) + "</figure>\n"
}
