//! The report as one HTML page, without scripts and without other files.
//!
//! | file | idea |
//! |---|---|
//! | `scenario.rs` | the section of a scenario |
//! | `figures.rs` | its plots, each with a table of the same numbers |
//! | `servers.rs` | the plot of each server's share, with all numbers of servers |
//! | `render.rs` | tables and figures as HTML |
//! | `page.css` | what the page looks like, light, dark and printed |
//!
//! Must not depend on: how outcomes come about.

mod figures;
mod render;
mod scenario;
mod servers;

use super::cases::{Case, cases};
use super::escape::escape;
use super::summary;
use crate::outcome::Outcome;

pub use render::table;

const CSS: &str = include_str!("page.css");

/// A page that shows outcomes: for each scenario its numbers, its limits, and plots.
pub fn html(outcomes: &[Outcome]) -> String {
    let cases = cases(outcomes);
    let mut body = header(&cases);
    for (index, case) in cases.iter().enumerate() {
        scenario::section(&mut body, case, index);
    }
    page("Simulated fleets", &body)
}

/// A whole page with this title and this body.
pub fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    // The policy forbids the browser to fetch anything.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n\
         <main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn header(cases: &[Case]) -> String {
    let mut text = String::from("<header>\n<h1>Simulated fleets</h1>\n");
    if cases.is_empty() {
        return text + "<p>There are no outcomes.</p>\n</header>\n";
    }
    text += "<p>Fleets of gRPC clients and servers in virtual time, with Steer’s \
             load-balancing policies.";
    if cases.iter().any(|case| case.seeds() > 1) {
        text += " Plots show the first seed. Tables show the median over all seeds, and below it \
                 the least and the greatest value.";
    }
    text += "</p>\n</header>\n<nav aria-label=\"Scenarios\">\n<ol>\n";
    for (index, case) in cases.iter().enumerate() {
        let (words, good) = summary::verdict(case);
        text += &format!(
            "<li><a href=\"#{}\">{}</a> <span class=\"{}\">{}</span></li>\n",
            scenario::anchor(index),
            escape(&case.first.title),
            if good { "quiet" } else { "bad" },
            escape(&words),
        );
    }
    text + "</ol>\n</nav>\n"
}
