//! Tests the picker in a channel in memory. `test.py` tests it with gRPC.

use steer_sdk::Code;
use steer_sdk::testkit::{Conformance, Picked, TestCall, TestChannel};

use super::*;

const CONFIG: &str = r#"{"idHeader": "request-id"}"#;

fn channel(config: &str, backends: &str) -> TestChannel {
    let channel = TestChannel::new(plugin(), "not_last_attempt", config).unwrap();
    channel.resolve(backends.chars());
    channel.all_ready();
    channel
}

fn attempt(id: &str, previous: u32) -> TestCall {
    let call = TestCall::new().header("request-id", id);
    if previous == 0 { call } else { call.header(PREVIOUS_ATTEMPTS, previous.to_string()) }
}

fn backend(picked: &Picked) -> String {
    picked.backend().expect("there are backends").to_owned()
}

/// Makes an attempt that fails, and returns its backend.
fn fails(channel: &TestChannel, id: &str, previous: u32) -> String {
    let picked = channel.pick(&attempt(id, previous));
    let backend = backend(&picked);
    picked.finish(Code::Unavailable);
    backend
}

#[test]
fn retries_use_every_backend_before_one_is_repeated() {
    let channel = channel(CONFIG, "abcd");
    for id in 0..100 {
        let mut been: Vec<_> = (0..4).map(|n| fails(&channel, &id.to_string(), n)).collect();
        // All backends have been used, so only the last one is avoided.
        let again = fails(&channel, &id.to_string(), 4);
        assert_ne!(been[3], again);
        been.sort();
        assert_eq!(been, ["a", "b", "c", "d"]);
    }
    assert_eq!(channel.faults(), 0);
}

#[test]
fn hedges_avoid_the_backends_of_attempts_in_flight() {
    let channel = channel(CONFIG, "abc");
    let first = channel.pick(&attempt("x", 0));
    let second = channel.pick(&attempt("x", 1));
    let third = channel.pick(&attempt("x", 2));
    let mut been = [backend(&first), backend(&second), backend(&third)];
    been.sort();
    assert_eq!(been, ["a", "b", "c"]);
}

#[test]
fn an_attempt_that_never_started_does_not_count() {
    let channel = channel(CONFIG, "ab");
    for id in 0..50 {
        let id = id.to_string();
        let tried = fails(&channel, &id, 0);
        let given_up = channel.pick(&attempt(&id, 1));
        let other = backend(&given_up);
        assert_ne!(tried, other);
        drop(given_up);
        assert_eq!(fails(&channel, &id, 1), other);
    }
}

#[test]
fn new_pickers_and_lost_backends_do_not_reset_the_memory() {
    let channel = channel(CONFIG, "ab");
    let first = fails(&channel, "x", 0);
    channel.resolve(["c", "a", "b"]);
    channel.configure(CONFIG).unwrap();
    channel.all_ready();
    let second = fails(&channel, "x", 1);
    let third = fails(&channel, "x", 2);
    let mut been = [first, second, third];
    been.sort();
    assert_eq!(been, ["a", "b", "c"]);
    // With one backend left, it is used again.
    channel.resolve(["c"]);
    assert_eq!(fails(&channel, "x", 3), "c");
}

#[test]
fn a_repeated_id_is_another_call() {
    let channel = channel(CONFIG, "ab");
    let mut been = [0, 0];
    for _ in 0..100 {
        been[usize::from(fails(&channel, "x", 0) == "a")] += 1;
    }
    assert!(been.iter().all(|count| *count > 20), "{been:?}");
}

/// Returns how many retries of these calls repeat the backend of the first attempt. With two
/// backends, it is none for calls that are remembered, and about half of those that are not.
fn forgotten(channel: &TestChannel, first_code: Code, ids: std::ops::Range<u32>) -> usize {
    let first = |id: &String| {
        let picked = channel.pick(&attempt(id, 0));
        let backend = backend(&picked);
        picked.finish(first_code);
        backend
    };
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    let firsts: Vec<_> = ids.iter().map(first).collect();
    let same = |(id, first): &(&String, String)| fails(channel, id, 1) == *first;
    ids.iter().zip(firsts).filter(same).count()
}

#[test]
fn memory_is_bounded() {
    let channel = channel(r#"{"idHeader": "request-id", "rememberedCalls": 10}"#, "ab");
    assert_eq!(forgotten(&channel, Code::Unavailable, 0..10), 0);
    assert!(forgotten(&channel, Code::Unavailable, 0..1000) > 300);
}

#[test]
fn a_call_that_ended_with_ok_is_forgotten() {
    assert!(forgotten(&channel(CONFIG, "ab"), Code::Ok, 0..1000) > 300);
    assert_eq!(forgotten(&channel(CONFIG, "ab"), Code::Unavailable, 0..1000), 0);
}

#[test]
fn calls_without_an_id_go_to_any_backend_and_are_not_tracked() {
    let channel = channel(CONFIG, "ab");
    assert!(matches!(channel.pick(&TestCall::new()), Picked::Complete { .. }));
    let distribution = channel.picks(1000, &TestCall::new());
    assert!(distribution.chi_square(&[("a", 1.0), ("b", 1.0)]) > 0.001, "{distribution:?}");
}

#[test]
fn errors_of_the_config_name_the_field() {
    let refused = |config| TestChannel::new(plugin(), "not_last_attempt", config).unwrap_err();
    for (config, fault) in [
        ("{}", "field:not_last_attempt error:missing field `idHeader`"),
        (r#"{"idHeader": ""}"#, "field:not_last_attempt.idHeader error:is empty"),
        (
            r#"{"idHeader": "x", "rememberedCalls": 0}"#,
            "field:not_last_attempt.rememberedCalls error:expected a whole number that is 1 or \
             more, found 0",
        ),
    ] {
        let error = refused(config);
        assert!(error.contains(fault), "{error}");
    }
}

#[test]
fn it_conforms() {
    Conformance::new(plugin(), "not_last_attempt", CONFIG)
        .calls(|number| attempt(&(number / 3).to_string(), (number % 3) as u32))
        .check()
        .unwrap();
}
