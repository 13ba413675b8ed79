//! `steer_engine`: which engines are followed. `tests/grpc/copies` tests the rest with real gRPC
//! and several copies in one process.

use super::*;
use crate::ffi::{steer_engine, steer_engine_follow, steer_engine_lead, steer_last_error};

fn own() -> *const steer_engine {
    // SAFETY: `knows` may be NULL.
    unsafe { steer_engine_lead(None) }
}

fn why() -> String {
    text(steer_last_error())
}

#[test]
fn an_engine_that_leads_follows_only_itself() {
    let own = own();
    assert!(!own.is_null());
    // SAFETY: it is an engine's table.
    assert_eq!(unsafe { steer_engine_follow(own) }, STEER_OK);
    // SAFETY: the table is static.
    let other = unsafe { *own };
    // SAFETY: the table is valid during the call, and the engine refuses it.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_CANNOT_FOLLOW);
    assert!(why().contains("serves another gRPC"), "{}", why());
}

#[test]
fn an_older_engine_is_not_followed() {
    // SAFETY: the table is static.
    let mut other = unsafe { *own() };
    other.abi_version = STEER_ABI_VERSION - 1;
    // SAFETY: the table is valid during the call, and the engine refuses it.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_CANNOT_FOLLOW);
    assert!(why().contains("register the newer copy first"), "{}", why());
}

#[test]
fn an_engine_without_all_functions_is_not_followed() {
    // SAFETY: the table is static.
    let mut other = unsafe { *own() };
    other.string_free = None;
    // SAFETY: the table is valid during the call, and the engine refuses it.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_CANNOT_FOLLOW);
    other.struct_size = 8;
    // SAFETY: the table is valid during the call, and the engine refuses it.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_BAD_STRUCT_SIZE);
    // SAFETY: the function takes NULL.
    assert_eq!(unsafe { steer_engine_follow(std::ptr::null()) }, STEER_NULL_ARGUMENT);
}

#[test]
fn an_engines_table_has_its_file_and_makes_texts_for_the_caller() {
    // SAFETY: the table is static.
    let own = unsafe { &*own() };
    // Miri knows no files.
    assert!(cfg!(miri) || text(own.place).starts_with('/'), "{}", text(own.place));
    assert_eq!(own.abi_version, STEER_ABI_VERSION);
    let mut json = std::ptr::null_mut();
    // SAFETY: `json` can be written to.
    assert_eq!(unsafe { own.stats_json.unwrap()(&mut json) }, 0);
    // SAFETY: the string is not freed.
    assert!(text(unsafe { own.string_text.unwrap()(json) }).starts_with('{'));
    // SAFETY: the string is freed once.
    unsafe { own.string_free.unwrap()(json) };
}
