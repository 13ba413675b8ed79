//! What docs/simulator.md shows is what the program has and does.
//!
//! `STEER_BLESS=1 cargo test --test docs` writes its table of scenarios again.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use steer_sim::ready::SCENARIOS;

/// From the crate's folder, in which tests run.
const PAGE: &str = "../../docs/simulator.md";
const MARKS: (&str, &str) = ("<!-- ready scenarios -->\n", "<!-- /ready scenarios -->\n");

fn page() -> String {
    fs::read_to_string(PAGE).unwrap()
}

/// The blocks of the page that are files, with their names.
fn files(page: &str) -> Vec<(&str, &str)> {
    let mut files = Vec::new();
    for block in page.split("<!-- file: ").skip(1) {
        let (name, rest) = block.split_once(" -->\n```").unwrap();
        let (_language, rest) = rest.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```\n").unwrap();
        files.push((name, text));
    }
    files
}

/// The readers' own fleet keeps the limits that the page gives it.
#[test]
fn the_fleet_of_the_page_keeps_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let page = page();
    for (name, text) in files(&page) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let check = Command::new(env!("CARGO_BIN_EXE_steer-sim"))
        .args(["check", "my-fleet.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = [check.stdout, check.stderr].concat();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&printed));
}

#[test]
fn the_page_lists_every_scenario() {
    let mut table = "| scenario | what happens | look for |\n|---|---|---|\n".to_owned();
    for ready in SCENARIOS {
        let scenario = ready.read().unwrap_or_else(|faults| panic!("{faults}"));
        let (title, look_for) = (scenario.title, scenario.look_for);
        table += &format!("| `{}` | {title} | {look_for} |\n", ready.name);
    }
    let text = page();
    let (before, rest) = text.split_once(MARKS.0).expect("the page has the mark");
    let (listed, after) = rest.split_once(MARKS.1).expect("the page has the second mark");
    if env::var_os("STEER_BLESS").is_some() {
        let written = [before, MARKS.0, &table, MARKS.1, after].concat();
        return fs::write(Path::new(PAGE), written).unwrap();
    }
    assert_eq!(listed, table, "see the head of this file");
}

/// Each command and option that the page names is in the help.
#[test]
fn the_options_of_the_page_exist() {
    let help = |command: &str| {
        let help = Command::new(env!("CARGO_BIN_EXE_steer-sim")).args([command, "--help"]).output();
        String::from_utf8(help.unwrap().stdout).unwrap()
    };
    let known = ["run", "check", "compare"].map(help).concat();
    // Without the options of other programs.
    let page = page();
    let others = ["cmake", "cargo run", "script/"];
    let lines = page.lines().filter(|line| others.iter().all(|other| !line.contains(other)));
    let words = lines.flat_map(|line| line.split([' ', '`', '\'', ',', '.', ':', ')']));
    let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
    for option in options.filter(|option| !["-->", "--help", "--prefix"].contains(option)) {
        assert!(known.contains(option), "{option}");
    }
}
