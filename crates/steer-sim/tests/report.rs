//! Reports of made-up outcomes: their HTML, in a real browser too, their text and their Markdown.

mod common;

use std::path::Path;
use std::process::Command;

use common::sample::{self, Sample};
use steer_sim::compare::{self, compare};
use steer_sim::outcome::Outcome;
use steer_sim::report;

/// Opens a page in Chromium, and fails if it does not look right. Skips without Chromium.
fn look_at(name: &str, html: &str, arguments: &[&str]) {
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&page, html).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/look.py");
    // The system's Python: python3-selenium is a package for it.
    let output = Command::new("/usr/bin/python3").arg(script).arg(&page).args(arguments).output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no /usr/bin/python3");
        return;
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(75) {
        eprintln!("SKIPPED: {stderr}");
        return;
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{stderr}");
    println!("{stdout}");
}

#[test]
fn page_looks_right_in_a_browser() {
    look_at("report.html", &report::html(&sample::all()), &[]);
}

#[test]
fn comparison_looks_right_in_a_browser() {
    let outcomes = |median: f64, odd_share: f64| -> Vec<Outcome> {
        let sample = |seed| Sample { seed, median, odd_share, ..sample::usual() };
        (1..=6).map(|seed| sample(seed).outcome()).collect()
    };
    let mut second = outcomes(0.009, 0.2);
    second.push(sample::one_server());
    let page = compare::html(&compare(&outcomes(0.01, 0.0), &second));
    for words in ["▼ better", "▲ worse", "no difference", "Not compared"] {
        assert!(page.contains(words), "{words}");
    }
    look_at("comparison.html", &page, &["--without-plots"]);
}

#[test]
fn page_is_self_contained() {
    let page = report::html(&sample::all());
    for reference in ["http:", "https:", "url(", "@import", "<script", "src=", "<iframe"] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#scenario-").count() + 1);
}

#[test]
fn texts_of_outcomes_are_not_markup() {
    let text = "<b onclick='x'>\"&amp;</b> font-family=\"sans-serif\" fill=\"#100000\"";
    let mut outcome = sample::one_server();
    let server = &mut outcome.servers[0];
    for field in [
        &mut outcome.scenario,
        &mut outcome.title,
        &mut outcome.look_for,
        &mut outcome.policy,
        &mut server.name,
        &mut server.group,
        &mut server.zone,
        &mut outcome.intervals.groups[0],
    ] {
        *field = text.to_string();
    }
    outcome.config = serde_json::json!({ text: text });
    outcome.log.insert(text.to_string(), 1);
    let page = report::html(&[outcome]);
    assert!(!page.contains("<b "), "{page}");
    assert!(
        page.contains("&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;amp;&lt;/b&gt; font-family=&quot;")
    );
}

#[test]
fn same_outcomes_give_the_same_page() {
    assert_eq!(report::html(&sample::all()), report::html(&sample::all()));
}

#[test]
fn page_of_many_servers_and_intervals_is_small() {
    let mut outcomes = sample::thousand_servers();
    for outcome in &mut outcomes {
        // An hour in seconds.
        let intervals = &mut outcome.intervals;
        outcome.duration = 3600.0;
        let lists = [&mut intervals.calls, &mut intervals.errors, &mut intervals.in_flight];
        for list in lists.into_iter().chain([&mut intervals.connections]) {
            list.resize(3600, 7);
        }
        intervals.attempts.iter_mut().for_each(|list| list.resize(3600, 7));
        intervals.p99.resize(3600, 0.01);
    }
    let page = report::html(&outcomes);
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(page.contains("Each point stands for 30 s: mean rates, and the greatest of"));
    assert!(page.contains("The 40 busiest servers, and the mean of the others."));
    assert_eq!(page.matches("960 others").count(), 4, "in two plots and two tables");
}

#[test]
fn limits_are_kept_or_not_or_not_yet() {
    let page = report::html(&sample::slow_servers());
    for words in ["✓ kept", "✗ not kept", "… not yet, because it does not look at latency"] {
        assert!(page.contains(words), "{words}");
    }
    // Kept, though the scenario says that it is not yet.
    let page = report::html(&sample::thousand_servers());
    assert!(page.contains("✗ kept, but the scenario says not yet, because it does not look"));
}

#[test]
fn policies_with_several_configs_are_told_apart() {
    let mut outcomes = vec![sample::one_server(), sample::one_server()];
    outcomes[1].config = serde_json::json!({"shuffle": true});
    let text = report::text(&outcomes);
    assert!(text.contains("pick_first {\"shuffle\":true}"), "{text}");
}

#[test]
fn text_fits_a_terminal() {
    let text = report::text(&sample::all());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line, line.trim_end());
    }
    assert!(text.ends_with("6 scenarios: 3 with limits that are not as expected.\n"), "{text}");
    assert_eq!(report::text(&[]), "There are no outcomes.\n");
}

#[test]
fn rows_of_markdown_have_equal_columns() {
    let markdown = report::markdown(&sample::all());
    let mut columns = 0;
    for line in markdown.lines() {
        let cells = line.replace("\\|", "").matches('|').count();
        assert!(columns == 0 || cells == 0 || cells == columns, "{line}");
        columns = cells;
    }
    assert!(
        markdown
            .contains("\n## One server & \\<one\\> \"client\"\n".replace("&", "&amp;").as_str())
    );
    assert!(markdown.contains("| round_robin | "), "{markdown}");
    assert_eq!(report::markdown(&[]), "\n");
}

#[test]
fn page_without_outcomes_says_so() {
    assert!(report::html(&[]).contains("There are no outcomes."));
}
