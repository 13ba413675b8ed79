//! Pickers: what is made and freed, headers, and the data of backends.

use super::*;

#[test]
fn a_picker_chooses_and_everything_made_is_freed() {
    let world = registered("mine_chooses");
    {
        let fixture = doing("mine_chooses", "last");
        assert_eq!(fixture.pick(), 101);
        assert_eq!(world.count(|world| &world.instances), 1);
        assert_eq!(world.count(|world| &world.backends), 2, "one for each address");
    }
    for counter in [
        (|world| &world.configs) as fn(&World) -> &AtomicUsize,
        |world| &world.instances,
        |world| &world.pickers,
    ] {
        assert_eq!(world.count(counter), 0);
    }
    assert_eq!(world.count(|world| &world.data), 2, "freed backends");
    assert!(!world.freed.load(Ordering::Relaxed), "a registered type stays");
}

#[test]
fn round_robin_replaces_a_picker_that_cannot_be_made() {
    registered("mine_unmade");
    for (does, words) in [
        ("no picker", "picker_new failed: not today (1 fault so far)"),
        ("bad header", "steer_wants.headers[0] is \"X Mine\""),
        ("endless headers", "steer_wants.header_count is 18446744073709551615"),
        ("unknown bits", "steer_wants.bits is 0x100000"),
    ] {
        let fixture = doing("mine_unmade", does);
        fixture.ready(2);
        assert_eq!(fixture.pick(), 102);
        let logs = &fixture.seen().logs;
        assert!(logs[0].contains(words), "{logs:?}");
    }
}

unsafe extern "C" fn header_of(_: *mut c_void, name: steer_str, value: *mut steer_str) -> i32 {
    assert_eq!(text(name), "x-mine", "undeclared headers are not read");
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { value.write(steer_str::borrow("v")) };
    1
}

unsafe extern "C" fn header_added(_: *mut c_void, name: steer_str, value: steer_str) -> i32 {
    assert_eq!((text(name), text(value)), ("x-added".into(), "v".into()));
    1
}

#[test]
fn a_picker_reads_declared_headers_and_adds_others() {
    registered("mine_headers");
    let fixture = doing("mine_headers", "header");
    let picker = fixture.seen().picker.unwrap();
    // SAFETY: the policy and its picker are not freed.
    let wants = unsafe { steer_picker_wants(picker) };
    assert_eq!(wants, STEER_WANTS_PATH | STEER_WANTS_HEADERS);
    let call = steer_call {
        header: Some(header_of),
        add_header: Some(header_added),
        ..call_with(size_of::<steer_call>(), steer_str::borrow("/s/m"))
    };
    assert_eq!(fixture.pick_with(&call).3, "true true v /s/m");
    // A host of version 1 of the ABI.
    let path_alone = call_with(24, steer_str::borrow("/s/m"));
    assert_eq!(fixture.pick_with(&path_alone).3, "false false  /s/m");
}

#[test]
fn the_data_of_a_backend_lasts_as_long_as_its_address_is_listed() {
    let world = registered("mine_remembers");
    let fixture = doing("mine_remembers", "complete");
    let config = parse("mine_remembers", "{}").unwrap();
    let addresses = [steer_str::borrow("b"), steer_str::borrow("c")];
    let attribute = steer_attribute {
        struct_size: size_of::<steer_attribute>(),
        key: steer_str::borrow("rack"),
        kind: steer_attribute_kind::STEER_ATTRIBUTE_INTEGER as i32,
        text: steer_str::empty(),
        integer: 42,
    };
    let described =
        steer_endpoint { attributes: &attribute, attribute_count: 1, ..endpoint(&addresses[0]) };
    let endpoints = [described, endpoint(&addresses[1])];
    fixture.seen().matches = 0;
    fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: the config was made above, and the policy has copied it.
    unsafe { steer_config_free(config) };
    fixture.ready(2);
    fixture.ready(3);
    assert_eq!(world.count(|world| &world.attribute), 42);
    assert_eq!(world.count(|world| &world.backends), 3, "b stays, c is new");
    assert_eq!(world.count(|world| &world.data), 1, "a has left");
}
