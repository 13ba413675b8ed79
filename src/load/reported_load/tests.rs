use std::collections::BTreeMap;

use super::*;
use crate::calls::Metrics;
use crate::load::FailureCodes;
use crate::{Code, Status};

fn ms(milliseconds: u64) -> Nanos {
    Nanos::new(milliseconds * 1_000_000)
}

fn map(values: &[(&str, f64)]) -> BTreeMap<String, f64> {
    values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

fn metrics(rif: f64, latency: f64) -> Metrics {
    Metrics { named_metrics: map(&[("rif", rif), ("latency", latency)]), ..Metrics::default() }
}

fn load() -> ReportedLoad {
    let rule = Arc::<ReportRule>::default();
    rule.set(ms(1000).into(), FailureCodes::default());
    ReportedLoad::new(&rule, ms(0))
}

fn report(load: &ReportedLoad, metrics: &Metrics, now: Nanos) -> bool {
    load.report(LoadReport::Decoded(metrics), now)
}

fn end(load: &ReportedLoad, code: Code, metrics: Option<&Metrics>, ended: Nanos) {
    let (status, latency) = (Status::new(code, ""), ms(1));
    let metrics = metrics.map(LoadReport::Decoded);
    load.ended(&CallEnd::Finished { status: &status, latency, ended, metrics });
}

/// The RIF and the latency in milliseconds, if they are known.
fn known(load: &ReportedLoad, in_flight: u32, limit: u32, now: Nanos) -> Option<(f64, f64)> {
    match load.known(in_flight, limit, now) {
        KnownLoad::Reported(report) => Some((report.rif, (report.latency / 1e6).round())),
        _ => None,
    }
}

#[test]
fn a_report_expires() {
    let load = load();
    assert_eq!(load.known(0, 9, ms(0)), KnownLoad::Stale);
    report(&load, &metrics(3.0, 0.02), ms(500));
    assert_eq!(known(&load, 0, 9, ms(500)), Some((3.0, 20.0)));
    assert_eq!(known(&load, 0, 9, ms(1500)), Some((3.0, 20.0)));
    assert_eq!(load.known(0, 9, ms(1501)), KnownLoad::Stale);
    // A reading of another thread's clock may be earlier.
    assert_eq!(known(&load, 0, 9, ms(400)), Some((3.0, 20.0)));
}

#[test]
fn calls_since_the_report_correct_its_rif() {
    let load = load();
    load.picked();
    report(&load, &metrics(3.0, 0.02), ms(0));
    (0..3).for_each(|_| load.picked());
    assert_eq!(known(&load, 4, 9, ms(0)), Some((6.0, 20.0)));
    // Calls that were in flight when it reported have ended.
    (0..4).for_each(|_| load.ended(&CallEnd::Abandoned));
    assert_eq!(known(&load, 0, 9, ms(0)), Some((2.0, 20.0)));
    // A report may come late: the backend has at least the calls of this client.
    assert_eq!(known(&load, 5, 9, ms(0)), Some((5.0, 20.0)));
}

#[test]
fn a_report_is_used_so_often_and_can_be_removed() {
    let load = load();
    report(&load, &metrics(0.0, 0.02), ms(0));
    (0..2).for_each(|_| load.picked());
    assert!(known(&load, 2, 3, ms(0)).is_some());
    load.picked();
    assert_eq!(load.known(3, 3, ms(0)), KnownLoad::UsedUp);
    report(&load, &metrics(1.0, 0.02), ms(1));
    // The report of the time 0 is not there any more.
    load.remove(0);
    assert!(known(&load, 3, 3, ms(1)).is_some());
    load.remove(ms(1).get());
    assert_eq!(load.known(3, 3, ms(1)), KnownLoad::UsedUp);
    report(&load, &metrics(1.0, 0.02), ms(2));
    assert!(known(&load, 3, 3, ms(2)).is_some());
}

#[test]
fn only_reports_with_numbers_count() {
    let load = load();
    let odd = [metrics(-1.0, 0.1), metrics(f64::NAN, 0.1), metrics(f64::INFINITY, 0.1)];
    for metrics in odd.iter().chain([&Metrics::default()]) {
        assert!(!report(&load, metrics, ms(0)), "{metrics:?}");
    }
    assert_eq!(load.known(0, 9, ms(0)), KnownLoad::Stale);
    // As gRPC before 1.53 has it.
    let utilization = map(&[("rif", 2.0), ("latency", 0.004)]);
    assert!(report(&load, &Metrics { utilization, ..Metrics::default() }, ms(0)));
    assert_eq!(known(&load, 0, 9, ms(0)), Some((2.0, 4.0)));
    // Without a latency, it has the mean of the recent ones.
    let named_metrics = map(&[("rif", 1.0)]);
    assert!(report(&load, &Metrics { named_metrics, ..Metrics::default() }, ms(1)));
    assert_eq!(known(&load, 0, 9, ms(1)), Some((1.0, 4.0)));
}

#[test]
fn a_backend_that_answers_without_reports_is_silent() {
    let load = load();
    load.picked();
    end(&load, Code::Unavailable, None, ms(0));
    assert_eq!(load.known(0, 9, ms(0)), KnownLoad::Stale);
    end(&load, Code::Ok, None, ms(0));
    assert_eq!(load.known(0, 9, ms(0)), KnownLoad::Silent);
    end(&load, Code::Ok, Some(&metrics(1.0, 0.1)), ms(0));
    assert!(known(&load, 0, 9, ms(0)).is_some());
    assert_eq!(load.known(0, 9, ms(2000)), KnownLoad::Stale);
    load.reconnected();
    assert_eq!(load.known(0, 9, ms(0)), KnownLoad::Stale);
}

#[test]
fn one_call_at_a_time_tries_it_out() {
    let load = load();
    assert!(!load.may_try(1, 1.0, ms(10)));
    assert!(load.may_try(0, 1.0, ms(10)));
    assert!(!load.may_try(0, 1.0, ms(10)));
    assert!(!load.may_try(0, 1.0, ms(1010)));
    assert!(load.may_try(0, 1.0, ms(1011)));
    // The worse it is, the longer the pause.
    assert!(!load.may_try(0, 0.01, ms(100_000)));
    assert!(load.may_try(0, 0.01, ms(102_000)));
    end(&load, Code::Unavailable, None, ms(102_001));
    assert!(!load.may_try(0, 0.01, ms(102_002)));
    end(&load, Code::Ok, None, ms(102_003));
    assert!(load.may_try(0, 0.01, ms(102_004)));
}
