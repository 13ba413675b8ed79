//! The weight of one backend by its own load reports, and when that weight is of use.
//!
//! weight = qps / (utilization + eps / qps × errorUtilizationPenalty). It is of use once reports have come
//! for the blackout period, so that a backend that has just started is not judged by its first calls,
//! and until none has come for the expiration period.
//!
//! Source: gRFC A58, gRFC A114 (which utilization), and gRPC's `weighted_round_robin.cc`, whose
//! arithmetic and order of events this has. gRPC keeps a mutex for each backend; here a report at the end of
//! a call takes no lock.
//!
//! Cost of a report: two multiplications or so, three atomic operations on this backend's own line.
//!
//! Must not know: how reports come, what is done with weights.

use std::time::Duration;

use crate::calls::{CallEnd, CallObserver, Metrics};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A metric that can stand for a backend's utilization (gRFC A114).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UtilizationMetric {
    /// `cpu_utilization`.
    Cpu,
    /// `mem_utilization`.
    Mem,
    /// `application_utilization`.
    Application,
    /// `named_metrics.NAME`: the application's own, of this name.
    Named(String),
    /// `utilization.NAME`: the used share of the resource of this name.
    Resource(String),
}

impl UtilizationMetric {
    /// The metric of this name; none when there is no such one.
    pub fn parse(name: &str) -> Option<UtilizationMetric> {
        Some(match name {
            "cpu_utilization" => UtilizationMetric::Cpu,
            "mem_utilization" => UtilizationMetric::Mem,
            "application_utilization" => UtilizationMetric::Application,
            _ => match name.split_once('.')? {
                ("named_metrics", name) => UtilizationMetric::Named(name.to_owned()),
                ("utilization", name) => UtilizationMetric::Resource(name.to_owned()),
                _ => return None,
            },
        })
    }

    /// Its value; 0 when it is not reported.
    fn of(&self, metrics: &Metrics) -> f64 {
        match self {
            UtilizationMetric::Cpu => metrics.cpu_utilization,
            UtilizationMetric::Mem => metrics.mem_utilization,
            UtilizationMetric::Application => metrics.application_utilization,
            UtilizationMetric::Named(name) => {
                metrics.named_metrics.get(name).copied().unwrap_or(0.0)
            }
            UtilizationMetric::Resource(name) => {
                metrics.utilization.get(name).copied().unwrap_or(0.0)
            }
        }
    }
}

/// How a report becomes a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightRule {
    /// The greatest of these that is above 0 is the utilization.
    pub utilization_metrics: Vec<UtilizationMetric>,
    /// How much errors count against a backend.
    pub error_utilization_penalty: f32,
}

impl WeightRule {
    /// The weight by this report; none when it says nothing of use.
    pub fn weight(&self, metrics: &Metrics) -> Option<f32> {
        let (qps, eps) = (metrics.qps(), metrics.eps);
        let utilization = self.utilization(metrics);
        if !(qps > 0.0 && utilization > 0.0) {
            return None;
        }
        let penalty = if eps > 0.0 && self.error_utilization_penalty > 0.0 {
            eps / qps * f64::from(self.error_utilization_penalty)
        } else {
            0.0
        };
        let weight = (qps / (utilization + penalty)) as f32;
        (weight > 0.0 && weight.is_finite()).then_some(weight)
    }

    /// The chosen metrics', or else the application's, or else the processors'.
    fn utilization(&self, metrics: &Metrics) -> f64 {
        let chosen = self.utilization_metrics.iter().map(|metric| metric.of(metrics));
        let chosen = chosen.filter(|value| *value > 0.0).fold(0.0, f64::max);
        [chosen, metrics.application_utilization]
            .into_iter()
            .find(|value| *value > 0.0)
            .unwrap_or(metrics.cpu_utilization)
    }
}

/// No such moment.
const NEVER: u64 = u64::MAX;

/// What one backend's reports come to. Any thread may report.
///
/// The three values are not read as one. So of a report that comes at the very moment at which the weight
/// expires or the connection is made anew, the start of the blackout period may be lost: the next
/// report sets it.
#[derive(Debug)]
pub struct ReportedWeight {
    /// The bits of an f32; 0 before the first report.
    weight: AtomicU32,
    /// When the first of the reports came that have come without a break, in nanoseconds.
    non_empty_since: AtomicU64,
    /// When the last report came, in nanoseconds.
    last_updated: AtomicU64,
}

impl ReportedWeight {
    /// No report yet.
    pub fn new() -> ReportedWeight {
        ReportedWeight {
            weight: AtomicU32::new(0),
            non_empty_since: AtomicU64::new(NEVER),
            last_updated: AtomicU64::new(NEVER),
        }
    }

    /// A report gives this weight, which is above 0.
    pub fn report(&self, weight: f32, now: Duration) {
        let now = nanoseconds(now);
        // Relaxed: before the other two are set, the weight is not looked at.
        self.weight.store(weight.to_bits(), Ordering::Relaxed);
        // Release: with the Acquire in `usable`. Who sees this report's time sees its weight.
        self.last_updated.store(now, Ordering::Release);
        // Release: as above. Only the first report counts.
        let since = &self.non_empty_since;
        let _ = since.compare_exchange(NEVER, now, Ordering::Release, Ordering::Relaxed);
    }

    /// The connection is another one: the blackout period begins with the next report.
    pub fn reconnected(&self) {
        // Relaxed: nothing is read by way of its absence.
        self.non_empty_since.store(NEVER, Ordering::Relaxed);
    }

    /// The weight; 0 when it is not of use now. By one that has expired, the blackout period begins
    /// anew.
    pub fn usable(&self, now: Duration, expiration: Duration, blackout: Duration) -> f32 {
        let now = nanoseconds(now);
        // Acquire: with the Releases in `report`.
        let last_updated = self.last_updated.load(Ordering::Acquire);
        if last_updated != NEVER && now.saturating_sub(last_updated) >= nanoseconds(expiration) {
            self.reconnected();
            return 0.0;
        }
        if !blackout.is_zero() {
            let since = self.non_empty_since.load(Ordering::Acquire);
            if since == NEVER || now.saturating_sub(since) < nanoseconds(blackout) {
                return 0.0;
            }
        }
        f32::from_bits(self.weight.load(Ordering::Relaxed))
    }
}

/// It depends on the config which weight a report gives: who knows that tells.
impl CallObserver for ReportedWeight {
    fn ended(&self, _end: &CallEnd<'_>) {}
}

impl Default for ReportedWeight {
    fn default() -> Self {
        ReportedWeight::new()
    }
}

/// Up to 584 years.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER - 1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn rule(names: &[&str], error_utilization_penalty: f32) -> WeightRule {
        let utilization_metrics =
            names.iter().map(|name| UtilizationMetric::parse(name).unwrap()).collect();
        WeightRule { utilization_metrics, error_utilization_penalty }
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
    fn metrics_by_name() {
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
    fn calls_over_utilization() {
        assert_eq!(rule(&[], 0.0).weight(&metrics()), Some(200.0));
        let application = Metrics { application_utilization: 0.8, ..metrics() };
        assert_eq!(rule(&[], 0.0).weight(&application), Some(125.0));
    }

    #[test]
    fn errors_count_as_utilization() {
        // 100 / (0.5 + 10 / 100 × penalty).
        assert_eq!(rule(&[], 3.0).weight(&metrics()), Some(125.0));
        assert_eq!(rule(&[], 5.0).weight(&metrics()), Some(100.0));
        let negative = Metrics { eps: -10.0, ..metrics() };
        assert_eq!(rule(&[], 5.0).weight(&negative), Some(200.0));
    }

    #[test]
    fn the_greatest_of_the_named_metrics_counts() {
        assert_eq!(rule(&["named_metrics.queue"], 0.0).weight(&metrics()), Some(250.0));
        let several = ["named_metrics.queue", "mem_utilization", "named_metrics.a.b"];
        assert_eq!(rule(&several, 0.0).weight(&metrics()), Some(125.0));
        assert_eq!(rule(&["utilization.disk"], 0.0).weight(&metrics()), Some(50.0));
    }

    #[test]
    fn named_metrics_without_a_value_leave_the_usual_ones() {
        let none = ["named_metrics.other", "utilization.net", "application_utilization"];
        assert_eq!(rule(&none, 0.0).weight(&metrics()), Some(200.0));
        let application = Metrics { application_utilization: 0.8, ..metrics() };
        assert_eq!(rule(&none[..2], 0.0).weight(&application), Some(125.0));
    }

    #[test]
    fn reports_that_say_nothing_of_use() {
        let rule = rule(&[], 1.0);
        assert_eq!(rule.weight(&Metrics::default()), None);
        assert_eq!(rule.weight(&Metrics { rps_fractional: 0.0, ..metrics() }), None);
        assert_eq!(rule.weight(&Metrics { cpu_utilization: 0.0, ..metrics() }), None);
        assert_eq!(rule.weight(&Metrics { cpu_utilization: f64::NAN, ..metrics() }), None);
        assert_eq!(rule.weight(&Metrics { rps_fractional: f64::NAN, ..metrics() }), None);
        assert_eq!(rule.weight(&Metrics { cpu_utilization: f64::INFINITY, ..metrics() }), None);
        assert_eq!(rule.weight(&Metrics { rps_fractional: 1e300, ..metrics() }), None);
    }

    #[test]
    fn is_of_use_after_the_blackout_period() {
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
    fn expires_and_then_begins_anew() {
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
    fn expired_unseen_it_needs_no_new_blackout() {
        // As in gRPC, which looks at weights when it makes a scheduler only.
        let weight = ReportedWeight::new();
        weight.report(2.0, s(0));
        weight.report(3.0, s(500));
        assert_eq!(weight.usable(s(500), s(180), s(10)), 3.0);
    }

    #[test]
    fn a_new_connection_begins_a_new_blackout() {
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
    fn without_a_blackout_period_it_is_of_use_at_once() {
        let weight = ReportedWeight::new();
        let usable = |now| weight.usable(s(now), s(180), s(0));
        assert_eq!(usable(0), 0.0);
        weight.report(2.0, s(1));
        assert_eq!(usable(1), 2.0);
        weight.reconnected();
        assert_eq!(usable(2), 2.0);
    }

    #[test]
    fn a_clock_that_other_threads_are_ahead_of_does_no_harm() {
        let weight = ReportedWeight::new();
        weight.report(2.0, s(30));
        assert_eq!(weight.usable(s(20), s(180), s(10)), 0.0);
        assert_eq!(weight.usable(s(20), s(180), s(0)), 2.0);
    }
}

#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A weight that is of use is one that was reported, whenever it is looked at.
    #[test]
    fn reports_race_with_a_look() {
        loom::model(|| {
            let weight = Arc::new(ReportedWeight::new());
            let report = {
                let weight = Arc::clone(&weight);
                loom::thread::spawn(move || weight.report(2.0, s(1)))
            };
            assert!([0.0, 2.0].contains(&weight.usable(s(11), s(180), s(10))));
            weight.report(3.0, s(1));
            assert!([2.0, 3.0].contains(&weight.usable(s(11), s(180), s(10))));
            report.join().unwrap();
            assert!([2.0, 3.0].contains(&weight.usable(s(11), s(180), s(10))));
        });
    }

    /// A report at the moment of expiry leaves what the next one makes good.
    #[test]
    fn a_report_races_with_expiry() {
        loom::model(|| {
            let weight = Arc::new(ReportedWeight::new());
            weight.report(2.0, s(0));
            let report = {
                let weight = Arc::clone(&weight);
                loom::thread::spawn(move || weight.report(3.0, s(200)))
            };
            let seen = weight.usable(s(200), s(180), s(10));
            assert!([0.0, 3.0].contains(&seen), "{seen}");
            report.join().unwrap();
            weight.report(4.0, s(201));
            assert_eq!(weight.usable(s(211), s(180), s(10)), 4.0);
        });
    }
}
