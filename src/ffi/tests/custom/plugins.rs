//! Plugins: the checks before their entry, new releases, loading.

use super::*;

unsafe extern "C" fn entry_registers(api: *const steer_api) -> i32 {
    // SAFETY: the engine passes its table.
    let api = unsafe { &*api };
    let table = picker_type("mine_plugged", new_world());
    // SAFETY: the table's hooks do what its type documents.
    unsafe { api.register_picker.unwrap()(&table) }
}

unsafe extern "C" fn entry_below(api: *const steer_api) -> i32 {
    // SAFETY: the engine passes its table.
    let api = unsafe { &*api };
    let table = picker_type("mine_below", new_world());
    // SAFETY: the table's hooks do what its type documents.
    unsafe { api.register_picker.unwrap()(&table) }
}

unsafe extern "C" fn entry_fails(api: *const steer_api) -> i32 {
    // SAFETY: the engine passes its table.
    let api = unsafe { &*api };
    let table = picker_type("mine_half", new_world());
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { api.register_picker.unwrap()(&table) }, 0);
    // SAFETY: the text is static.
    unsafe { api.fault.unwrap()(steer_str::borrow("no licence")) };
    1
}

unsafe extern "C" fn entry_idles(_: *const steer_api) -> i32 {
    0
}

#[test]
fn plugins_are_checked_before_their_entry_runs() {
    let refused = |plugin: &steer_plugin, status: steer_status, words: &[&str]| {
        // SAFETY: the block is a plugin, valid during the test.
        assert_eq!(unsafe { steer_register_plugin(plugin) }, status);
        for words in words {
            assert!(last_error().contains(words), "{}", last_error());
        }
    };
    let good = plugin("tests", entry_registers);
    let facts = ["plugin \"tests\" 1 built by by hand: ABI", "engine 0.1.0: ABI"];
    refused(&steer_plugin { magic: 1, ..good }, STEER_BAD_PLUGIN, &["begins with 0x"]);
    refused(&steer_plugin { struct_size: 16, ..good }, STEER_BAD_PLUGIN, &["has 16 bytes"]);
    let later = steer_plugin { abi_version: STEER_ABI_VERSION + 1, ..good };
    refused(&later, STEER_BAD_PLUGIN, &["a later version of the ABI", facts[0], facts[1]]);
    let small = steer_plugin { pointer_size: 2, ..good };
    refused(&small, STEER_BAD_PLUGIN, &["pointers have another size", facts[0], facts[1]]);
    let large = steer_plugin { picker_type_size: 1 << 20, ..good };
    refused(&large, STEER_BAD_PLUGIN, &["tables are larger", facts[0], facts[1]]);
    let unreadable = steer_str { data: b"\xff".as_ptr().cast(), length: 1 };
    for name in [steer_str::empty(), unreadable] {
        refused(&steer_plugin { name, ..good }, STEER_BAD_PLUGIN, &["is empty or not UTF-8"]);
    }
    refused(&steer_plugin { entry: None, ..good }, STEER_MISSING_CALLBACK, &["entry of \"tests\""]);
    refused(&plugin("tests", entry_fails), STEER_PLUGIN_FAILED, &["\"tests\" failed: no licence"]);
    assert!(parse("mine_half", "{}").is_err(), "all or nothing");
    refused(&plugin("tests", entry_idles), STEER_PLUGIN_FAILED, &["has registered nothing"]);
    // SAFETY: the function takes NULL.
    assert_eq!(unsafe { steer_register_plugin(ptr::null()) }, STEER_NULL_ARGUMENT);
}

#[test]
fn a_new_config_uses_the_next_release_of_a_plugin() {
    let good = plugin("tests", entry_registers);
    // SAFETY: the block is a plugin, valid during the test.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_plugged", "last");
    let other = steer_plugin { name: steer_str::borrow("others"), ..good };
    // SAFETY: the block is a plugin, valid during the test.
    assert_eq!(unsafe { steer_register_plugin(&other) }, STEER_PLUGIN_FAILED);
    assert!(last_error().contains("of the plugin \"tests\""), "{}", last_error());
    // SAFETY: the block is a plugin, valid during the test.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let config = parse("mine_plugged", r#"{"do": "complete"}"#).unwrap();
    let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
    let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
    fixture.seen().matches = 1;
    fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: the config was made above, and the policy has copied it.
    unsafe { steer_config_free(config) };
    assert_eq!(fixture.pick(), 100, "with the connections that there are");
    assert_eq!(fixture.seen().endpoints.len(), 2);
}

/// The same text of a config leads to another child, once its plugin was loaded again.
#[test]
fn a_new_config_uses_the_next_release_of_a_plugin_below_a_parent() {
    let release = |version| steer_plugin {
        version: steer_str::borrow(version),
        ..plugin("below", entry_below)
    };
    let fixture = Fixture::new("steer_subset");
    for version in ["1", "2"] {
        let plugin = release(version);
        // SAFETY: the block is a plugin, valid during the test.
        assert_eq!(unsafe { steer_register_plugin(&plugin) }, STEER_OK, "{}", last_error());
        for _ in 0..2 {
            let text = r#"{"childPolicy": [{"mine_below": {"do": "last"}}]}"#;
            let config = parse("steer_subset", text).unwrap();
            let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
            let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
            let target = steer_str::borrow("a plugin below");
            fixture.seen().matches = 1;
            fixture.hand_in(&steer_update { config, target, ..update(&endpoints) });
            // SAFETY: the config was made above, and the policy has copied it.
            unsafe { steer_config_free(config) };
            if version == "1" {
                (0..2).for_each(|number| fixture.ready(number));
            }
            assert_eq!(fixture.pick(), 101);
        }
        let seen = crate::stats::snapshot();
        let channel = seen.iter().find(|channel| channel.target == "a plugin below").unwrap();
        let plugin = channel.children[0].plugin.as_ref().unwrap();
        assert_eq!((&*plugin.name, &*plugin.version), ("below", version));
    }
    assert_eq!(fixture.seen().endpoints.len(), 2, "the connections stay");
}

#[test]
fn a_fault_of_a_replaced_release_does_not_affect_the_next_one() {
    let good = plugin("tests", entry_registers);
    // SAFETY: the block is a plugin, valid during the test.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let fixture = doing("mine_plugged", "finish fault");
    // SAFETY: the policy and its picker are not freed.
    let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
    // SAFETY: the block is a plugin, valid during the test.
    assert_eq!(unsafe { steer_register_plugin(&good) }, STEER_OK, "{}", last_error());
    let config = parse("mine_plugged", r#"{"do": "last"}"#).unwrap();
    let addresses = [steer_str::borrow("a"), steer_str::borrow("b")];
    let endpoints = [endpoint(&addresses[0]), endpoint(&addresses[1])];
    fixture.seen().matches = 1;
    fixture.hand_in(&steer_update { config, ..update(&endpoints) });
    // SAFETY: the config was made above, and the policy has copied it.
    unsafe { steer_config_free(config) };
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code: 0,
        message: steer_str::empty(),
        metrics: steer_str::empty(),
        report: ptr::null(),
    };
    let tracker = picked.value.cast::<steer_call_tracker>();
    // SAFETY: only this thread uses the tracker.
    unsafe { steer_call_tracker_finish(tracker, &finish) };
    // SAFETY: the tracker is freed once.
    unsafe { steer_call_tracker_free(tracker) };
    assert!(fixture.seen().logs[0].contains("call_finished failed"), "it is logged anyway");
    assert_eq!(fixture.seen().runs_asked, 0);
    // SAFETY: the policy and its picker are not freed.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    assert_eq!([fixture.pick(), fixture.pick()], [101, 101], "round robin would alternate");
}

#[test]
fn files_that_are_not_libraries_are_refused() {
    if cfg!(miri) {
        return;
    }
    let load = |path: &str| {
        // SAFETY: there is no library that could run code.
        let status = unsafe { steer_load_plugin(steer_str::borrow(path)) };
        (status, last_error())
    };
    assert_eq!(load("").0, STEER_INVALID_ARGUMENT);
    let (status, words) = load("/nowhere/libmine.so");
    assert_eq!(status, STEER_BAD_PLUGIN);
    assert!(words.starts_with("/nowhere/libmine.so cannot be loaded: "), "{words}");
}
