//! Configs.

use super::*;

#[test]
fn configs_are_parsed_checked_and_tied_to_their_policy() {
    for json in ["", "null", "{}", r#"{"unknown": [1, {"x": null}]}"#] {
        let config = parse(ROUND_ROBIN, json).unwrap();
        let fixture = Fixture::new(ROUND_ROBIN);
        let address = steer_str::borrow("a");
        let endpoints = [endpoint(&address)];
        let with = steer_update { config, ..update(&endpoints) };
        assert_eq!(fixture.hand_in(&with).0, STEER_OK);
        // SAFETY: the config was made above, and the policy has copied it.
        unsafe { steer_config_free(config) };
        fixture.ready(0);
        assert_eq!(fixture.pick(), 100);
    }
    let error = parse(ROUND_ROBIN, "5").unwrap_err();
    let words = "errors validating steer_round_robin LB policy config: \
                 [field:steer_round_robin error:is not an object]";
    assert_eq!(error, (STEER_INVALID_CONFIG, words.to_owned()));
    let (status, words) = parse(ROUND_ROBIN, "{").unwrap_err();
    assert_eq!(status, STEER_INVALID_CONFIG);
    assert!(words.starts_with("the config of steer_round_robin is not JSON: "), "{words}");
    let (status, words) = parse("nobody", "{}").unwrap_err();
    assert_eq!(status, STEER_UNKNOWN_POLICY);
    assert!(words.contains("\"nobody\"") && words.contains(ROUND_ROBIN), "{words}");
    let depth = if cfg!(miri) { 200 } else { 100_000 };
    let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(ROUND_ROBIN, &deep).unwrap_err().0, STEER_INVALID_CONFIG);

    register_test_policies();
    let other = parse("test_timers", "{}").unwrap();
    let fixture = Fixture::new(ROUND_ROBIN);
    let with = steer_update { config: other, ..update(&[]) };
    assert_eq!(fixture.hand_in(&with).0, STEER_WRONG_CONFIG);
    // SAFETY: the config was made above and is freed once.
    unsafe { steer_config_free(other) };
    assert_eq!(fixture.seen().states, []);
    let (status, words) = parse("test_panics", "{}").unwrap_err();
    assert_eq!(status, STEER_INVALID_CONFIG);
    assert!(words.contains("panicked"), "{words}");
}

#[test]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "tables of calls that take NULL")]
fn config_parse_checks_nulls() {
    let name = steer_str::borrow(ROUND_ROBIN);
    let json = steer_str::empty();
    let none = ptr::null_mut();
    let mut config = ptr::null_mut();
    // SAFETY: each function takes NULL.
    let statuses = unsafe {
        [
            steer_config_parse(name, json, none, ptr::null_mut()),
            steer_config_parse(NULL_STR, json, &mut config, ptr::null_mut()),
            steer_config_parse(name, NULL_STR, &mut config, ptr::null_mut()),
            steer_config_parse(name, steer_str::borrow("5"), &mut config, ptr::null_mut()),
        ]
    };
    assert_eq!(
        statuses,
        [STEER_NULL_ARGUMENT, STEER_INVALID_ARGUMENT, STEER_INVALID_ARGUMENT, STEER_INVALID_CONFIG]
    );
    assert!(config.is_null());
}

#[test]
fn the_last_error_is_the_text_of_a_refused_config() {
    for (name, json) in [("nobody", "{}"), (ROUND_ROBIN, "{"), (ROUND_ROBIN, "5")] {
        let (_, words) = parse(name, json).unwrap_err();
        assert_eq!(text(steer_last_error()), words);
    }
    let (name, json) = (steer_str::borrow(ROUND_ROBIN), steer_str::empty());
    // SAFETY: the texts are readable, and the function takes NULL.
    unsafe { steer_config_parse(name, json, ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(text(steer_last_error()), "config: an argument that must not be NULL is NULL");
}

#[test]
fn each_function_that_fails_leaves_a_text_and_one_that_succeeds_does_not() {
    let mut name = ptr::null_mut();
    // SAFETY: the function takes NULL.
    let status = unsafe { steer_policy_exit_idle(ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
    // SAFETY: `name` can be written to.
    assert_eq!(unsafe { steer_policy_name(0, &mut name) }, STEER_OK);
    let words = "steer_policy_exit_idle: an argument that must not be NULL is NULL";
    assert_eq!(text(steer_last_error()), words);
    // SAFETY: `name` came from `steer_policy_name`.
    unsafe { steer_string_free(name) };
    // SAFETY: `name` can be written to.
    let status = unsafe { steer_policy_name(usize::MAX, &mut name) };
    assert_eq!(status, STEER_UNKNOWN_POLICY);
    assert!(text(steer_last_error()).starts_with("steer_policy_name: "));
    // SAFETY: the function takes NULL.
    assert_eq!(unsafe { steer_stats_json(ptr::null_mut()) }, STEER_NULL_ARGUMENT);
    assert!(text(steer_last_error()).starts_with("text: "));
}
