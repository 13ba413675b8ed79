//! Names that are taken over. One test, because they are the process's.

use super::*;
use crate::ffi::{steer_last_error, steer_stats_json, steer_take_over, steer_taken_name};

fn take_over(settings: &str) -> steer_status {
    // SAFETY: the text is readable.
    unsafe { steer_take_over(steer_str::borrow(settings)) }
}

/// Reads and frees a string.
fn taken(string: *mut steer_string) -> String {
    // SAFETY: the caller has just received it.
    let words = text(unsafe { steer_string_text(string) });
    // SAFETY: its text was copied.
    unsafe { steer_string_free(string) };
    words
}

fn name_at(index: usize) -> Result<(String, String), steer_status> {
    let (mut name, mut policy) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both can be written to.
    match unsafe { steer_taken_name(index, &mut name, &mut policy) } {
        STEER_OK => Ok((taken(name), taken(policy))),
        status => Err(status),
    }
}

fn stats() -> String {
    let mut json = ptr::null_mut();
    // SAFETY: `json` can be written to.
    assert_eq!(unsafe { steer_stats_json(&mut json) }, STEER_OK);
    taken(json)
}

#[test]
fn a_name_is_taken_over_and_its_configs_are_those_of_the_policy() {
    assert_eq!(name_at(0), Err(STEER_UNKNOWN_POLICY));
    let setting = r#"ring_hash=steer_ring_hash{"hashBalanceFactor":150}"#;
    assert_eq!(take_over(&format!("{setting},pick_first=steer_random")), STEER_CANNOT_TAKE_OVER);
    assert!(text(steer_last_error()).contains("pick_first"), "{}", text(steer_last_error()));
    assert_eq!(name_at(0), Err(STEER_UNKNOWN_POLICY));
    assert_eq!(parse("ring_hash", "{}").unwrap_err().0, STEER_UNKNOWN_POLICY);

    let why = text(steer_last_error());
    assert_eq!(take_over(setting), STEER_OK);
    assert_eq!(text(steer_last_error()), why, "success leaves the text of the last failure");
    assert_eq!(name_at(0), Ok(("ring_hash".into(), "steer_ring_hash".into())));
    assert_eq!(name_at(1), Err(STEER_UNKNOWN_POLICY));
    let (status, words) = parse("ring_hash", r#"{"minRingSize":0}"#).unwrap_err();
    assert_eq!(status, STEER_INVALID_CONFIG);
    assert!(words.contains("steer_ring_hash.minRingSize"), "{words}");

    let config = parse("ring_hash", r#"{"min_ring_size":8,"max_ring_size":8}"#).unwrap();
    // SAFETY: it was made above and is not freed.
    let json = unsafe { &*config }.json.clone();
    assert_eq!(&*json, r#"{"hashBalanceFactor":150,"maxRingSize":8,"minRingSize":8}"#);
    let fixture = Fixture::new("steer_ring_hash");
    let update = steer_update { config, ..update(&[]) };
    assert_eq!(fixture.hand_in(&update).0, STEER_OK);
    let seen = stats();
    assert!(
        seen.contains(r#""taken_over":[{"name":"ring_hash","policy":"steer_ring_hash"}]"#),
        "{seen}"
    );
    assert!(seen.contains(r#""policy":"steer_ring_hash","taken_name":"ring_hash""#), "{seen}");
    // SAFETY: it was made above and is freed once.
    unsafe { steer_config_free(config) };

    // SAFETY: the text has a length and no memory, which the function refuses.
    assert_eq!(unsafe { steer_take_over(NULL_STR) }, STEER_INVALID_ARGUMENT);
    // SAFETY: the function takes NULL.
    let status = unsafe { steer_taken_name(0, ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
}
