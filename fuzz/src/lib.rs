//! Fuzz targets for all input from outside: configs, updates, reports, timers and picks in any
//! order, load reports, headers. Each target takes arbitrary bytes, and panics if the engine breaks
//! a promise of the ABI. `script/fuzz` runs them with libFuzzer. `tests/corpus.rs` runs the inputs
//! of the corpus.
//!
//! Must not depend on: which backend a policy chooses.

mod bytes;
#[path = "../../tests/support/callbacks.rs"]
mod callbacks;
mod host;
mod sequence;

use std::ptr;

use steer::calls::Metrics;
use steer::ffi::*;

pub use bytes::text;
pub use host::{Channel, HeldPicker, Picked};
pub use sequence::policy;

/// Every policy of the engine.
pub const POLICIES: [&str; 12] = [
    "steer_round_robin",
    "steer_random",
    "steer_weighted_round_robin",
    "steer_least_request",
    "steer_peak_ewma",
    "steer_prequal",
    "steer_ring_hash",
    "steer_maglev",
    "steer_subset",
    "steer_priority",
    "steer_locality",
    "steer_slow_start",
];

/// Those that have children.
const PARENTS: &[&str] = POLICIES.split_at(8).1;

/// Any bytes as a config of any policy. The engine accepts it, or says why not.
pub fn config(data: &[u8]) {
    let Some((policy, json)) = data.split_first() else { return };
    let policy = POLICIES[usize::from(*policy) % POLICIES.len()];
    if let Some(config) = parse(policy, json) {
        // SAFETY: `parse` has just made it, and this is its last use.
        unsafe { steer_config_free(config) };
    }
}

/// Parses a config. `None` if it was rejected.
pub fn parse(policy: &str, json: &[u8]) -> Option<*mut steer_config> {
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: all arguments live during the call.
    let status =
        unsafe { steer_config_parse(text(policy.as_bytes()), text(json), &mut config, &mut error) };
    let words = bytes::take(error);
    assert_eq!(config.is_null(), status != STEER_OK, "{status:?}");
    match status {
        STEER_OK => assert!(error.is_null()),
        STEER_INVALID_CONFIG => {
            assert!(words.contains(policy), "{words:?} does not name the policy");
        }
        // The config is not UTF-8.
        STEER_INVALID_ARGUMENT => assert!(std::str::from_utf8(json).is_err()),
        other => panic!("{other:?}: {words}"),
    }
    (status == STEER_OK).then_some(config)
}

/// Any bytes as a load report, which is decoded and then passed to the policies that use it.
pub fn metrics(data: &[u8]) {
    // Load reports are protobuf messages.
    let Some(read) = Metrics::read(data) else { return };
    assert!(!data.is_empty());
    let _ = read.qps();
    for policy in ["steer_weighted_round_robin", "steer_prequal"] {
        let config =
            r#"{"blackoutPeriod":"0s","metricNamesForComputingUtilization":["named_metrics.a"]}"#;
        let channel = Channel::new(policy);
        channel.update(&[1, 2, 3], config.as_bytes());
        channel.make_ready();
        let picker = channel.picker().expect("all are READY");
        for _ in 0..4 {
            let picked = picker.pick(b"", 0);
            picked.start();
            picked.finish(0, data);
        }
        channel.load_reports(&read);
        channel.pass(std::time::Duration::from_secs(2));
        channel.run_timers();
        let picked = channel.picker().expect("as before").pick(b"", 0);
        assert!(!matches!(picked, Picked::Other), "a load report makes calls fail or wait");
        drop(picker);
        channel.check();
    }
}

/// Any bytes as the hashed header of calls, and as the hash key of an endpoint. Calls with equal
/// headers go to the same backend.
pub fn hash(data: &[u8]) {
    let Some((split, data)) = data.split_first() else { return };
    let (key, header) = data.split_at(usize::from(*split).min(data.len()));
    for (policy, more) in
        [("steer_ring_hash", r#""minRingSize":8"#), ("steer_maglev", r#""tableSize":11"#)]
    {
        let channel = Channel::new(policy);
        channel.set_hash_key(key);
        let config = format!(r#"{{"requestHashHeader":"user",{more}}}"#);
        channel.update(&[1, 2, 3], config.as_bytes());
        for _ in 0..3 {
            // Ring hash connects for picks.
            if let Some(picker) = channel.picker() {
                drop(picker.pick(header, 0));
            }
            channel.run_later();
            channel.make_ready();
        }
        if channel.has_list() {
            let picker = channel.picker().expect("an update came");
            let connection = |picked: Picked| match picked {
                Picked::Sent(connection) => connection,
                Picked::Tracked(call) => call.connection(),
                Picked::Other => panic!("a call was not sent"),
            };
            let first = connection(picker.pick(header, 1));
            assert_eq!(first, connection(picker.pick(header, 2)));
        }
        channel.check();
    }
}
