//! How a load report becomes a weight.
//!
//! weight = qps / (utilization + eps / qps × errorUtilizationPenalty).
//!
//! Source: gRFC A58, gRFC A114 (which utilization), and the arithmetic of gRPC's
//! `weighted_round_robin.cc`.
//!
//! Must not depend on: when a weight is usable.

use crate::calls::{LoadReport, Numbers};

/// A metric that can be used as a backend's utilization (gRFC A114).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UtilizationMetric {
    /// `cpu_utilization`.
    Cpu,
    /// `mem_utilization`.
    Mem,
    /// `application_utilization`.
    Application,
    /// `named_metrics.NAME`: a metric that the application defines.
    Named(String),
    /// `utilization.NAME`: the used share of the resource of this name.
    Resource(String),
}

impl UtilizationMetric {
    /// The metric with this name. `None` if there is none.
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

    /// Its value in a load report, which has these numbers. 0 if it is not reported.
    fn value_in(&self, report: LoadReport<'_>, numbers: &Numbers) -> f64 {
        match self {
            UtilizationMetric::Cpu => numbers.cpu_utilization,
            UtilizationMetric::Mem => numbers.mem_utilization,
            UtilizationMetric::Application => numbers.application_utilization,
            UtilizationMetric::Named(name) => report.named_metric(name).unwrap_or(0.0),
            UtilizationMetric::Resource(name) => report.utilization(name).unwrap_or(0.0),
        }
    }
}

/// How a report becomes a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightRule {
    /// The utilization is the greatest of these that is above 0.
    pub utilization_metrics: Vec<UtilizationMetric>,
    /// How much errors count against a backend.
    pub error_utilization_penalty: f32,
}

impl WeightRule {
    /// The weight by this load report. `None` if the report has no usable numbers. Reads only the
    /// fields that it needs, and allocates nothing.
    pub fn weight(&self, report: LoadReport<'_>) -> Option<f32> {
        let numbers = report.numbers()?;
        let (qps, eps) = (numbers.qps(), numbers.eps);
        let utilization = self.utilization(report, &numbers);
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

    /// The utilization by the chosen metrics. If none of them is above 0: of the application. If
    /// that is not above 0 either: of the processors.
    fn utilization(&self, report: LoadReport<'_>, numbers: &Numbers) -> f64 {
        let metrics = self.utilization_metrics.iter();
        let chosen = metrics.map(|metric| metric.value_in(report, numbers));
        let chosen = chosen.filter(|value| *value > 0.0).fold(0.0, f64::max);
        [chosen, numbers.application_utilization]
            .into_iter()
            .find(|value| *value > 0.0)
            .unwrap_or(numbers.cpu_utilization)
    }
}
