//! Tables: the checks at registration, and the effect of faults.

use super::*;

#[test]
fn tables_are_checked_before_they_are_registered() {
    let refused = |table: &steer_picker_type, status: steer_status, words: &str| {
        // SAFETY: the table's hooks do what its type documents.
        assert_eq!(unsafe { steer_register_picker(table) }, status);
        assert!(last_error().contains(words), "{}", last_error());
    };
    let good = |world| picker_type("mine_checked", world);
    let freed = |world: &World| world.freed.load(Ordering::Relaxed);
    // SAFETY: the function takes NULL.
    assert_eq!(unsafe { steer_register_picker(ptr::null()) }, STEER_NULL_ARGUMENT);
    let world = new_world();
    let short = steer_picker_type { struct_size: 24, ..good(world) };
    refused(&short, STEER_BAD_STRUCT_SIZE, "struct_size is below that of ABI version 1");
    assert!(!freed(world), "the engine does not own a table that it cannot read");
    let world = new_world();
    let none = steer_picker_type { pick: None, picker_new: None, ..good(world) };
    refused(
        &none,
        STEER_MISSING_CALLBACK,
        "mine_checked: steer_picker_type has no picker_new, pick",
    );
    assert!(freed(world));
    for (name, words) in [
        ("Mine", "lower-case letters"),
        ("", "lower-case letters"),
        ("steer_mine", "names that begin with \"steer_\" are Steer's own"),
        ("steer_round_robin", "names that begin with \"steer_\" are Steer's own"),
        ("round_robin", "gRPC has a policy of its own of this name"),
        ("priority_experimental", "gRPC has a policy of its own of this name"),
    ] {
        let world = new_world();
        refused(&picker_type(name, world), STEER_BAD_NAME, words);
        assert!(freed(world));
    }
    let bytes = steer_str { data: b"\xff\xfe".as_ptr().cast(), length: 2 };
    let unreadable = steer_picker_type { name: bytes, ..good(new_world()) };
    refused(&unreadable, STEER_BAD_NAME, "is not UTF-8");
    registered("mine_checked");
    let again = new_world();
    refused(&good(again), STEER_BAD_NAME, "\"mine_checked\" already, registered by the program");
    assert!(freed(again));
}

#[test]
fn the_table_chooses_the_effect_of_a_fault() {
    let world = new_world();
    let fails = steer_on_fault::STEER_ON_FAULT_FAIL as i32;
    let table = steer_picker_type { on_fault: fails, ..picker_type("mine_fails_closed", world) };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_fails_closed", "fault");
    for _ in 0..if cfg!(miri) { 10 } else { 100 } {
        let (kind, code, words) = fixture.no_pick();
        assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_FAIL, 13));
        assert_eq!(words, "mine_fails_closed: pick failed: I am broken");
    }
    let mut why = ptr::null_mut();
    // SAFETY: the policy is not freed, and `why` can be written to.
    assert_eq!(unsafe { steer_policy_fallback(fixture.policy, &mut why) }, STEER_OK);
    assert!(why.is_null());

    let two = steer_picker_type {
        on_fault: fails,
        faults_per_minute: 2,
        ..picker_type("mine_fails_closed_after_two", new_world())
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&two) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_fails_closed_after_two", "fault");
    for _ in 0..3 {
        assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_FAIL);
    }
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    // SAFETY: the policy and its picker are not freed.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    fixture.ready(2);
    fixture.ready(3);
    assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_FAIL);
    // SAFETY: the policy is not freed, and `why` can be written to.
    assert_eq!(unsafe { steer_policy_fallback(fixture.policy, &mut why) }, STEER_OK);
    // SAFETY: it was made above and is freed once.
    assert_eq!(text(unsafe { steer_string_text(why) }), "pick failed: I am broken");
    // SAFETY: it was made above and is freed once.
    unsafe { steer_string_free(why) };

    let other = steer_picker_type { on_fault: 2, ..picker_type("mine_other", new_world()) };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&other) }, STEER_INVALID_ARGUMENT);
    assert!(last_error().contains("steer_picker_type.on_fault is 2"), "{}", last_error());

    // A table of version 3 ends before `on_fault`.
    let old = steer_picker_type {
        struct_size: std::mem::offset_of!(steer_picker_type, on_fault),
        on_fault: 77,
        ..picker_type("mine_of_version_3", new_world())
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&old) }, STEER_OK, "{}", last_error());
}
