//! Hooks that ask the engine, from within what the engine is doing.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "what a hook does is one conversation with the engine"
)]

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use steer_abi::*;

use super::*;

type ConfigNew = unsafe extern "C" fn(
    *mut c_void,
    *const steer_json,
    *mut steer_faults,
    *mut *mut c_void,
) -> i32;

unsafe extern "C" fn picker_new(
    _: *mut c_void,
    _: *const c_void,
    _: *const steer_backends,
    _: *mut steer_wants,
    _: *mut *mut c_void,
) -> i32 {
    0
}

unsafe extern "C" fn pick(_: *const c_void, _: *const steer_call) -> steer_choice {
    steer_choice { kind: steer_choice_kind::STEER_CHOICE_QUEUE as i64, value: 0 }
}

fn kind(name: &'static str, config_new: Option<ConfigNew>) -> steer_picker_type {
    steer_picker_type {
        struct_size: size_of::<steer_picker_type>(),
        name: steer_str::borrow(name),
        ctx: ptr::null_mut(),
        ctx_free: None,
        config_new,
        config_free: None,
        instance_new: None,
        instance_free: None,
        backend_new: None,
        backend_free: None,
        picker_new: Some(picker_new),
        picker_free: None,
        pick: Some(pick),
        call_started: None,
        call_finished: None,
        timer: None,
        on_fault: 0,
        faults_per_minute: 0,
    }
}

/// How many tables were freed.
static FREED: AtomicUsize = AtomicUsize::new(0);

/// Asks the registry, and adds to it.
unsafe extern "C" fn ask_when_freed(_: *mut c_void) {
    let mut name = ptr::null_mut();
    // SAFETY: a place for the text, which is freed once; and a table that keeps its rules.
    unsafe {
        assert!(steer_policy_name(0, &mut name) == STEER_OK);
        steer_string_free(name);
        assert!(steer_register_picker(&kind("reentry_freed", None)) == STEER_OK);
    }
    FREED.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn entry(api: *const steer_api) -> i32 {
    let ctx_free: Option<unsafe extern "C" fn(*mut c_void)> = match FREED.load(Ordering::Relaxed) {
        0 => Some(ask_when_freed),
        _ => None,
    };
    let kind = steer_picker_type { ctx_free, ..kind("reentry_replaced", None) };
    // SAFETY: the engine's table, and one that keeps its rules.
    unsafe { (*api).register_picker.unwrap()(&kind) }
}

#[test]
fn the_end_of_a_replaced_plugin_may_ask_the_registry() {
    let load = || {
        let plugin = steer_plugin {
            magic: STEER_PLUGIN_MAGIC,
            struct_size: size_of::<steer_plugin>(),
            abi_version: STEER_ABI_VERSION,
            pointer_size: size_of::<usize>() as u32,
            api_size: size_of::<steer_api>(),
            picker_type_size: size_of::<steer_picker_type>(),
            policy_type_size: size_of::<steer_policy_type>(),
            name: steer_str::borrow("reentry"),
            version: steer_str::borrow("1"),
            build: steer_str::borrow("by hand"),
            entry: Some(entry),
        };
        // SAFETY: a block of this function's, which the engine reads during the call.
        unsafe { steer_register_plugin(&plugin) }
    };
    assert_eq!(load(), STEER_OK);
    let (tell, told) = mpsc::channel();
    let next = std::thread::spawn(move || tell.send(load()).unwrap());
    let status = told.recv_timeout(Duration::from_secs(60)).expect("no answer: a deadlock");
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
    // SAFETY: the engine's function, with what it gave.
    let made = unsafe { (*steer_api_get()).json_text.unwrap()(json) };
    assert_eq!(text(made), r#"{"some":"value"}"#);
    0
}

const OUTER: &str = r#"{"childPolicy":[{"reentry_inner":{"some":"value"}}]}"#;

/// Checks its child's config, as a wrapper does, and goes on with its own.
unsafe extern "C" fn outer_new(
    _: *mut c_void,
    json: *const steer_json,
    _: *mut steer_faults,
    _: *mut *mut c_void,
) -> i32 {
    // SAFETY: the engine's functions, with what it gave, and places for what they write.
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
        // Takes the memory of texts that were freed.
        let others: Vec<_> = (0..64).map(|_| "#".repeat(OUTER.len())).collect();
        assert_eq!(text(before), OUTER);
        assert_eq!(text(json_text(json)), OUTER);
        drop(others);
    }
    0
}

#[test]
fn a_configs_texts_stay_while_another_config_is_parsed() {
    let kinds = [kind("reentry_inner", Some(inner_new)), kind("reentry_outer", Some(outer_new))];
    for kind in kinds {
        // SAFETY: a table that keeps its rules.
        assert_eq!(unsafe { steer_register_picker(&kind) }, STEER_OK);
    }
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    let (name, json) = (steer_str::borrow("reentry_outer"), steer_str::borrow(OUTER));
    // SAFETY: texts, and places for what is written.
    let status = unsafe { steer_config_parse(name, json, &mut config, &mut error) };
    assert_eq!(status, STEER_OK);
    // SAFETY: just made.
    unsafe { steer_config_free(config) };
}
