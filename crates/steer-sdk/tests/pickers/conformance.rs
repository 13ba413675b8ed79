//! Tests the conformance test, with sound and broken pickers.

use steer_sdk::testkit::{Conformance, TestCall};

use crate::plugin;
use crate::state::REMEMBERING_IN_USE;

#[test]
fn sound_pickers_conform() {
    let _lock = REMEMBERING_IN_USE.lock().unwrap();
    for (policy, config) in [
        ("scripted", r#"{"steps": [{"complete": 0}, "queue", {"fail": 14}]}"#),
        ("by_name_in_rust", r#"{"headers": ["to"], "path": true}"#),
        ("describing", "{}"),
        ("remembering", "{}"),
        ("timed", "{}"),
    ] {
        let named = |number| TestCall::new().header("to", format!("ipv4:10.0.0.{number}:80"));
        Conformance::new(plugin(), policy, config).calls(named).check().unwrap();
    }
}

#[test]
fn broken_pickers_do_not_conform() {
    for (policy, config, why) in [
        ("scripted", r#"{"steps": ["queue", "panic"]}"#, "on purpose"),
        ("scripted", r#"{"steps": [{"complete": 1}]}"#, "index out of bounds"),
        ("fails_to_build", "{}", "no picker"),
        ("broken", "{}", "a bad timer"),
        ("broken", r#"{"place": "config"}"#, "a bad check"),
    ] {
        let error = Conformance::new(plugin(), policy, config).check().unwrap_err().to_string();
        assert!(error.contains(why), "{policy}: {error}");
    }
}
