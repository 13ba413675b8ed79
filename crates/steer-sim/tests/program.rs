//! The program: what it prints, its files and its exit statuses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn steer_sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_steer-sim")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A small scenario with this limit on the errors.
fn scenario_with(folder: &Path, limit: &str) -> String {
    let path = folder.join("mine.toml");
    let text = format!(
        r#"
title = "mine"
look_for = "errors"
duration = "5s"
policies = ["steer_round_robin"]

[[servers]]
name = "server"
count = 2

[[clients]]
name = "client"
rate = "100/s"

[[events]]
at = "0s"
servers = ["server-2"]
fail = "UNAVAILABLE"

[[limits]]
measure = "errors"
{limit}
"#
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn lists_its_scenarios_and_shows_their_files() {
    let list = stdout(&steer_sim(&["list"]));
    assert!(list.contains("one_slow\n"), "{list}");
    let shown = stdout(&steer_sim(&["show", "one_slow"]));
    assert!(shown.contains("[[servers]]"), "{shown}");
}

#[test]
fn ends_scenarios_early() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), r#"at_most = "1%""#);
    let json = folder.path().join("o.json").to_str().unwrap().to_owned();
    let run = steer_sim(&["run", &scenario, "--duration", "2s", "--json", &json]);
    assert!(run.status.success(), "{}", stderr(&run));
    let outcomes: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(outcomes[0]["duration"], 2.0);
    assert_eq!(outcomes[0]["limits"].as_array().unwrap().len(), 0);
    let wrong = steer_sim(&["run", &scenario, "--duration", "0s"]);
    assert!(stderr(&wrong).contains("expected a time above 0"), "{}", stderr(&wrong));
}

#[test]
fn writes_a_page_numbers_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), r#"at_most = "60%""#);
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, json, tables) = (file("r.html"), file("o.json"), file("t.md"));
    let run = steer_sim(&[
        "run",
        &scenario,
        "--out",
        &page,
        "--json",
        &json,
        "--markdown",
        &tables,
        "--seeds",
        "2",
    ]);
    assert!(run.status.success(), "{}", stderr(&run));
    assert!(stdout(&run).contains("steer_round_robin"));
    assert_eq!(stderr(&run), "", "there is no progress bar in a pipe");
    assert!(fs::read_to_string(page).unwrap().contains("<svg"));
    assert!(fs::read_to_string(tables).unwrap().contains("steer_round_robin"));
    let outcomes: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(outcomes.as_array().unwrap().len(), 2);
    assert_eq!(outcomes[1]["seed"], 2);
}

#[test]
fn check_fails_when_a_limit_is_not_as_the_scenario_says() {
    let folder = tempfile::tempdir().unwrap();
    let not_yet = "not_yet = [\"steer_round_robin\"]\nbecause = \"it is blind\"";
    for (limit, status, words) in [
        (r#"at_most = "60%""#.to_owned(), 0, "(kept)"),
        (r#"at_most = "1%""#.to_owned(), 1, "(NOT KEPT)"),
        (format!("at_most = \"1%\"\n{not_yet}"), 0, "(not yet kept, as the scenario says)"),
        (format!("at_most = \"60%\"\n{not_yet}"), 1, "take its not_yet out"),
    ] {
        let scenario = scenario_with(folder.path(), &limit);
        let check = steer_sim(&["check", &scenario]);
        assert_eq!(check.status.code(), Some(status), "{limit}");
        assert!(stdout(&check).contains(words), "{}", stdout(&check));
    }
}

#[test]
fn compares_two_policies() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), r#"at_most = "100%""#);
    let compare = steer_sim(&[
        "compare",
        &scenario,
        "--first",
        "steer_round_robin",
        "--second",
        "steer_peak_ewma={\"decayTime\":\"5s\"}",
    ]);
    assert!(compare.status.success(), "{}", stderr(&compare));
    assert!(stdout(&compare).contains("better"), "{}", stdout(&compare));
}

#[test]
fn says_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), r#"at_most = "1%""#);
    let broken = folder.path().join("broken.toml").to_str().unwrap().to_owned();
    fs::write(&broken, "titel = 3\n").unwrap();
    let library = folder.path().join("none.so").to_str().unwrap().to_owned();
    for (arguments, words) in [
        (&["run", "no_such"][..], "there is no scenario \"no_such\""),
        (&["run", "/no/such.toml"], "/no/such.toml"),
        (&["run", &broken], "broken.toml:1"),
        (&["run", &scenario, "--policy", "no_such"], "there is no policy \"no_such\"; there are: "),
        (&["run", &scenario, "--policy", "steer_ring_hash={"], "is not JSON"),
        (&["run", &scenario, "--policy", "steer_ring_hash={\"minRingSize\":0}"], "minRingSize"),
        (&["run", &scenario, "--plugin", &library], "none.so cannot be loaded"),
        (&["run", &scenario, "--json", "/no/such/folder/x.json"], "cannot write /no/such/folder"),
    ] {
        let run = steer_sim(arguments);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&run).contains(words), "{arguments:?}: {}", stderr(&run));
    }
}

/// Attempts of one call end in any order. Under overload, many calls have three.
#[test]
fn runs_hedging_under_overload() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hedging.toml");
    let text = r#"
title = "hedging"
look_for = "attempts"
duration = "10s"
policies = ["steer_round_robin", "steer_peak_ewma"]

[[servers]]
name = "server"
count = 3

[[clients]]
name = "client"
rate = "2600/s"
deadline = "200ms"
hedging = { max_attempts = 3, delay = "30ms" }

[[limits]]
measure = "attempts"
at_least = 1.5
"#;
    fs::write(&path, text).unwrap();
    let check = steer_sim(&["check", path.to_str().unwrap(), "--seeds", "3"]);
    assert!(check.status.success(), "{}{}", stdout(&check), stderr(&check));
}
