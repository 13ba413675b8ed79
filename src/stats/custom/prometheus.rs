//! Custom metrics in the OpenMetrics text format.
//!
//! All metrics with the same name and kind are one family, whichever policies have them.
//!
//! Must not depend on: where a snapshot comes from.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::metric::MetricKind;
use super::snapshot::{CustomMetricStats, CustomValue};
use crate::stats::buckets::to_buckets;

type Labels = Vec<(String, String)>;

/// The custom metrics of a snapshot. Lives for one encoding.
#[derive(Debug, Default)]
pub(in crate::stats) struct CustomExposition(BTreeMap<(String, MetricKind), Family>);

#[derive(Debug)]
struct Family {
    help: String,
    series: Vec<(Labels, CustomValue)>,
}

impl CustomExposition {
    /// Adds the metrics of a policy or plugin. Their samples get `labels` before their own.
    pub(in crate::stats) fn add(&mut self, labels: &[(&str, &str)], metrics: &[CustomMetricStats]) {
        for metric in metrics {
            let family = self.0.entry((metric.name.clone(), metric.kind));
            let family =
                family.or_insert_with(|| Family { help: metric.help.clone(), series: Vec::new() });
            for series in &metric.series {
                let common = labels.iter().map(|(name, value)| (*name, *value));
                let own = series.labels.iter().map(|(name, value)| (&**name, &**value));
                let all =
                    common.chain(own).map(|(name, value)| (name.to_owned(), value.to_owned()));
                family.series.push((all.collect(), series.value.clone()));
            }
        }
    }
}

impl Collector for CustomExposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut kinds: HashMap<&str, usize> = HashMap::new();
        self.0.keys().for_each(|(name, _)| *kinds.entry(name).or_default() += 1);
        for ((name, kind), family) in &self.0 {
            // The format allows a name one kind.
            let mut full = format!("steer_custom_{name}");
            if kinds[&**name] > 1 {
                full = format!("{full}_{}", kind.name());
            }
            let help = if family.help.is_empty() { "Not documented" } else { &family.help };
            let kind = match kind {
                MetricKind::Counter => MetricType::Counter,
                MetricKind::Gauge => MetricType::Gauge,
                MetricKind::Histogram => MetricType::Histogram,
            };
            let mut to = encoder.encode_descriptor(&full, help, None, kind)?;
            for (labels, value) in &family.series {
                let mut to = to.encode_family(labels)?;
                match value {
                    CustomValue::Count { value } => {
                        to.encode_counter::<NoLabelSet, _, f64>(value, None)
                    }
                    CustomValue::Number { value } => to.encode_gauge(value),
                    CustomValue::Histogram { count, sum, cumulative } => {
                        let buckets = to_buckets(cumulative, *count);
                        to.encode_histogram::<NoLabelSet>(*sum, *count, &buckets, None)
                    }
                }?;
            }
        }
        Ok(())
    }
}
