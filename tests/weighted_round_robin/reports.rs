//! Weights by load reports, with calls and out of band.

use super::*;

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
fn without_reports_out_of_band_those_with_calls_are_used() {
    let mut channel = Channel::with(POLICY, json!({"enableOobLoadReport": true}));
    channel.reports_no_qps_out_of_band();
    let logged = |channel: &Channel| {
        let says = |asked: &Asked| matches!(asked, Asked::Log(text) if text.contains("with calls"));
        let asked = channel.asked();
        assert!(!asked.iter().any(|asked| matches!(asked, Asked::LoadReports(_))));
        asked.iter().filter(|asked| says(asked)).count()
    };
    channel.update("abc").unwrap();
    channel.ready("abc");
    assert_eq!(logged(&channel), 1);
    channel.config = json!({"enableOobLoadReport": true, "blackoutPeriod": "9s"});
    channel.update("abc").unwrap();
    assert_eq!(logged(&channel), 0);
    assert!(channel.picker().wants().metrics);
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5), ("c", 0.25)]);
    // Those that come out of band anyway have no calls per second.
    channel.load_report('a', &load(1000.0, 0.1));
    channel.advance(s(9));
    assert_eq!(shares(&channel, 7000), [('a', 1000), ('b', 2000), ('c', 4000)].into());
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
