//! `steer_engine`: what is followed, and what is not. That it is done is shown with real gRPC, by
//! several copies in one process (`tests/grpc/copies`).

use super::*;
use crate::ffi::{steer_engine, steer_engine_follow, steer_engine_lead, steer_last_error};

fn own() -> *const steer_engine {
    // SAFETY: nobody is asked.
    unsafe { steer_engine_lead(None) }
}

fn why() -> String {
    text(steer_last_error())
}

#[test]
fn an_engine_that_leads_follows_itself_only() {
    let own = own();
    assert!(!own.is_null());
    // SAFETY: an engine's table.
    assert_eq!(unsafe { steer_engine_follow(own) }, STEER_OK);
    // SAFETY: a static table.
    let other = unsafe { *own };
    // SAFETY: a table that is alive during the call, and is refused.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_CANNOT_FOLLOW);
    assert!(why().contains("serves another gRPC"), "{}", why());
}

#[test]
fn an_older_engine_is_not_followed() {
    // SAFETY: a static table.
    let mut other = unsafe { *own() };
    other.abi_version = STEER_ABI_VERSION - 1;
    // SAFETY: as above.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_CANNOT_FOLLOW);
    assert!(why().contains("register the newer copy first"), "{}", why());
}

#[test]
fn an_engine_without_all_functions_is_not_followed() {
    // SAFETY: a static table.
    let mut other = unsafe { *own() };
    other.string_free = None;
    // SAFETY: as above.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_CANNOT_FOLLOW);
    other.struct_size = 8;
    // SAFETY: as above.
    assert_eq!(unsafe { steer_engine_follow(&other) }, STEER_BAD_STRUCT_SIZE);
    // SAFETY: NULL is refused.
    assert_eq!(unsafe { steer_engine_follow(std::ptr::null()) }, STEER_NULL_ARGUMENT);
}

#[test]
fn a_table_says_where_it_is_and_its_texts_are_the_callers_to_free() {
    // SAFETY: a static table.
    let own = unsafe { &*own() };
    // Miri knows no files.
    assert!(cfg!(miri) || text(own.place).starts_with('/'), "{}", text(own.place));
    assert_eq!(own.abi_version, STEER_ABI_VERSION);
    let mut json = std::ptr::null_mut();
    // SAFETY: the text can be written to.
    assert_eq!(unsafe { own.stats_json.unwrap()(&mut json) }, 0);
    // SAFETY: the string is alive.
    assert!(text(unsafe { own.string_text.unwrap()(json) }).starts_with('{'));
    // SAFETY: nobody uses it any more.
    unsafe { own.string_free.unwrap()(json) };
}
