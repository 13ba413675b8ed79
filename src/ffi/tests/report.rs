//! Reports of states and of load.

use super::*;

#[test]
fn bad_reports_change_nothing_and_give_the_connection_back() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    let id = fixture.seen().endpoints[0].0;
    let states = fixture.seen().states.len();
    let connection = ptr::without_provenance_mut(1);
    for (state, status) in [
        (-1, STEER_INVALID_ARGUMENT),
        (4, STEER_INVALID_ARGUMENT),
        (i32::MAX, STEER_INVALID_ARGUMENT),
    ] {
        assert_eq!(fixture.report(id, &report(state, connection)), status);
    }
    assert_eq!(fixture.seen().freed_connections, 3);
    assert_eq!(fixture.report(id, &report(2, ptr::null_mut())), STEER_INVALID_ARGUMENT);
    for stale in [0, id + 1_000_000, u64::MAX] {
        assert_eq!(fixture.report(stale, &report(2, connection)), STEER_UNKNOWN_ENDPOINT);
    }
    assert_eq!(fixture.seen().freed_connections, 6);
    let short = steer_endpoint_report { struct_size: 39, ..report(1, ptr::null_mut()) };
    assert_eq!(fixture.report(id, &short), STEER_BAD_STRUCT_SIZE);
    let no_words = steer_endpoint_report { message: NULL_STR, ..report(3, ptr::null_mut()) };
    assert_eq!(fixture.report(id, &no_words), STEER_INVALID_ARGUMENT);
    assert_eq!(fixture.seen().states.len(), states);
    // A connection that comes with another state is not kept.
    assert_eq!(fixture.report(id, &report(1, connection)), STEER_OK);
    assert_eq!(fixture.seen().freed_connections, 7);
}

#[test]
fn a_policy_asks_for_load_reports_and_gets_them() {
    register_test_policies();
    let fixture = Fixture::new("test_reports");
    fixture.update(&["a"]);
    assert_eq!(fixture.seen().load_periods, [3_000_000]);
    let cost = steer_metric {
        struct_size: size_of::<steer_metric>(),
        name: steer_str::borrow("rows"),
        value: 0.5,
    };
    let metrics = steer_metrics {
        struct_size: size_of::<steer_metrics>(),
        cpu_utilization: 1.5,
        mem_utilization: 0.0,
        application_utilization: 0.0,
        qps: 20.0,
        eps: 0.0,
        request_cost: ptr::null(),
        request_cost_count: 0,
        utilization: ptr::null(),
        utilization_count: 0,
        named: &cost,
        named_count: 1,
    };
    let endpoint = fixture.seen().endpoints[0].0;
    // SAFETY: all arguments are valid.
    let load = |endpoint, metrics| unsafe {
        steer_policy_endpoint_load(fixture.policy, endpoint, metrics)
    };
    assert_eq!(load(endpoint, &metrics), STEER_OK);
    let logged = fixture.seen().logs.pop().unwrap();
    for part in ["1 a ", "cpu_utilization: 1.5", "rps_fractional: 20.0", "{\"rows\": 0.5}"] {
        assert!(logged.contains(part), "{logged}");
    }
    assert_eq!(load(endpoint + 1, &metrics), STEER_UNKNOWN_ENDPOINT);
    assert_eq!(load(endpoint, ptr::null()), STEER_NULL_ARGUMENT);
    assert_eq!(load(endpoint, &steer_metrics { struct_size: 8, ..metrics }), STEER_BAD_STRUCT_SIZE);
    let broken = steer_metrics { named: ptr::null(), ..metrics };
    assert_eq!(load(endpoint, &broken), STEER_NULL_ARGUMENT);
    // SAFETY: the function takes NULL.
    let status = unsafe { steer_policy_endpoint_load(ptr::null_mut(), endpoint, &metrics) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
}

/// A host with this change of its table.
fn changed_host(change: fn(&mut steer_host)) -> crate::ffi::host::CHost {
    let mut table = table(ptr::null_mut());
    table.ctx_free = None;
    change(&mut table);
    crate::ffi::host::CHost::new(table).expect("all callbacks are there")
}

#[test]
fn a_host_may_lack_the_calls_per_second_of_load_reports() {
    let have_qps = |change| crate::policy::Host::load_reports_have_qps(&changed_host(change));
    assert!(have_qps(|_| {}));
    assert!(have_qps(|table| table.lacks = !STEER_HOST_LACKS_LOAD_QPS));
    assert!(!have_qps(|table| table.lacks = STEER_HOST_LACKS_LOAD_QPS));
    assert!(!have_qps(|table| table.load_reports = None));
}

#[test]
fn a_host_says_how_its_policies_word_failures() {
    let words = |change| {
        let words = crate::policy::Host::words(&changed_host(change));
        (words.note_in_brackets, words.endpoints)
    };
    assert_eq!(words(|_| {}), (false, false));
    assert_eq!(words(|table| table.words = STEER_HOST_WORDS_NOTE_IN_BRACKETS), (true, false));
    assert_eq!(words(|table| table.words = STEER_HOST_WORDS_ENDPOINTS), (false, true));
}
