use super::*;
use crate::calls::{LoadReport, Metrics};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rule(names: &[&str], error_utilization_penalty: f32) -> WeightRule {
    let utilization_metrics =
        names.iter().map(|name| UtilizationMetric::parse(name).unwrap()).collect();
    WeightRule { utilization_metrics, error_utilization_penalty }
}

/// The weight by this report, decoded or not.
fn weight(rule: &WeightRule, metrics: &Metrics) -> Option<f32> {
    let bytes = prost::Message::encode_to_vec(metrics);
    let weight = rule.weight(LoadReport::Decoded(metrics));
    assert_eq!(rule.weight(LoadReport::Encoded(&bytes)), weight);
    weight
}

fn metrics() -> Metrics {
    Metrics {
        rps_fractional: 100.0,
        eps: 10.0,
        cpu_utilization: 0.5,
        mem_utilization: 0.25,
        named_metrics: [("queue".to_owned(), 0.4), ("a.b".to_owned(), 0.8)].into(),
        utilization: [("disk".to_owned(), 2.0), ("net".to_owned(), -1.0)].into(),
        ..Metrics::default()
    }
}

#[test]
fn metrics_are_found_by_name() {
    let names = ["cpu_utilization", "mem_utilization", "application_utilization"];
    assert!(names.iter().all(|name| UtilizationMetric::parse(name).is_some()));
    let named = UtilizationMetric::parse("named_metrics.a.b");
    assert_eq!(named, Some(UtilizationMetric::Named("a.b".into())));
    let resource = UtilizationMetric::parse("utilization.disk");
    assert_eq!(resource, Some(UtilizationMetric::Resource("disk".into())));
    for unknown in ["", "cpu", "named_metrics", "eps", "request_cost.x", "Utilization.x"] {
        assert_eq!(UtilizationMetric::parse(unknown), None, "{unknown}");
    }
}

#[test]
fn the_weight_is_calls_over_utilization() {
    assert_eq!(weight(&rule(&[], 0.0), &metrics()), Some(200.0));
    let application = Metrics { application_utilization: 0.8, ..metrics() };
    assert_eq!(weight(&rule(&[], 0.0), &application), Some(125.0));
}

#[test]
fn errors_count_as_utilization() {
    // 100 / (0.5 + 10 / 100 × penalty).
    assert_eq!(weight(&rule(&[], 3.0), &metrics()), Some(125.0));
    assert_eq!(weight(&rule(&[], 5.0), &metrics()), Some(100.0));
    let negative = Metrics { eps: -10.0, ..metrics() };
    assert_eq!(weight(&rule(&[], 5.0), &negative), Some(200.0));
}

#[test]
fn the_greatest_of_the_chosen_metrics_counts() {
    assert_eq!(weight(&rule(&["named_metrics.queue"], 0.0), &metrics()), Some(250.0));
    let several = ["named_metrics.queue", "mem_utilization", "named_metrics.a.b"];
    assert_eq!(weight(&rule(&several, 0.0), &metrics()), Some(125.0));
    assert_eq!(weight(&rule(&["utilization.disk"], 0.0), &metrics()), Some(50.0));
}

#[test]
fn chosen_metrics_without_a_value_are_ignored() {
    let none = ["named_metrics.other", "utilization.net", "application_utilization"];
    assert_eq!(weight(&rule(&none, 0.0), &metrics()), Some(200.0));
    let application = Metrics { application_utilization: 0.8, ..metrics() };
    assert_eq!(weight(&rule(&none[..2], 0.0), &application), Some(125.0));
}

#[test]
fn reports_without_usable_numbers_give_no_weight() {
    let rule = rule(&[], 1.0);
    assert_eq!(weight(&rule, &Metrics::default()), None);
    assert_eq!(weight(&rule, &Metrics { rps_fractional: 0.0, ..metrics() }), None);
    assert_eq!(weight(&rule, &Metrics { cpu_utilization: 0.0, ..metrics() }), None);
    assert_eq!(weight(&rule, &Metrics { cpu_utilization: f64::NAN, ..metrics() }), None);
    assert_eq!(weight(&rule, &Metrics { rps_fractional: f64::NAN, ..metrics() }), None);
    assert_eq!(weight(&rule, &Metrics { cpu_utilization: f64::INFINITY, ..metrics() }), None);
    assert_eq!(weight(&rule, &Metrics { rps_fractional: 1e300, ..metrics() }), None);
}

#[test]
fn is_usable_after_the_blackout_period() {
    let weight = ReportedWeight::new();
    let usable = |now| weight.usable(s(now), s(180), s(10));
    assert_eq!(usable(0), 0.0);
    weight.report(2.0, s(5));
    assert_eq!(usable(5), 0.0);
    weight.report(3.0, s(14));
    assert_eq!(usable(14), 0.0);
    assert_eq!(usable(15), 3.0);
    assert_eq!(usable(14 + 179), 3.0);
}

#[test]
fn after_expiry_another_blackout_period_begins() {
    let weight = ReportedWeight::new();
    let usable = |now| weight.usable(s(now), s(180), s(10));
    weight.report(2.0, s(5));
    assert_eq!(usable(184), 2.0);
    assert_eq!(usable(185), 0.0);
    weight.report(3.0, s(190));
    assert_eq!(usable(199), 0.0);
    assert_eq!(usable(200), 3.0);
}

#[test]
fn an_expiry_that_nobody_read_starts_no_blackout() {
    // As in gRPC, which reads weights only when it makes a scheduler.
    let weight = ReportedWeight::new();
    weight.report(2.0, s(0));
    weight.report(3.0, s(500));
    assert_eq!(weight.usable(s(500), s(180), s(10)), 3.0);
}

#[test]
fn a_new_connection_starts_another_blackout() {
    let weight = ReportedWeight::new();
    let usable = |now| weight.usable(s(now), s(180), s(10));
    weight.report(2.0, s(0));
    assert_eq!(usable(20), 2.0);
    weight.reconnected();
    assert_eq!(usable(20), 0.0);
    weight.report(4.0, s(25));
    assert_eq!(usable(34), 0.0);
    assert_eq!(usable(35), 4.0);
}

#[test]
fn without_a_blackout_period_it_is_usable_at_once() {
    let weight = ReportedWeight::new();
    let usable = |now| weight.usable(s(now), s(180), s(0));
    assert_eq!(usable(0), 0.0);
    weight.report(2.0, s(1));
    assert_eq!(usable(1), 2.0);
    weight.reconnected();
    assert_eq!(usable(2), 2.0);
}

#[test]
fn a_reader_whose_clock_is_behind_does_no_harm() {
    let weight = ReportedWeight::new();
    weight.report(2.0, s(30));
    assert_eq!(weight.usable(s(20), s(180), s(10)), 0.0);
    assert_eq!(weight.usable(s(20), s(180), s(0)), 2.0);
}
