//! `steer_prequal`: exact choices, which reports count, and its config.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use steer::calls::{Metrics, TrackedSlot};
use steer::{Code, Status, stats};
use support::{Asked, Channel};

const POLICY: &str = "steer_prequal";

/// More backends than a pool holds.
const MANY: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn channel(config: Value, names: &str) -> Channel {
    let channel = Channel::with(POLICY, config);
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

/// A report of these requests in flight, each of which takes this many milliseconds.
fn load(rif: f64, latency: f64) -> Metrics {
    let named_metrics =
        BTreeMap::from([("rif".to_owned(), rif), ("latency".to_owned(), latency / 1e3)]);
    Metrics { named_metrics, ..Metrics::default() }
}

/// Each of these backends reports out of band.
fn report(channel: &Channel, loads: &[(char, f64, f64)]) {
    for (name, rif, latency) in loads {
        channel.load_report(*name, &load(*rif, *latency));
    }
}

fn finish(mut call: TrackedSlot, code: Code, metrics: Option<&Metrics>) {
    call.call_mut().finish(&Status::new(code, "the end"), metrics);
}

/// Starts calls that do not end. Returns their backends.
fn start(channel: &Channel, count: usize) -> (String, Vec<TrackedSlot>) {
    let calls = (0..count).map(|_| channel.start());
    let (names, calls): (Vec<_>, Vec<_>) = calls.unzip();
    (names.concat(), calls)
}

#[test]
fn of_cold_backends_the_quickest_is_chosen() {
    let channel = channel(json!({}), "abcd");
    // `b` has most requests.
    report(&channel, &[('a', 1.0, 30.0), ('c', 2.0, 10.0), ('d', 1.0, 20.0), ('b', 3.0, 1.0)]);
    assert_eq!(channel.picks(4), "cccc");
    // None has more than another.
    report(&channel, &[('a', 3.0, 30.0), ('c', 3.0, 10.0), ('d', 3.0, 20.0)]);
    assert_eq!(channel.picks(4), "bbbb");
}

#[test]
fn calls_make_a_backend_hot() {
    let channel = channel(json!({}), "abcd");
    report(&channel, &[('a', 1.0, 30.0), ('b', 1.0, 10.0), ('c', 2.0, 20.0), ('d', 2.0, 25.0)]);
    // `b` is hot whenever it alone has most requests.
    let (names, _calls) = start(&channel, 6);
    assert_eq!(names, "bbcbcb");
}

#[test]
fn the_quantile_is_a_part_of_the_config() {
    // Half of the backends, those with most requests, are hot.
    let channel = channel(json!({"rifQuantile": 0.5}), "abcd");
    report(&channel, &[('a', 1.0, 30.0), ('b', 2.0, 20.0), ('c', 3.0, 2.0), ('d', 4.0, 1.0)]);
    assert_eq!(channel.picks(3), "bbb");
}

#[test]
fn the_ends_of_the_quantile_are_rif_alone_and_latency_alone() {
    let loads = [('a', 1.0, 30.0), ('b', 9.0, 10.0), ('c', 2.0, 20.0)];
    let by_rif = channel(json!({"rifQuantile": 0}), "abc");
    report(&by_rif, &loads);
    let (names, _calls) = start(&by_rif, 3);
    assert_eq!(names, "aac");
    let by_latency = channel(json!({"rifQuantile": 1}), "abc");
    report(&by_latency, &loads);
    let (names, _calls) = start(&by_latency, 3);
    assert_eq!(names, "bbb");
}

#[test]
fn reports_that_come_with_calls_count() {
    let channel = channel(json!({}), "ab");
    let (names, mut calls) = start(&channel, 2);
    assert_eq!(names, "ab");
    finish(calls.pop().unwrap(), Code::Ok, Some(&load(2.0, 10.0)));
    finish(calls.pop().unwrap(), Code::Ok, Some(&load(2.0, 30.0)));
    assert_eq!(channel.picks(2), "bb");
    // Also those of calls that failed.
    let (_, call) = channel.start();
    finish(call, Code::NotFound, Some(&load(2.0, 50.0)));
    assert_eq!(channel.picks(2), "aa");
}

#[test]
fn without_reports_it_chooses_as_least_request() {
    for names in ["a", "abcd", "abcdefghijklmnop"] {
        let (prequal, least) = (
            channel(json!({}), names),
            Channel::with("steer_least_request", json!({"choiceCount": 10})),
        );
        let few = names.len() <= 10;
        least.update(names).unwrap();
        least.ready(names);
        let (mut calls, mut others) = (Vec::new(), Vec::new());
        let mut rng = fastrand::Rng::with_seed(3);
        let mut most = BTreeMap::<String, usize>::new();
        for _ in 0..500 {
            let (one, other) = (prequal.start(), least.start());
            assert!(!few || one.0 == other.0);
            *most.entry(one.0.clone()).or_default() += 1;
            calls.push(one.1);
            others.push(other.1);
            if calls.len() > 20 {
                let ends = rng.usize(..calls.len());
                let code = *rng.choice(&[Code::Ok, Code::Unavailable]).unwrap();
                finish(calls.swap_remove(ends), code, None);
                finish(others.swap_remove(ends), code, None);
            }
            prequal.advance(ms(5));
            least.advance(ms(5));
        }
        assert_eq!(most.len(), names.len(), "{most:?}");
    }
}

#[test]
fn one_report_is_not_enough() {
    let channel = channel(json!({}), "abc");
    report(&channel, &[('c', 0.0, 1.0)]);
    let (names, _calls) = start(&channel, 6);
    assert_eq!(names, "abcabc");
}

#[test]
fn reports_expire() {
    let channel = channel(json!({"reportExpirationPeriod": "0.5s"}), "abc");
    report(&channel, &[('b', 1.0, 20.0), ('c', 1.0, 10.0)]);
    // The first backend is tried out: nothing is known of it.
    let (names, _calls) = start(&channel, 2);
    assert_eq!(names, "ac");
    channel.advance(ms(400));
    report(&channel, &[('b', 1.0, 20.0)]);
    channel.advance(ms(100));
    assert_eq!(channel.pick(), "b", "`c` has a call more, and is hot");
    channel.advance(ms(1));
    let (names, _calls) = start(&channel, 3);
    assert_eq!(names, "bab", "by this client's calls, of which `a` and `c` have one");
}

/// Reports every 100 ms, and 20 calls in between for each of them.
#[test]
fn a_report_is_used_so_often_and_then_the_backend_is_left_out() {
    let channel = channel(json!({"enableOobLoadReport": true, "rifQuantile": 1}), MANY);
    channel.seed(1);
    let mut counts = BTreeMap::new();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut names: Vec<char> = MANY.chars().collect();
    for round in 0..40 {
        rng.shuffle(&mut names);
        for &name in &names {
            let latency = if name == 'a' { 1.0 } else { 10.0 + f64::from(u32::from(name)) };
            channel.load_report(name, &load(1.0, latency));
        }
        for _ in 0..20 * MANY.len() {
            let name = channel.pick();
            if round >= 20 {
                *counts.entry(name).or_insert(0) += 1;
            }
        }
        channel.advance(ms(100));
    }
    // It is in a quarter of the pools, and would be chosen there each time: 16 times its share.
    // b = 2 · 20 ÷ (2/3 − 10/62) = 79, four times its share, until it is left out. After that, it
    // gets a call only if fewer than two reports count.
    let share = counts["a"] as f64 / 20.0 / 20.0;
    assert!((3.0..5.5).contains(&share), "{share} times its share");
}

/// The names of the backends whose report counts.
fn reported(channel: &Channel) -> String {
    let mut seen = stats::snapshot();
    seen.retain(|seen| seen.target == channel.target);
    let counts = seen[0].backends.iter().filter(|one| one.reported_rif.is_some());
    counts.map(|one| one.addresses[0].as_str()).collect()
}

#[test]
fn a_third_as_many_reports_are_removed_as_come() {
    // Of few backends, none is removed.
    for (names, left) in [(MANY, 38..=46), (&MANY[..11], 11..=11)] {
        let mut channel = Channel::with(POLICY, json!({"enableOobLoadReport": true}));
        channel.target = format!("removal from {}", names.len());
        channel.update(names).unwrap();
        channel.ready(names);
        channel.seed(1);
        // A report for each pick.
        for _ in 0..10 {
            for name in names.chars() {
                // One is hot, and another one slow.
                let rif = if name == 'a' { 50.0 } else { 1.0 };
                let latency = if name == 'b' { 50.0 } else { 10.0 };
                channel.load_report(name, &load(rif, latency));
            }
            assert_eq!(reported(&channel), names);
            channel.picks(names.len());
            channel.advance(ms(20));
        }
        let reported = reported(&channel);
        assert!(left.contains(&reported.len()), "{reported}");
        // The worst ones are the first that go.
        let has_worst = reported.contains(['a', 'b']);
        assert_eq!(has_worst, names.len() == 11, "{reported}");
    }
}

#[test]
fn a_backend_that_is_not_known_is_tried_by_one_call_at_a_time() {
    let channel = channel(json!({}), "abcd");
    report(&channel, &[('b', 1.0, 20.0), ('c', 1.0, 10.0), ('d', 1.0, 15.0)]);
    let (name, call) = channel.start();
    assert_eq!(name, "a");
    assert!(!channel.picks(10).contains('a'));
    finish(call, Code::Unavailable, None);
    // After its failure, not for the expiration period ÷ its success rate.
    channel.advance(ms(500));
    report(&channel, &[('b', 1.0, 20.0), ('c', 1.0, 10.0), ('d', 1.0, 15.0)]);
    assert!(!channel.picks(10).contains('a'));
    channel.advance(ms(800));
    report(&channel, &[('b', 1.0, 20.0), ('c', 1.0, 10.0), ('d', 1.0, 15.0)]);
    assert!(!channel.picks(10).contains('a'));
    channel.advance(ms(900));
    report(&channel, &[('b', 1.0, 20.0), ('c', 1.0, 10.0), ('d', 1.0, 15.0)]);
    let (name, call) = channel.start();
    assert_eq!(name, "a");
    // A report tells the rest.
    finish(call, Code::Ok, Some(&load(1.0, 5.0)));
    assert_eq!(channel.pick(), "a");
}

#[test]
fn a_backend_that_does_not_report_gets_its_share() {
    let channel = channel(json!({}), "abcd");
    channel.seed(1);
    let mut counts = BTreeMap::new();
    let mut calls = Vec::new();
    for _ in 0..4000 {
        let (name, call) = channel.start();
        *counts.entry(name.clone()).or_insert(0) += 1;
        calls.push((name, call));
        if calls.len() > 8 {
            let (name, call) = calls.remove(0);
            let metrics = load(1.0, 10.0);
            finish(call, Code::Ok, (name != "a").then_some(&metrics));
        }
        channel.advance(ms(1));
    }
    assert!((800..1200).contains(&counts["a"]), "{counts:?}");
}

#[test]
fn a_backend_that_fails_at_once_gets_few_calls() {
    for reports_failures in [true, false] {
        let channel = channel(json!({}), "abcd");
        channel.seed(1);
        let mut failures = 0;
        for _ in 0..1000 {
            let calls: Vec<_> = (0..10).map(|_| channel.start()).collect();
            channel.advance(ms(1));
            let (bad, good): (Vec<_>, Vec<_>) =
                calls.into_iter().partition(|(name, _)| name == "b");
            failures += bad.len();
            for (_, call) in bad {
                let metrics = load(0.0, 0.1);
                finish(call, Code::Unavailable, reports_failures.then_some(&metrics));
            }
            channel.advance(ms(19));
            for (_, call) in good {
                finish(call, Code::Ok, Some(&load(3.0, 20.0)));
            }
        }
        // 10,000 calls in 20 seconds.
        assert!((2..=40).contains(&failures), "{failures}");
    }
}

#[test]
fn a_recovered_backend_gets_calls_again() {
    let channel = channel(json!({}), "abcd");
    channel.seed(1);
    let mut recovered = None;
    for round in 0..6000 {
        let calls: Vec<_> = (0..4).map(|_| channel.start()).collect();
        let to_b = calls.iter().filter(|(name, _)| name == "b").count();
        channel.advance(ms(10));
        for (name, call) in calls {
            let code = if name == "b" && round < 1000 { Code::Unavailable } else { Code::Ok };
            finish(call, code, Some(&load(1.0, if name == "b" { 5.0 } else { 10.0 })));
        }
        if round >= 1000 && to_b == 4 - 3 && recovered.is_none() {
            recovered = Some(round);
        }
    }
    let share = (0..100).filter(|_| channel.pick() == "b").count();
    assert!(recovered.is_some() && share > 50, "{recovered:?}, {share}");
}

/// Reports do not expire, and nothing is tried out twice. The calls since a report still count.
#[test]
fn the_clock_may_stand_still() {
    let channel = channel(json!({"enableOobLoadReport": true}), MANY);
    channel.seed(1);
    for name in MANY.chars() {
        channel.load_report(name, &load(1.0, 10.0));
    }
    let mut counts = BTreeMap::new();
    let mut calls = Vec::new();
    for _ in 0..100 * MANY.len() {
        let (name, call) = channel.start();
        *counts.entry(name).or_insert(0) += 1;
        calls.push(call);
        if calls.len() > MANY.len() {
            finish(calls.remove(0), Code::Ok, Some(&load(1.0, 10.0)));
        }
    }
    assert_eq!(counts.len(), MANY.len());
    assert!(counts.values().all(|count| (20..=500).contains(count)), "{counts:?}");
}

#[test]
fn what_a_backend_reported_before_it_reconnected_does_not_count() {
    let channel = channel(json!({}), "abc");
    report(&channel, &[('a', 1.0, 10.0), ('b', 1.0, 20.0), ('c', 1.0, 30.0)]);
    assert_eq!(channel.pick(), "a");
    // Reports survive new lists.
    channel.update("cab").unwrap();
    assert_eq!(channel.pick(), "a");
    channel.idle("a");
    channel.ready("a");
    channel.seed(1);
    // It is tried out once.
    let picks = channel.picks(30);
    assert_eq!(picks.matches('a').count(), 1, "{picks}");
    assert_eq!(picks.matches('b').count(), 29, "{picks}");
}

#[test]
fn reports_out_of_band_are_requested_by_the_config() {
    let mut channel = Channel::with(POLICY, json!({"enableOobLoadReport": true}));
    let requests = |channel: &Channel| -> Vec<_> {
        let is_one = |asked: &Asked| matches!(asked, Asked::LoadReports(_));
        channel.asked().into_iter().filter(is_one).collect()
    };
    channel.update("ab").unwrap();
    assert_eq!(requests(&channel), [Asked::LoadReports(Some(ms(100)))]);
    channel.config = json!({"enableOobLoadReport": true, "oobReportingPeriod": "0.02s"});
    channel.update("ab").unwrap();
    assert_eq!(requests(&channel), [Asked::LoadReports(Some(ms(20)))]);
    channel.config = json!({});
    channel.update("ab").unwrap();
    assert_eq!(requests(&channel), [Asked::LoadReports(None)]);
    channel.update("ab").unwrap();
    assert_eq!(requests(&channel), []);
    channel.ready("ab");
    assert!(channel.picker().wants().metrics);
}

#[test]
fn every_fault_of_a_config_is_reported() {
    let fault = |config| Channel::config_fault(POLICY, config);
    let config = json!({
        "enableOobLoadReport": true, "oobReportingPeriod": "2s", "rifQuantile": 1.5, "poolSize": 1,
        "failureCodes": ["OK"],
    });
    assert_eq!(
        fault(config),
        "errors validating steer_prequal LB policy config: [\
         field:steer_prequal.oobReportingPeriod error:must be at most reportExpirationPeriod, \
         after which a report is not used; \
         field:steer_prequal.rifQuantile error:must be a number from 0 to 1; \
         field:steer_prequal.poolSize error:must be at least 2; \
         field:steer_prequal.failureCodes[0] error:expected the name or the number of a status \
         that is not OK, found \"OK\"]"
    );
    assert_eq!(
        fault(json!({"reportExpirationPeriod": "0s"})),
        "errors validating steer_prequal LB policy config: [\
         field:steer_prequal.reportExpirationPeriod error:must be above 0]"
    );
}
