//! Hooks that call the engine while the engine calls them.

use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// How many tables were freed.
static FREED: AtomicUsize = AtomicUsize::new(0);

/// Uses the registry, and adds to it.
unsafe extern "C" fn ask_when_freed(_: *mut c_void) {
    let mut name = ptr::null_mut();
    // SAFETY: the name can be written to and is freed once, and the table's hooks do what its type
    // documents.
    unsafe {
        assert!(steer_policy_name(0, &mut name) == STEER_OK);
        steer_string_free(name);
        assert!(steer_register_picker(&bare_picker_type("reentry_freed")) == STEER_OK);
    }
    FREED.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn entry(api: *const steer_api) -> i32 {
    let ctx_free: Option<unsafe extern "C" fn(*mut c_void)> = match FREED.load(Ordering::Relaxed) {
        0 => Some(ask_when_freed),
        _ => None,
    };
    let kind = steer_picker_type { ctx_free, ..bare_picker_type("reentry_replaced") };
    // SAFETY: the engine passes its table, and the hooks of `kind` do what its type documents.
    unsafe { (*api).register_picker.unwrap()(&kind) }
}

#[test]
fn ctx_free_of_a_replaced_plugin_may_use_the_registry() {
    let load = || {
        let plugin = plugin("reentry", entry);
        // SAFETY: the block is a plugin, and the engine reads it during the call only.
        unsafe { steer_register_plugin(&plugin) }
    };
    assert_eq!(load(), STEER_OK);
    let (tell, told) = mpsc::channel();
    let next = std::thread::spawn(move || tell.send(load()).unwrap());
    let status =
        told.recv_timeout(Duration::from_secs(60)).expect("no answer within 60 s: a deadlock");
    assert_eq!(status, STEER_OK);
    next.join().unwrap();
    assert_eq!(FREED.load(Ordering::Relaxed), 1);
}

unsafe extern "C" fn inner_new(
    _: *mut c_void,
    json: *const steer_json,
    _: *mut steer_faults,
    _: *mut *mut c_void,
) -> i32 {
    // SAFETY: the arguments came from the engine for this hook.
    let made = unsafe { (*steer_api_get()).json_text.unwrap()(json) };
    assert_eq!(text(made), r#"{"some":"value"}"#);
    0
}

const OUTER: &str = r#"{"childPolicy":[{"reentry_inner":{"some":"value"}}]}"#;

/// Parses its child's config, as a wrapper does, then continues with its own.
unsafe extern "C" fn outer_new(
    _: *mut c_void,
    json: *const steer_json,
    _: *mut steer_faults,
    _: *mut *mut c_void,
) -> i32 {
    // SAFETY: `json` came from the engine for this hook, and the outputs can be written to.
    unsafe {
        let json_text = (*steer_api_get()).json_text.unwrap();
        let before = json_text(json);
        for _ in 0..2 {
            let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
            let (name, child) = ("reentry_inner", r#"{"some":"value"}"#);
            let (name, child) = (steer_str::borrow(name), steer_str::borrow(child));
            assert_eq!(steer_config_parse(name, child, &mut config, &mut error), STEER_OK);
            steer_config_free(config);
        }
        // Reuses the memory of freed texts.
        let others: Vec<_> = (0..64).map(|_| "#".repeat(OUTER.len())).collect();
        assert_eq!(text(before), OUTER);
        assert_eq!(text(json_text(json)), OUTER);
        drop(others);
    }
    0
}

#[test]
fn texts_of_a_config_stay_valid_while_another_config_is_parsed() {
    let kinds = [
        steer_picker_type { config_new: Some(inner_new), ..bare_picker_type("reentry_inner") },
        steer_picker_type { config_new: Some(outer_new), ..bare_picker_type("reentry_outer") },
    ];
    for kind in kinds {
        // SAFETY: the table's hooks do what its type documents.
        assert_eq!(unsafe { steer_register_picker(&kind) }, STEER_OK);
    }
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    let (name, json) = (steer_str::borrow("reentry_outer"), steer_str::borrow(OUTER));
    // SAFETY: the texts are readable, and the outputs can be written to.
    let status = unsafe { steer_config_parse(name, json, &mut config, &mut error) };
    assert_eq!(status, STEER_OK);
    // SAFETY: it was made above and is freed once.
    unsafe { steer_config_free(config) };
}
