//! Picks.

use super::*;

#[test]
fn picks_check_their_arguments() {
    register_test_policies();
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let picker = fixture.seen().picker.unwrap();
    let pick = |picker, call| {
        // SAFETY: each argument is NULL or valid.
        let picked = unsafe { steer_picker_pick(picker, call) };
        (picked.kind, picked.value.is_null())
    };
    let refused = |status: steer_status| (-(status as i64), true);
    assert_eq!(pick(ptr::null(), ptr::null()), refused(STEER_NULL_ARGUMENT));
    assert_eq!(pick(picker, ptr::null()), (steer_pick_kind::STEER_PICK_DROP as i64, false));
    let path = steer_str::borrow("/s/m");
    let short = call_with(8, path);
    assert_eq!(pick(picker, &short), refused(STEER_BAD_STRUCT_SIZE));
    let lost = call_with(size_of::<steer_call>(), NULL_STR);
    assert_eq!(pick(picker, &lost), refused(STEER_INVALID_ARGUMENT));
}

#[test]
fn a_picker_that_wants_the_path_gets_it() {
    register_test_policies();
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let picker = fixture.seen().picker.unwrap();
    // SAFETY: the policy and its picker are not freed.
    assert_eq!(unsafe { steer_picker_wants(picker) }, STEER_WANTS_PATH);
    let path = steer_str::borrow("/s/m");
    let call = call_with(size_of::<steer_call>(), path);
    let (kind, _, _, message) = fixture.pick_with(&call);
    assert_eq!(kind, steer_pick_kind::STEER_PICK_DROP as i64);
    assert_eq!((message.as_str(), fixture.no_pick().2.as_str()), ("path /s/m", "path "));
}

#[test]
fn a_picker_that_wants_the_request_hash_gets_it() {
    register_test_policies();
    let fixture = Fixture::new("test_reports");
    fixture.update(&["a"]);
    fixture.ready(0);
    // SAFETY: the policy and its picker are not freed.
    let wants = unsafe { steer_picker_wants(fixture.seen().picker.unwrap()) };
    assert_eq!(wants, STEER_WANTS_REQUEST_HASH);
    let mut call = call_with(size_of::<steer_call>(), steer_str::empty());
    assert_eq!(fixture.pick_with(&call).3, "hash Some(7)");
    call.has_request_hash = 0;
    assert_eq!(fixture.pick_with(&call).3, "hash None");
    // A host of version 2 has no such fields.
    let call = call_with(std::mem::offset_of!(steer_call, request_hash), steer_str::empty());
    assert_eq!(fixture.pick_with(&call).3, "hash None");
}
