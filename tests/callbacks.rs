//! The fake hosts check callbacks by a list of rules. These tests compare the list with
//! `docs/ABI.md` and with the callbacks of `steer_host`.

#[path = "support/callbacks.rs"]
mod callbacks;

use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_abi_document_has_the_rules() {
    let document = read("docs/ABI.md");
    for rule in callbacks::rules() {
        let threads = if rule.serialised { "serialised" } else { "any" };
        let row = format!("| `{}` | {threads} | {} |", rule.callback, rule.within.join(", "));
        assert!(document.contains(&row), "docs/ABI.md has no row {row:?}");
    }
}

#[test]
fn every_callback_has_a_rule() {
    let header = read("include/steer/host.h");
    let table = header.split("typedef struct steer_host {").nth(1).unwrap();
    let table = table.split("} steer_host;").next().unwrap();
    let mut callbacks: Vec<&str> =
        table.split("(*").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    let mut rules: Vec<&str> = callbacks::rules().iter().map(|rule| rule.callback).collect();
    callbacks.sort_unstable();
    rules.sort_unstable();
    assert_eq!(callbacks, rules);
}

#[test]
fn a_broken_rule_is_found() {
    let broken = |callback: &'static str, function: &'static str| {
        std::panic::catch_unwind(|| callbacks::within(function, || callbacks::came(callback)))
            .is_err()
    };
    assert!(broken("endpoint_connect", "pick"));
    assert!(broken("connection_free", "tracker"));
    assert!(!broken("connection_free", "tracker free"));
    assert!(!broken("log", "none"));
    let turn = callbacks::Turn::default();
    let late = || turn.within("event", || turn.came("endpoint_connect"));
    late();
    turn.within("free", || turn.came("endpoint_free"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(late)).is_err());
    // No thread is in a serialised call.
    let none = || callbacks::within("event", || turn.came("endpoint_free"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(none)).is_err());
}
