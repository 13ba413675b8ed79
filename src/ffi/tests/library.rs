//! Versions, names, texts and NULLs.

use super::*;

#[test]
fn the_library_has_versions_and_status_texts() {
    assert_eq!(steer_abi_version(), STEER_ABI_VERSION);
    assert_eq!(text(steer_version()), env!("CARGO_PKG_VERSION"));
    for status in 0..=17 {
        assert!(!text(steer_status_text(status)).is_empty());
    }
    for status in [-1, 18, i32::MAX, i32::MIN] {
        assert_eq!(text(steer_status_text(status)), "a status of a later version");
    }
}

#[test]
#[cfg_attr(miri, ignore = "it lists the policies of all other tests, which takes Miri long")]
fn policies_are_listed_by_name() {
    let mut names = Vec::new();
    loop {
        let mut name = ptr::null_mut();
        // SAFETY: `name` can be written to.
        match unsafe { steer_policy_name(names.len(), &mut name) } {
            STEER_OK => {
                // SAFETY: it was made above and is freed once.
                names.push(text(unsafe { steer_string_text(name) }));
                // SAFETY: the string was made above, and its text was copied.
                unsafe { steer_string_free(name) };
            }
            status => {
                assert_eq!((status, name), (STEER_UNKNOWN_POLICY, ptr::null_mut()));
                break;
            }
        }
    }
    assert!(names.contains(&ROUND_ROBIN.to_owned()));
    // SAFETY: the function takes NULL.
    let status = unsafe { steer_policy_name(0, ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
}

#[test]
fn freeing_null_does_nothing() {
    // SAFETY: each function takes NULL.
    unsafe { steer_string_free(ptr::null_mut()) };
    // SAFETY: the function takes NULL.
    unsafe { steer_config_free(ptr::null_mut()) };
    // SAFETY: the function takes NULL.
    unsafe { steer_policy_free(ptr::null_mut()) };
    // SAFETY: the function takes NULL.
    unsafe { steer_picker_free(ptr::null_mut()) };
    // SAFETY: the function takes NULL.
    assert_eq!(text(unsafe { steer_string_text(ptr::null()) }), "");
    // SAFETY: the function takes NULL.
    assert_eq!(unsafe { steer_picker_wants(ptr::null()) }, 0);
}

#[test]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "tables of calls that take NULL")]
fn null_policies_and_arguments_are_refused() {
    let none = ptr::null_mut();
    let some_update = update(&[]);
    let some_report = report(0, ptr::null_mut());
    // SAFETY: each function takes NULL.
    let statuses = unsafe {
        [
            steer_policy_update(none, &some_update, ptr::null_mut(), ptr::null_mut()),
            steer_policy_endpoint_report(none, 1, &some_report),
            steer_policy_exit_idle(none),
            steer_policy_reset_backoff(none),
            steer_policy_timer(none, 1),
            steer_policy_run(none),
            steer_policy_faults(none, &mut 0),
        ]
    };
    assert_eq!(statuses, [STEER_NULL_ARGUMENT; 7]);
    let fixture = Fixture::new(ROUND_ROBIN);
    // SAFETY: each function takes NULL, and the policy is not freed.
    let statuses = unsafe {
        [
            steer_policy_update(fixture.policy, ptr::null(), ptr::null_mut(), ptr::null_mut()),
            steer_policy_endpoint_report(fixture.policy, 1, ptr::null()),
            steer_policy_faults(fixture.policy, ptr::null_mut()),
        ]
    };
    assert_eq!(statuses, [STEER_NULL_ARGUMENT; 3]);
}
