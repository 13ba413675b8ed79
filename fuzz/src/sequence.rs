//! Bytes as a sequence of events of a host.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use steer::calls::Metrics;
use steer::ffi::{STEER_OK, steer_stats_json, steer_stats_prometheus, steer_stats_track_calls};

use crate::callbacks::within;
use crate::host::{Channel, HeldPicker, Picked};
use crate::{PARENTS, POLICIES, bytes};

/// The most events of a sequence. Longer sequences were not seen to find more.
const LONGEST: usize = 200;

/// Configs, which each policy accepts or rejects. Most have small rings and tables: large ones only
/// take more time.
const CONFIGS: [&str; 17] = [
    "",
    "[]",
    r#"{"tableSize":12,"choiceCount":1,"minRingSize":0}"#,
    concat!(
        r#"{"maxRingSize":32,"minRingSize":8,"tableSize":11,"choiceCount":3,"fullScanBelow":2,"#,
        r#""decayTime":"0.1s"}"#
    ),
    concat!(
        r#"{"maxRingSize":32,"minRingSize":8,"tableSize":11,"weightUpdatePeriod":"0.1s","#,
        r#""blackoutPeriod":"0s","weightExpirationPeriod":"1s"}"#
    ),
    concat!(
        r#"{"maxRingSize":32,"minRingSize":8,"tableSize":13,"enableOobLoadReport":true,"#,
        r#""blackoutPeriod":"0s","oobReportingPeriod":"1s"}"#
    ),
    concat!(
        r#"{"maxRingSize":16,"minRingSize":8,"tableSize":17,"#,
        r#""weights":{"ipv4:10.0.0.1:80":3,"ipv4:10.0.0.2:80":0.5}}"#
    ),
    r#"{"requestHashHeader":"user","minRingSize":8,"tableSize":11,"retryElsewhere":true}"#,
    r#"{"requestHashHeader":"user","minRingSize":8,"tableSize":31,"hashBalanceFactor":100}"#,
    r#"{"requestHashHeader":"user","minRingSize":64,"tableSize":53,"hashBalanceFactor":200}"#,
    r#"{"minRingSize":1,"maxRingSize":16,"tableSize":11,"hashBalanceFactor":150}"#,
    r#"{"minRingSize":100,"maxRingSize":100,"tableSize":251,"fullScanBelow":100}"#,
    concat!(
        r#"{"maxRingSize":16,"minRingSize":8,"tableSize":17,"reresolutionPeriod":"1s","#,
        r#""unknown":1,"#,
        r#""attributes":{"10.0.0.1:80":{"weight":3},"10.0.0.2:80":{"hashKey":"k","x":1}}}"#
    ),
    concat!(
        r#"{"maxRingSize":16,"minRingSize":8,"tableSize":17,"reresolutionPeriod":"3s","#,
        r#""connectionsPerBackend":2,"#,
        r#""attributes":{"10.0.0.2:80":{"weight":2},"10.0.0.3:80":{"zone":"z","x":"1"}}}"#
    ),
    concat!(
        r#"{"maxRingSize":16,"minRingSize":8,"tableSize":17,"subsetSize":3,"zone":"z","#,
        r#""groups":[["10.0.0.1:80","10.0.0.2:80"],["10.0.0.3:80"]],"failoverTimeout":"1s","#,
        r#""slowStartWindow":"2s"}"#
    ),
    concat!(
        r#"{"maxRingSize":16,"minRingSize":8,"tableSize":17,"subsetSize":2,"clientIndex":1,"#,
        r#""clientCount":3,"weights":{"z":3,"":1},"attribute":"x","order":["1"],"#,
        r#""failoverTimeout":"0s","slowStartWindow":"0.1s","minWeightPercent":0}"#
    ),
    concat!(
        r#"{"maxRingSize":16,"minRingSize":8,"tableSize":17,"zone":"","panicThreshold":1,"#,
        r#""failoverTimeout":"3s","aggression":2,"#,
        r#""attributes":{"10.0.0.1:80":{"zone":"z","priority":1},"10.0.0.2:80":{"zone":"y"}}}"#
    ),
];

/// The most levels of children.
const DEEPEST: u32 = 4;

/// A config of this policy. `tree` chooses its children, and theirs.
fn config_of(policy: &str, config: u8, tree: u64, level: u32) -> String {
    let own = CONFIGS[usize::from(config) % CONFIGS.len()];
    let fields = own.strip_prefix('{').filter(|_| PARENTS.contains(&policy) && level < DEEPEST);
    let Some(fields) = fields else { return own.to_owned() };
    let (choice, rest) = (tree % 256, tree / 256);
    let child = POLICIES[choice as usize % POLICIES.len()];
    let config = config_of(child, (rest % 256) as u8, rest / 256, level + 1);
    let config = if config.is_empty() { "{}" } else { &config };
    format!(r#"{{"childPolicy":[{{"{child}":{config}}}],{fields}"#)
}

#[derive(Arbitrary, Debug)]
enum Event {
    Update { list: Vec<u8>, config: u8, tree: u64 },
    Fail { code: u8 },
    Report { endpoint: u16, state: u8 },
    AllReady,
    Load { bytes: [f64; 5] },
    Pass { millis: u16 },
    Timers,
    WrongTimer(u64),
    RunLater,
    ExitIdle,
    ResetBackoff,
    Keep,
    Pick { old: bool, header: u8, hash: u64 },
    Start(u8),
    Finish { call: u8, code: i8, metrics: [u8; 4] },
    Abandon(u8),
    DropPicker,
    Statistics,
    TrackCalls(bool),
}

/// The events of one policy, in any order that the ABI allows.
pub fn policy(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let Ok(name) = data.choose(&POLICIES) else { return };
    let channel = Channel::new(name);
    let mut kept: Option<Arc<HeldPicker>> = None;
    let mut calls: Vec<Picked> = Vec::new();
    for _ in 0..LONGEST {
        let Ok(event) = Event::arbitrary(&mut data) else { break };
        apply(&channel, event, &mut kept, &mut calls);
        if data.is_empty() {
            break;
        }
    }
    channel.check();
    // Pickers and calls may outlive the policy.
    drop(channel);
    if let Some(picker) = &kept {
        drop(picker.pick(b"late", 1));
    }
    drop(kept);
    for call in calls {
        call.finish(0, b"");
    }
    steer_stats_track_calls(0);
}

fn apply(
    channel: &Channel,
    event: Event,
    kept: &mut Option<Arc<HeldPicker>>,
    calls: &mut Vec<Picked>,
) {
    let at = |number: u8, calls: &[Picked]| usize::from(number) % calls.len().max(1);
    match event {
        Event::Update { mut list, config, tree } => {
            list.truncate(40);
            channel.update(&list, config_of(channel.policy(), config, tree, 0).as_bytes());
        }
        Event::Fail { code } => channel.fail(code.into()),
        Event::Report { endpoint, state } => {
            let endpoints = channel.endpoints().max(1);
            // One of the latest 48.
            let back = usize::from(endpoint) % endpoints.min(48);
            channel.report(endpoints - 1 - back, i32::from(state % 8) - 2);
        }
        Event::AllReady => channel.make_ready(),
        Event::Load { bytes: [cpu, memory, application, qps, eps] } => {
            channel.load_reports(&Metrics {
                cpu_utilization: cpu,
                mem_utilization: memory,
                application_utilization: application,
                rps_fractional: qps,
                eps,
                ..Metrics::default()
            });
        }
        Event::Pass { millis } => channel.pass(Duration::from_millis(millis.into())),
        Event::Timers => channel.run_timers(),
        Event::WrongTimer(timer) => channel.timer(timer),
        Event::RunLater => channel.run_later(),
        Event::ExitIdle => channel.exit_idle(),
        Event::ResetBackoff => channel.reset_backoff(),
        Event::Keep => *kept = channel.picker(),
        Event::Pick { old, header, hash } => {
            let latest = channel.picker();
            let picker = if old { kept.as_ref() } else { latest.as_ref() };
            let Some(picker) = picker else { return };
            let picked = picker.pick(&[header], hash);
            if matches!(picked, Picked::Tracked(_)) && calls.len() < 64 {
                calls.push(picked);
            }
        }
        Event::Start(call) => {
            if let Some(call) = calls.get(at(call, calls)) {
                call.start();
            }
        }
        Event::Finish { call, code, metrics } => {
            // Maybe more than once: only the first time counts.
            if let Some(call) = calls.get(at(call, calls)) {
                call.finish(code.into(), &metrics);
            }
        }
        Event::Abandon(call) => {
            let index = at(call, calls);
            if index < calls.len() {
                calls.swap_remove(index);
            }
        }
        Event::DropPicker => *kept = None,
        Event::Statistics => read_statistics(),
        Event::TrackCalls(on) => steer_stats_track_calls(on.into()),
    }
}

fn read_statistics() {
    let mut text = std::ptr::null_mut();
    // SAFETY: `text` lives during the call.
    let json = || unsafe { steer_stats_json(&mut text) };
    assert_eq!(within("statistics", json), STEER_OK);
    assert!(bytes::take(text).starts_with('{'));
    // SAFETY: as above.
    let prometheus = || unsafe { steer_stats_prometheus(&mut text) };
    assert_eq!(within("statistics", prometheus), STEER_OK);
    assert!(!bytes::take(text).is_empty());
}
