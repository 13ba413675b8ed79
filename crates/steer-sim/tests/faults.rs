//! Wrong scenarios, and the exact text of their faults.
//!
//! The files `tests/faults/*.txt` begin with the text that all of their cases have in front. Each
//! case begins with `---`. The line `=>` separates its text from its faults. A fault that is longer
//! than a line goes on in the next one, after four spaces.
//!
//! Must not depend on: how scenarios are simulated.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use steer_sim::file;

/// A scenario without faults.
const RIGHT: &str = "\
servers = [{ name = \"good\", count = 3 }, { name = \"odd\", zones = [\"b\"] }]
clients = [{ name = \"callers\", rate = \"300/s\" }]
policies = [\"steer_peak_ewma\", \"steer_least_request\"]
";

fn faults(text: &str) -> String {
    // Tests run in the folder of the package.
    file::parse("f.toml", text, Path::new("tests/data")).expect_err(text).to_string()
}

#[test]
fn names_every_fault() {
    let mut count = 0;
    for entry in fs::read_dir("tests/faults").unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read_to_string(&path).unwrap();
        let mut cases = content.split("---\n");
        let before = cases.next().unwrap();
        for case in cases {
            let (text, expected) = case.split_once("=>\n").unwrap();
            let found = faults(&format!("{before}{text}"));
            let expected = expected.trim_end().replace("\n    ", " ");
            assert_eq!(found, expected, "{}: {text}", path.display());
            count += 1;
        }
    }
    assert!(count > 100, "only {count} cases were found");
}

#[test]
fn refuses_control_characters() {
    assert!(faults("\0").starts_with("f.toml:1: is not TOML: "));
}

#[test]
fn names_a_file_that_cannot_be_read() {
    let error = file::read(Path::new("tests/data/none.toml")).unwrap_err();
    let expected = "tests/data/none.toml: cannot be read: No such file or directory (os error 2)";
    assert_eq!(error.to_string(), expected);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("latin1.toml");
    fs::write(&path, b"title = \"x\"\nlook_for = \"\xe9\"\n").unwrap();
    let error = file::read(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("{}:2: is not UTF-8", path.display()));
}

#[test]
fn a_long_value_is_quoted_in_part() {
    let found = faults(&format!("{RIGHT}duration = \"{}\"", "é".repeat(1000)));
    let quoted = "é".repeat(40);
    let expected = "f.toml:4: duration: expected a time such as \"20ms\", not";
    assert_eq!(found, format!("{expected} \"{quoted}…\""));
}

/// Pieces of scenarios: any order of them is a text that may get far before it fails.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "[[servers]]",
        "[[clients]]",
        "[[events]]",
        "[[limits]]",
        "[network]",
        "\n",
        "\n",
        " = ",
        " = ",
        "[",
        "]",
        "{ ",
        " }",
        ", ",
        "\"",
        "name",
        "count",
        "zones",
        "queue",
        "length",
        "service_time",
        "distribution",
        "\"exponential\"",
        "mean",
        "\"1ms\"",
        "\"a\"",
        "rate",
        "\"3/s\"",
        "0",
        "-1",
        "1e400",
        "9223372036854775807",
        "nan",
        "true",
        "at",
        "servers",
        "slow",
        "rolling",
        "every",
        "measure",
        "\"share\"",
        "at_most",
        "\"5%\"",
        "not_yet",
        "policies",
        "config",
        "\"steer_random\"",
        ".",
        "é",
        "#",
        "'''",
        "1979-05-27",
        "\"zone:a\"",
        "keys",
        "between",
        "\"\\u0000\"",
        "0x7fffffffffffffff",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

/// A scenario with one value replaced by another.
fn replaced() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "duration",
        "warm_up",
        "interval",
        "policies",
        "network.round_trip",
        "network.between",
        "events",
        "limits",
        "servers",
        "clients",
        "servers.count",
        "title",
    ]);
    let values = prop::sample::select(vec![
        "0",
        "-1",
        "1.5",
        "inf",
        "\"\"",
        "\"1s\"",
        "\"99999999999999999999s\"",
        "\"365days\"",
        "[]",
        "[[]]",
        "[{}]",
        "{}",
        "true",
        "\"1%\"",
        "\"1e308%\"",
        "\"1e308/s\"",
        "\"/\"",
        "9223372036854775807",
        "{ a.b.c = 1 }",
        "\"18446744073709551615ns\"",
    ]);
    let lines = prop::collection::vec((keys, values), 1..4);
    lines.prop_map(|lines| {
        let lines = lines.into_iter().map(|(key, value)| format!("{key} = {value}\n"));
        lines.collect::<String>() + RIGHT
    })
}

/// Reads a text. Every fault must have a line of the text.
fn read_any(text: &str) {
    if let Err(faults) = file::parse("f.toml", text, Path::new("tests/data")) {
        assert!(!faults.faults.is_empty());
        let lines = 1 + text.matches('\n').count();
        for fault in &faults.faults {
            assert!((1..=lines).contains(&fault.line.unwrap()), "{faults}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        read_any(&text);
    }

    #[test]
    fn no_pieces_panic(text in pieces()) {
        read_any(&text);
    }

    #[test]
    fn no_value_panics(text in replaced()) {
        read_any(&text);
    }
}

#[test]
fn a_deep_text_is_refused() {
    for open in ["[", "{a="] {
        faults(&format!("x = {}", open.repeat(100_000)));
    }
    faults(&format!("{} = 1", vec!["a"; 100_000].join(".")));
}
