//! Updates: lists, endpoints, and the resolver's texts.

use super::*;

#[test]
fn updates_make_endpoints_and_reports_make_pickers() {
    let fixture = Fixture::new(ROUND_ROBIN);
    assert_eq!(fixture.update(&["a", "b"]), (STEER_OK, 0, String::new()));
    assert_eq!(fixture.seen().states, [(1, 0, String::new())]);
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    let id = fixture.seen().endpoints[0].0;
    assert_eq!(fixture.report(id, &report(0, ptr::null_mut())), STEER_OK);
    assert_eq!(fixture.seen().connects, 1);
    fixture.ready(0);
    fixture.ready(1);
    let mut picked: Vec<usize> = (0..4).map(|_| fixture.pick()).collect();
    picked.sort();
    assert_eq!(picked, [100, 100, 101, 101]);
    assert_eq!(fixture.report(id, &report(3, ptr::null_mut())), STEER_OK);
    assert_eq!(fixture.seen().reresolutions, 1);
    // SAFETY: the policy is not freed.
    let status = unsafe { steer_policy_reset_backoff(fixture.policy) };
    assert_eq!(status, STEER_OK);
    assert_eq!(fixture.seen().resets, 2);
    // SAFETY: the policy is not freed.
    assert_eq!(unsafe { steer_policy_exit_idle(fixture.policy) }, STEER_OK);
    // SAFETY: the policy is not freed.
    assert_eq!(unsafe { steer_policy_timer(fixture.policy, 77) }, STEER_OK);
    // SAFETY: the policy is not freed.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    assert_eq!(fixture.seen().freed_connections, 1);
}

#[test]
fn the_resolver_gets_the_status_of_an_update_without_endpoints() {
    let fixture = Fixture::new(ROUND_ROBIN);
    assert_eq!(fixture.update(&[]), (STEER_OK, 14, "empty address list: why".to_owned()));
    let why = "empty address list: why".to_owned();
    assert_eq!(fixture.no_pick(), (steer_pick_kind::STEER_PICK_FAIL, 14, why));
    let error = steer_update { code: 5, message: steer_str::borrow("no name"), ..update(&[]) };
    assert_eq!(fixture.hand_in(&error), (STEER_OK, 5, "no name".to_owned()));
    // Outputs are optional.
    // SAFETY: the outputs may be NULL.
    let status =
        unsafe { steer_policy_update(fixture.policy, &error, ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(status, STEER_OK);
}

#[test]
fn failures_of_a_policy_use_the_codes_of_a_data_plane() {
    let fixture = Fixture::new(ROUND_ROBIN);
    let error = steer_update { code: 5, message: steer_str::borrow("no name"), ..update(&[]) };
    fixture.hand_in(&error);
    assert_eq!(fixture.seen().states.last().unwrap().1, 5);
    let (_, code, message) = fixture.no_pick();
    assert_eq!(code, Code::Internal as i32);
    assert!(message.ends_with("NOT_FOUND: no name"), "{message}");
}

#[test]
fn bad_updates_change_nothing() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    let states = fixture.seen().states.len();
    let address = steer_str::borrow("b");
    let good = endpoint(&address);
    let nameless = steer_attribute {
        struct_size: size_of::<steer_attribute>(),
        key: steer_str::borrow("k"),
        kind: 9,
        text: steer_str::empty(),
        integer: 0,
    };
    let attributed = |attribute: &steer_attribute| steer_endpoint {
        attributes: attribute,
        attribute_count: 1,
        ..good
    };
    let bad_key = steer_attribute { kind: 0, key: NULL_STR, ..nameless };
    let short_attribute = steer_attribute { struct_size: 8, kind: 0, ..nameless };
    let cases = [
        (STEER_BAD_STRUCT_SIZE, steer_endpoint { struct_size: 0, ..good }),
        (STEER_BAD_STRUCT_SIZE, steer_endpoint { struct_size: good.struct_size - 1, ..good }),
        (STEER_INVALID_ARGUMENT, steer_endpoint { address_count: 0, ..good }),
        (STEER_NULL_ARGUMENT, steer_endpoint { addresses: ptr::null(), ..good }),
        (STEER_INVALID_ARGUMENT, steer_endpoint { address_count: usize::MAX, ..good }),
        (STEER_INVALID_ARGUMENT, steer_endpoint { zone: NULL_STR, ..good }),
        (STEER_NULL_ARGUMENT, steer_endpoint { attribute_count: 1, ..good }),
        (STEER_INVALID_ARGUMENT, attributed(&nameless)),
        (STEER_INVALID_ARGUMENT, attributed(&bad_key)),
        (STEER_BAD_STRUCT_SIZE, attributed(&short_attribute)),
    ];
    for (status, bad) in cases {
        assert_eq!(fixture.hand_in(&update(&[bad])), (status, -1, String::new()));
        // Also as the second element of a list.
        let endpoints = [good, bad];
        let second = fixture.hand_in(&update(&endpoints)).0;
        assert_eq!(second, status);
    }
    let null_list = steer_update { endpoints: ptr::null(), endpoint_count: 1, ..update(&[]) };
    assert_eq!(fixture.hand_in(&null_list).0, STEER_NULL_ARGUMENT);
    let short = steer_update { struct_size: 8, ..update(&[]) };
    assert_eq!(fixture.hand_in(&short).0, STEER_BAD_STRUCT_SIZE);
    let no_note = steer_update { resolution_note: NULL_STR, ..update(&[good]) };
    assert_eq!(fixture.hand_in(&no_note).0, STEER_INVALID_ARGUMENT);
    let no_cluster = steer_update { cluster: NULL_STR, ..update(&[good]) };
    assert_eq!(fixture.hand_in(&no_cluster).0, STEER_INVALID_ARGUMENT);
    let no_message = steer_update { code: 14, message: NULL_STR, ..update(&[]) };
    assert_eq!(fixture.hand_in(&no_message).0, STEER_INVALID_ARGUMENT);
    assert_eq!(fixture.seen().states.len(), states);
    assert_eq!(fixture.seen().endpoints.len(), 1);
}

#[test]
fn a_list_may_name_endpoints_of_the_former_list() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.seen().matches = 1;
    let again = |former: &[u32], new: &[&str]| {
        let texts: Vec<steer_str> = new.iter().map(|text| steer_str::borrow(text)).collect();
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        let (former, former_count) = (former.as_ptr(), former.len());
        fixture.hand_in(&steer_update { former, former_count, ..update(&endpoints) }).0
    };
    let before = std::cell::Cell::new(0);
    let made = || {
        let made = fixture.seen().endpoints.iter().skip(before.get()).map(|(_, index)| *index);
        let made: Vec<u32> = made.collect();
        before.set(before.get() + made.len());
        made
    };
    assert_eq!(again(&[u32::MAX, u32::MAX, u32::MAX], &["a", "b", "c"]), STEER_OK);
    assert_eq!(made(), [0, 1, 2]);
    assert_eq!(again(&[0, 1, 2], &[]), STEER_OK);
    assert!(made().is_empty());
    assert_eq!(again(&[2, u32::MAX, 0], &["d"]), STEER_OK);
    assert_eq!(made(), [1]);

    // These are refused.
    let cases: [(&[u32], &[&str]); 5] = [
        (&[3], &[]),
        (&[0, u32::MAX - 1], &[]),
        (&[0, u32::MAX], &[]),
        (&[0], &["e"]),
        (&[u32::MAX], &["e", "f"]),
    ];
    for (former, new) in cases {
        assert_eq!(again(former, new), STEER_INVALID_ARGUMENT);
    }
    let null = steer_update { former_count: 3, ..update(&[]) };
    assert_eq!(fixture.hand_in(&null).0, STEER_NULL_ARGUMENT);
    let endless = steer_update { former: [0].as_ptr(), former_count: usize::MAX, ..update(&[]) };
    assert_eq!(fixture.hand_in(&endless).0, STEER_INVALID_ARGUMENT);
    let failed = steer_update { code: 14, ..update(&[]) };
    assert_eq!(fixture.hand_in(&failed).0, STEER_OK);

    // The latest list is still c, d, a. An endpoint that is listed twice becomes two endpoints.
    assert_eq!(again(&[2, 0, 2, 2], &[]), STEER_OK);
    assert_eq!(made(), [2, 3]);
    assert_eq!(again(&[], &[]), STEER_OK);
    assert_eq!(again(&[0], &[]), STEER_INVALID_ARGUMENT);
}

#[test]
fn endpoint_matches_is_called_for_endpoints_of_the_former_list() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a", "b"]);
    let former = [1, 0];
    let moved = steer_update { former: former.as_ptr(), former_count: 2, ..update(&[]) };
    fixture.seen().matches = 0;
    assert_eq!(fixture.hand_in(&moved).0, STEER_OK);
    let made: Vec<u32> = fixture.seen().endpoints.iter().map(|(_, index)| *index).collect();
    assert_eq!(made, [0, 1, 0, 1]);
}

#[test]
fn made_with_saves_calls_of_endpoint_matches() {
    let fixture = Fixture::new(ROUND_ROBIN);
    // If it were called, the engine would make each endpoint again.
    fixture.seen().matches = 0;
    let made = |made_with, former: &[u32]| {
        let (former, former_count) = (former.as_ptr(), former.len());
        let texts = ["a", "b"].map(steer_str::borrow);
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        let new = if former_count == 0 { &endpoints[..] } else { &[] };
        let before = fixture.seen().endpoints.len();
        let update = steer_update { former, former_count, made_with, ..update(new) };
        assert_eq!(fixture.hand_in(&update).0, STEER_OK);
        fixture.seen().endpoints.len() - before
    };
    assert_eq!(made(7, &[]), 2);
    assert_eq!(made(7, &[0, 1]), 0);
    assert_eq!(made(7, &[1, 0]), 0);
    assert_eq!(made(7, &[0, 0]), 1, "the second is a new one");
    assert_eq!(made(8, &[0]), 1, "other args");
    assert_eq!(made(8, &[0]), 0);
    assert_eq!(made(0, &[0]), 1, "no number");
    assert_eq!(made(0, &[0]), 1);
    assert_eq!(made(9, &[]), 2, "an endpoint that is described again may be another one");
}

#[test]
fn a_policy_gets_all_that_the_resolver_knows() {
    register_test_policies();
    let fixture = Fixture::new("test_descriptors");
    let addresses = [steer_str::borrow("ipv4:10.0.0.1:80"), steer_str::borrow("unix:x")];
    let not_utf8 = [0x66u8, 0xff];
    let broken = steer_str { data: not_utf8.as_ptr().cast(), length: 2 };
    let attributes = [
        steer_attribute {
            struct_size: size_of::<steer_attribute>(),
            key: steer_str::borrow("s"),
            kind: steer_attribute_kind::STEER_ATTRIBUTE_TEXT as i32,
            text: broken,
            integer: 0,
        },
        steer_attribute {
            struct_size: size_of::<steer_attribute>(),
            key: steer_str::borrow("i"),
            kind: steer_attribute_kind::STEER_ATTRIBUTE_INTEGER as i32,
            text: steer_str::empty(),
            integer: -5,
        },
    ];
    let described = steer_endpoint {
        addresses: addresses.as_ptr(),
        address_count: 2,
        weight: 8,
        region: steer_str::borrow("r"),
        zone: steer_str::borrow("z"),
        sub_zone: steer_str::borrow("sz"),
        hash_key: steer_str::borrow("h"),
        attributes: attributes.as_ptr(),
        attribute_count: 2,
        ..endpoint(&addresses[0])
    };
    fixture.hand_in(&update(&[described]));
    fixture.ready(0);
    let (_, _, words) = fixture.no_pick();
    for part in [
        "[\"ipv4:10.0.0.1:80\", \"unix:x\"]",
        "weight: 8",
        "region: \"r\"",
        "zone: \"z\"",
        "sub_zone: \"sz\"",
        "hash_key: \"h\"",
        "Text(\"f\u{fffd}\")",
        "Integer(-5)",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[test]
fn endpoints_that_the_host_refuses_are_left_out() {
    let fixture = Fixture::new(ROUND_ROBIN);
    for nonsense in [STEER_ENDPOINT_REFUSED as i32, -1, 12345] {
        fixture.seen().refusal = nonsense;
        let (status, code, _) = fixture.update(&["a"]);
        assert_eq!((status, code), (STEER_OK, 14));
    }
    assert_eq!(fixture.seen().logs.len(), 3);
    assert!(fixture.seen().logs[0].contains("status 10"), "{:?}", fixture.seen().logs);
    fixture.seen().refusal = 0;
    assert_eq!(fixture.update(&["a"]).1, 0);
}

#[test]
fn an_update_is_refused_within_endpoint_matches() {
    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    fixture.ready(0);
    fixture.seen().matches = 1;
    fixture.seen().update_within = Some((fixture.policy, STEER_OK));
    fixture.update(&["a", "b"]);
    assert_eq!(fixture.seen().update_within.take().unwrap().1, STEER_INVALID_ARGUMENT);
    assert_eq!(fixture.seen().endpoints.len(), 2);
    assert_eq!(fixture.seen().freed_endpoints, 0);
}

#[test]
fn further_connections_are_asked_for_by_their_numbers() {
    let config = parse(ROUND_ROBIN, r#"{"connectionsPerBackend": 3}"#).unwrap();
    let texts = ["a", "b"].map(steer_str::borrow);
    let endpoints = texts.each_ref().map(endpoint);
    let with_config = || steer_update { config, ..update(&endpoints) };
    let fixture = Fixture::new(ROUND_ROBIN);
    assert_eq!(fixture.hand_in(&with_config()).0, STEER_OK);
    let indices: Vec<u32> = fixture.seen().endpoints.iter().map(|(_, index)| *index).collect();
    assert_eq!(indices, [0, 1, 0, 1, 0, 1]);
    assert_eq!(fixture.seen().connections, [(0, 1), (1, 1), (0, 2), (1, 2)]);

    let without = Fixture::with_host(ROUND_ROBIN, |host| host.endpoint_new_connection = None);
    assert_eq!(without.hand_in(&with_config()).0, STEER_OK);
    assert_eq!(without.seen().endpoints.len(), 2);
    assert!(without.seen().logs.iter().any(|line| line.contains("connectionsPerBackend")));
    // SAFETY: both policies hold what they need of it.
    unsafe { steer_config_free(config) };
}
