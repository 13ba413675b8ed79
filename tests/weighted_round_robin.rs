//! `steer_weighted_round_robin`: exact sequences, where weights come from and when they are usable,
//! and its config.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use steer::Status;
use steer::calls::Metrics;
use steer::endpoints::EndpointDescriptor;
use support::{Asked, Channel};

const POLICY: &str = "steer_weighted_round_robin";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn channel(config: Value, names: &str) -> Channel {
    let channel = Channel::with(POLICY, config);
    channel.update(names).unwrap();
    channel.ready(names);
    channel
}

/// A load report of this many calls per second at this utilization.
fn load(qps: f64, utilization: f64) -> Metrics {
    Metrics { rps_fractional: qps, application_utilization: utilization, ..Metrics::default() }
}

/// The next `count` picks of one thread. The host's random number decides where it starts.
fn sequence(channel: &Channel, count: usize) -> String {
    channel.picks(count)
}

/// How often each backend is picked.
fn shares(channel: &Channel, count: usize) -> BTreeMap<char, usize> {
    let mut shares = BTreeMap::new();
    for name in channel.picks(count).chars() {
        *shares.entry(name).or_insert(0) += 1;
    }
    shares
}

/// Each of these backends reports this utilization with a call.
fn report_with_calls(channel: &Channel, utilizations: &[(&str, f64)]) {
    for (name, utilization) in utilizations {
        loop {
            let (picked, mut call) = channel.start();
            if picked == *name {
                call.call_mut().finish(&Status::OK, Some(&load(100.0, *utilization)));
                break;
            }
        }
    }
}

#[test]
fn static_weights_give_exact_sequences() {
    let channel = channel(json!({"weights": {"a": 1, "b": 2, "c": 4}}), "abc");
    // Weights 16384, 32768, 65535.
    assert_eq!(sequence(&channel, 28), "bccbcacbccbcacbccbcacbccbcac");
    assert_eq!(shares(&channel, 7000), [('a', 1000), ('b', 2000), ('c', 4000)].into());
}

#[test]
fn the_sequence_goes_on_with_another_picker() {
    let one = channel(json!({"weights": {"a": 1, "b": 2, "c": 4}}), "abc");
    let other = channel(json!({"weights": {"a": 1, "b": 2, "c": 4}}), "abc");
    let expected = sequence(&one, 50);
    let mut picks = String::new();
    for _ in 0..50 {
        picks += &other.pick();
        other.update("abc").unwrap();
    }
    assert_eq!(picks, expected);
}

#[test]
fn each_client_begins_at_a_random_backend() {
    let first = |random: u64| {
        let channel = Channel::with_random(POLICY, json!({}), random);
        channel.update("abc").unwrap();
        channel.ready("abc");
        channel.pick()
    };
    assert_eq!([first(0), first(1), first(2), first(3)], ["a", "b", "c", "a"]);
}

#[test]
fn an_address_without_a_weight_has_the_mean() {
    let channel = channel(json!({"weights": {"a": 1, "c": 3}}), "abc");
    assert_eq!(shares(&channel, 6000), [('a', 1000), ('b', 2000), ('c', 3000)].into());
}

#[test]
fn with_fewer_than_two_weights_all_take_turns() {
    let channel = channel(json!({"weights": {"a": 5, "x": 1}}), "abc");
    assert_eq!(sequence(&channel, 7), "abcabca");
}

#[test]
fn static_weights_find_addresses_with_and_without_their_scheme() {
    let config = json!({"weights": {
        "10.0.0.1:80": 1, "ipv4:10.0.0.2:80": 2, "[::1]:80": 3, "ipv6:%5B::2%5D:80": 4,
        "second:1": 5,
    }});
    let channel = Channel::with(POLICY, config);
    let addresses: [&[&str]; 5] = [
        &["ipv4:10.0.0.1:80"],
        &["ipv4:10.0.0.2:80"],
        &["ipv6:%5B::1%5D:80"],
        &["ipv6:[::2]:80"],
        &["first:1", "second:1"],
    ];
    let endpoint = |(index, addresses): (usize, &&[&str])| {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        Arc::new(EndpointDescriptor {
            index: (index as u32).into(),
            addresses,
            ..Default::default()
        })
    };
    channel.update_with(Ok(addresses.iter().enumerate().map(endpoint).collect())).unwrap();
    channel.ready_all();
    let mut shares = BTreeMap::new();
    for _ in 0..15_000 {
        *shares.entry(channel.pick()).or_insert(0) += 1;
    }
    let shares: Vec<usize> = addresses.iter().map(|addresses| shares[addresses[0]]).collect();
    assert_eq!(shares, [1000, 2000, 3000, 4000, 5000]);
}

#[test]
fn static_weights_need_no_tracking_reports_or_timers() {
    let config = json!({"weights": {"a": 1, "b": 2}, "enableOobLoadReport": true});
    let channel = channel(config, "ab");
    let asked = channel.asked();
    let wants = |asked: &Asked| matches!(asked, Asked::StartTimer(_) | Asked::LoadReports(_));
    assert!(!asked.iter().any(wants), "{asked:?}");
    assert!(!channel.picker().wants().metrics);
    channel.load_report('a', &load(1.0, 1.0));
    assert_eq!(shares(&channel, 3000), [('a', 1000), ('b', 2000)].into());
}

#[test]
fn reports_with_calls_count_after_the_blackout_period() {
    let channel = channel(json!({}), "abc");
    assert!(channel.picker().wants().metrics);
    assert_eq!(sequence(&channel, 7), "abcabca");
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5), ("c", 0.25)]);
    channel.advance(s(9));
    assert_eq!(shares(&channel, 6000), [('a', 2000), ('b', 2000), ('c', 2000)].into());
    channel.advance(s(1));
    assert_eq!(shares(&channel, 7000), [('a', 1000), ('b', 2000), ('c', 4000)].into());
    // No report for the expiration period.
    channel.advance(s(169));
    assert_eq!(shares(&channel, 7000), [('a', 1000), ('b', 2000), ('c', 4000)].into());
    channel.advance(s(1));
    assert_eq!(shares(&channel, 6000), [('a', 2000), ('b', 2000), ('c', 2000)].into());
}

#[test]
fn only_reports_with_calls_and_utilization_count() {
    let channel = channel(json!({"blackoutPeriod": "0s"}), "ab");
    report_with_calls(&channel, &[("a", 0.1), ("b", 0.2)]);
    report_with_calls(&channel, &[("a", 0.0), ("b", -1.0)]);
    let (_, mut call) = channel.start();
    call.call_mut().finish(&Status::OK, None);
    channel.advance(s(1));
    assert_eq!(shares(&channel, 3000), [('a', 2000), ('b', 1000)].into());
}

#[test]
fn a_new_connection_starts_a_blackout() {
    let channel = channel(json!({}), "abc");
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5), ("c", 0.5)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
    channel.idle("a");
    channel.ready("a");
    // `a` gets the mean of the others, so all are equal.
    assert_eq!(shares(&channel, 6000), [('a', 2000), ('b', 2000), ('c', 2000)].into());
    report_with_calls(&channel, &[("a", 1.0)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 5000), [('a', 1000), ('b', 2000), ('c', 2000)].into());
}

#[test]
fn a_new_picker_is_published_only_when_weights_change() {
    let channel = channel(json!({"weightUpdatePeriod": "0.5s", "blackoutPeriod": "0s"}), "ab");
    let published = |channel: &Channel| {
        channel.asked().iter().filter(|asked| matches!(asked, Asked::State(_))).count()
    };
    published(&channel);
    channel.advance(s(10));
    assert_eq!(published(&channel), 0);
    report_with_calls(&channel, &[("a", 0.1), ("b", 0.2)]);
    channel.advance(s(10));
    assert_eq!(published(&channel), 1);
    // Doubling both changes no share.
    report_with_calls(&channel, &[("a", 0.2), ("b", 0.4)]);
    channel.advance(s(10));
    assert_eq!(published(&channel), 0);
}

#[test]
fn the_timer_runs_with_the_update_period_of_at_least_100_ms() {
    let timers = |channel: &Channel| -> Vec<Asked> {
        let asked = channel.asked().into_iter();
        asked.filter(|asked| matches!(asked, Asked::StartTimer(_) | Asked::CancelTimer)).collect()
    };
    let mut channel = channel(json!({"weightUpdatePeriod": "0.01s"}), "ab");
    let tenth = Duration::from_millis(100);
    assert_eq!(timers(&channel), [Asked::StartTimer(tenth)]);
    channel.advance(3 * tenth);
    assert_eq!(timers(&channel), vec![Asked::StartTimer(tenth); 3]);
    channel.update("ab").unwrap();
    assert_eq!(timers(&channel), []);
    channel.config = json!({"weightUpdatePeriod": "5s"});
    channel.update("ab").unwrap();
    assert_eq!(timers(&channel), [Asked::CancelTimer, Asked::StartTimer(s(5))]);
    channel.config = json!({"weights": {"a": 1}});
    channel.update("ab").unwrap();
    assert_eq!(timers(&channel), [Asked::CancelTimer]);
}

#[test]
fn reports_out_of_band_need_no_tracking() {
    let config =
        json!({"enableOobLoadReport": true, "oobReportingPeriod": "3s", "blackoutPeriod": "1s"});
    let mut channel = channel(config, "ab");
    assert!(channel.asked().contains(&Asked::LoadReports(Some(s(3)))));
    assert!(!channel.picker().wants().metrics);
    channel.load_report('a', &load(100.0, 0.1));
    channel.load_report('b', &load(100.0, 0.3));
    channel.advance(s(1));
    // Calls are not tracked.
    assert_eq!(shares(&channel, 4000), [('a', 3000), ('b', 1000)].into());
    channel.config = json!({"blackoutPeriod": "1s"});
    channel.update("ab").unwrap();
    assert!(channel.asked().contains(&Asked::LoadReports(None)));
    channel.load_report('a', &load(100.0, 0.3));
    channel.advance(s(1));
    assert_eq!(shares(&channel, 4000), [('a', 3000), ('b', 1000)].into());
}

#[test]
fn the_named_metrics_and_the_penalty_make_the_weight() {
    let config = json!({
        "enableOobLoadReport": true, "blackoutPeriod": "0s", "errorUtilizationPenalty": 2,
        "metricNamesForComputingUtilization": ["named_metrics.queue", "mem_utilization"],
    });
    let channel = channel(config, "ab");
    let mut metrics = Metrics { mem_utilization: 0.1, ..load(100.0, 0.9) };
    channel.load_report('a', &metrics);
    metrics.named_metrics.insert("queue".to_owned(), 0.2);
    metrics.eps = 5.0;
    channel.load_report('b', &metrics);
    channel.advance(s(1));
    assert_eq!(shares(&channel, 4000), [('a', 3000), ('b', 1000)].into());
}

#[test]
fn weights_stay_as_long_as_the_address_is_listed() {
    let channel = channel(json!({"blackoutPeriod": "0s"}), "ab");
    report_with_calls(&channel, &[("a", 0.3), ("b", 0.1)]);
    channel.update("cba").unwrap();
    channel.ready("c");
    assert_eq!(shares(&channel, 6000), [('a', 1000), ('b', 3000), ('c', 2000)].into());
    channel.update("cb").unwrap();
    channel.update("cba").unwrap();
    channel.ready("a");
    // A single weight has no effect.
    assert_eq!(shares(&channel, 6000), [('a', 2000), ('b', 2000), ('c', 2000)].into());
}

#[test]
fn an_address_that_is_listed_twice_takes_part_once() {
    let channel = channel(json!({"weights": {"a": 1, "b": 2}}), "aba");
    assert_eq!(shares(&channel, 3000), [('a', 1000), ('b', 2000)].into());
    let reported = Channel::with(POLICY, json!({}));
    reported.update("aba").unwrap();
    reported.ready("ab");
    assert_eq!(sequence(&reported, 4), "abab");
}

/// A channel with more backends than a picker keeps in one array. The first of each five is not
/// READY. `weigh` gives those with odd indices twice the weight of the others. Returns the names by
/// index.
fn many(config: Value, weigh: impl FnOnce(&Channel, &[char])) -> (Channel, Vec<char>) {
    let names: Vec<char> = (0..1500).map(|i| char::from_u32(0x4e00 + i).unwrap()).collect();
    let ready = |(i, name): (usize, &char)| (i % 5 != 0).then_some(*name);
    let channel = Channel::with_seed(POLICY, config, 1);
    channel.update(&names.iter().collect::<String>()).unwrap();
    channel.ready(&names.iter().enumerate().filter_map(ready).collect::<String>());
    weigh(&channel, &names);
    (channel, names)
}

/// Panics unless each READY backend of `names` gets its share, and no other gets calls.
fn assert_shares(channel: &Channel, names: &[char], weight: impl Fn(usize) -> usize) {
    let rounds = 10;
    let expected: Vec<usize> = (0..names.len()).map(weight).collect();
    let shares = shares(channel, rounds * expected.iter().sum::<usize>());
    for (index, name) in names.iter().enumerate() {
        let share = shares.get(name).copied().unwrap_or(0);
        // The first and the last pass are not complete.
        let most = if expected[index] == 0 { 0 } else { 2 };
        assert!(share.abs_diff(rounds * expected[index]) <= most, "{index}: {share}");
    }
}

#[test]
fn of_very_many_backends_each_gets_its_share() {
    let weights: Value = (0..1500)
        .map(|i| (char::from_u32(0x4e00 + i).unwrap().to_string(), json!(1 + i % 2)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let (channel, names) = many(json!({ "weights": weights }), |_, _| {});
    let listed = |index: usize| 1 + index % 2;
    assert_shares(&channel, &names, |index| if index % 5 == 0 { 0 } else { listed(index) });
    // Some leave and others come. Each has its weight.
    channel.fail(&names[..70].iter().collect::<String>());
    channel.ready(&names[1400..].iter().collect::<String>());
    let ready = |index: usize| index >= 70 && (index % 5 != 0 || index >= 1400);
    assert_shares(&channel, &names, |index| if ready(index) { listed(index) } else { 0 });
    // With few enough backends for one array, the shares stay the same.
    channel.fail(&names[70..500].iter().collect::<String>());
    let ready = |index: usize| index >= 500 && (index % 5 != 0 || index >= 1400);
    assert_shares(&channel, &names, |index| if ready(index) { listed(index) } else { 0 });
}

#[test]
fn of_very_many_backends_a_new_one_has_the_mean_until_its_weight_is_known() {
    let config = json!({"enableOobLoadReport": true, "blackoutPeriod": "0s"});
    let report = |channel: &Channel, names: &[char]| {
        for (index, name) in names.iter().enumerate() {
            channel.load_report(*name, &load(100.0 * (1 + index % 2) as f64, 0.5));
        }
        channel.advance(s(1));
    };
    let (channel, names) = many(config, report);
    let listed = |index: usize| 1 + index % 2;
    assert_shares(&channel, &names, |index| if index % 5 == 0 { 0 } else { listed(index) });
    // The mean of the weights is 1.5.
    channel.ready(&names[..1].iter().collect::<String>());
    let shares = shares(&channel, 20 * 1800 + 30);
    assert!(shares[&names[0]].abs_diff(30) <= 2, "{}", shares[&names[0]]);
    report(&channel, &names);
    assert_shares(&channel, &names, |index| match index {
        0 => 1,
        _ if index % 5 == 0 => 0,
        _ => listed(index),
    });
}

#[test]
fn of_very_many_backends_those_listed_twice_take_part_once() {
    let names: String = (0..1500).map(|i| char::from_u32(0x4e00 + i % 1200).unwrap()).collect();
    let first: Vec<char> = names.chars().take(1200).collect();
    let channel = Channel::with_seed(POLICY, json!({"enableOobLoadReport": true}), 1);
    channel.update(&names).unwrap();
    channel.ready(&names);
    assert_shares(&channel, &first, |_| 1);
    channel.fail(&first[..1].iter().collect::<String>());
    assert_shares(&channel, &first, |index| usize::from(index != 0));
}

#[test]
fn every_fault_of_a_config_is_reported() {
    let config = json!({
        "enableOobLoadReport": "yes", "oobReportingPeriod": 10, "blackoutPeriod": "-1s",
        "weightExpirationPeriod": "x", "weightUpdatePeriod": [], "errorUtilizationPenalty": -0.5,
        "metricNamesForComputingUtilization": ["cpu", 5, "named_metrics.x"],
        "weights": {"a": 0, "b": "many", "c": -1, "d": 1, "10.0.0.1:80": 1, "ipv4:10.0.0.1:80": 2},
    });
    let fault = Channel::config_fault(POLICY, config);
    let expected = [
        "enableOobLoadReport error:expected true or false, found \"yes\"",
        "oobReportingPeriod error:invalid duration 10: expected one such as \"10s\"",
        "blackoutPeriod error:must not be negative",
        "weightExpirationPeriod error:invalid duration \"x\": expected one such as \"10s\"",
        "weightUpdatePeriod error:invalid duration []: expected one such as \"10s\"",
        "errorUtilizationPenalty error:must be a number that is not negative",
        "metricNamesForComputingUtilization[0] error:unsupported metric name \"cpu\"",
        "metricNamesForComputingUtilization[1] error:unsupported metric name 5",
        "weights[\"a\"] error:must be a number above 0",
        "weights[\"b\"] error:must be a number above 0",
        "weights[\"c\"] error:must be a number above 0",
        "weights[\"ipv4:10.0.0.1:80\"] error:the same address has another weight already",
    ];
    let expected = expected.map(|fault| format!("field:{POLICY}.{fault}")).join("; ");
    assert_eq!(fault, format!("errors validating {POLICY} LB policy config: [{expected}]"));
}
