//! The custom metrics of one policy or plugin, by name and labels.
//!
//! Must not depend on: how values are written, the formats of a snapshot.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::metric::{CustomMetric, MetricError, MetricKind};
use super::snapshot::{CustomMetricStats, CustomSeriesStats};
use super::values::{Counter, Gauge, Histogram};
use crate::sync::Mutex;

/// The most custom metrics of one policy or plugin.
const MOST_METRICS: usize = 100;

/// A series of a custom metric: its value. Ends with the last handle of its author.
#[derive(Debug)]
pub enum Series {
    /// Of a counter.
    Counter(Counter),
    /// Of a gauge.
    Gauge(Gauge),
    /// Of a histogram.
    Histogram(Histogram),
}

impl Series {
    fn new(metric: &CustomMetric) -> Series {
        match metric.kind {
            MetricKind::Counter => Series::Counter(Counter::new()),
            MetricKind::Gauge => Series::Gauge(Gauge::new()),
            MetricKind::Histogram => Series::Histogram(Histogram::new(&metric.bounds)),
        }
    }
}

/// A metric with its series, by the values of their labels.
#[derive(Debug)]
struct Family {
    metric: CustomMetric,
    series: BTreeMap<Vec<String>, Weak<Series>>,
}

impl Family {
    /// Forgets series that nobody holds. Returns whether there are others.
    fn prune(&mut self) -> bool {
        self.series.retain(|_, series| series.strong_count() > 0);
        !self.series.is_empty()
    }
}

/// The custom metrics of one policy of a channel, or of one plugin. Any thread.
///
/// Made by the policy or plugin. Statistics read it on any thread. Owns no series.
#[derive(Debug, Default)]
pub struct CustomMetrics(Mutex<BTreeMap<String, Family>>);

impl CustomMetrics {
    /// The series of this metric with these values of its labels. Makes it if there is none.
    ///
    /// If the name is that of a metric with another type, `replaces` says whether this one takes
    /// its place. The former one's series live on, and are not shown any more.
    pub fn series(
        &self,
        metric: CustomMetric,
        values: Vec<String>,
        replaces: bool,
    ) -> Result<Arc<Series>, MetricError> {
        let metric = metric.checked()?;
        metric.check_values(&values)?;
        let mut families = self.0.lock();
        let same = families.get(&metric.name).is_some_and(|family| family.metric == metric);
        if !same {
            Self::make_room(&mut families, &metric, replaces)?;
        }
        let (name, series) = (metric.name.clone(), BTreeMap::new());
        let family = families.entry(name).or_insert(Family { metric, series });
        if let Some(series) = family.series.get(&values).and_then(Weak::upgrade) {
            return Ok(series);
        }
        let most = family.metric.most_series as usize;
        if family.series.len() >= most {
            family.prune();
        }
        if family.series.len() >= most {
            return Err(MetricError::TooMany(format!(
                "{} {:?}: it has {most} series already, as many as its most_series allows: \
                 release handles that nobody needs, or use labels with fewer values",
                family.metric.kind.name(),
                family.metric.name
            )));
        }
        let series = Arc::new(Series::new(&family.metric));
        family.series.insert(values, Arc::downgrade(&series));
        Ok(series)
    }

    /// Makes room for a metric that is new, or that has another type than before.
    fn make_room(
        families: &mut BTreeMap<String, Family>,
        metric: &CustomMetric,
        replaces: bool,
    ) -> Result<(), MetricError> {
        if let Some(family) = families.get_mut(&metric.name) {
            if family.prune() && !replaces {
                return Err(MetricError::Invalid(format!(
                    "{} {:?}: a {} of this name has another help, other labels, bounds or \
                     most_series, or is of another kind",
                    metric.kind.name(),
                    metric.name,
                    family.metric.kind.name()
                )));
            }
            families.remove(&metric.name);
        }
        if families.len() >= MOST_METRICS {
            families.retain(|_, family| family.prune());
        }
        if families.len() >= MOST_METRICS {
            return Err(MetricError::TooMany(format!(
                "{} {:?}: there are {MOST_METRICS} custom metrics already, as many as a policy or \
                 plugin may have",
                metric.kind.name(),
                metric.name
            )));
        }
        Ok(())
    }

    /// All metrics that have series.
    pub fn stats(&self) -> Vec<CustomMetricStats> {
        let families = self.0.lock();
        let stats = families.values().map(|family| {
            let series = family.series.iter().filter_map(|(values, series)| {
                let value = match &*series.upgrade()? {
                    Series::Counter(counter) => counter.value(),
                    Series::Gauge(gauge) => gauge.value(),
                    Series::Histogram(histogram) => histogram.value(),
                };
                let labels = family.metric.labels.iter().cloned().zip(values.iter().cloned());
                Some(CustomSeriesStats { labels: labels.collect(), value })
            });
            CustomMetricStats {
                name: family.metric.name.clone(),
                kind: family.metric.kind,
                help: family.metric.help.clone(),
                series: series.collect(),
            }
        });
        stats.filter(|metric| !metric.series.is_empty()).collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn counter(name: &str, most_series: u32) -> CustomMetric {
        CustomMetric {
            name: name.into(),
            kind: MetricKind::Counter,
            help: String::new(),
            labels: vec!["zone".into()],
            bounds: Vec::new(),
            most_series,
        }
    }

    fn add(series: &Series, number: u64) {
        let Series::Counter(counter) = series else { panic!("{series:?}") };
        counter.add(number);
    }

    fn values(metrics: &CustomMetrics) -> Vec<String> {
        let stats = metrics.stats();
        let series = stats.iter().flat_map(|metric| {
            metric.series.iter().map(|series| format!("{} {:?}", metric.name, series))
        });
        series.collect()
    }

    #[test]
    fn a_series_lives_as_long_as_a_handle() {
        let metrics = CustomMetrics::default();
        let a = metrics.series(counter("c", 0), vec!["a".into()], false).unwrap();
        let again = metrics.series(counter("c", 0), vec!["a".into()], false).unwrap();
        let b = metrics.series(counter("c", 0), vec!["b".into()], false).unwrap();
        add(&a, 1);
        add(&again, 2);
        add(&b, 4);
        drop(a);
        let [a_series, b_series] = &values(&metrics)[..] else { panic!() };
        assert!(a_series.contains("value: 3") && b_series.contains("value: 4"));
        drop(again);
        assert_eq!(values(&metrics).len(), 1);
        drop(b);
        assert_eq!(metrics.stats(), []);
    }

    #[test]
    fn there_are_limits() {
        let metrics = CustomMetrics::default();
        let series = |value: &str| metrics.series(counter("c", 2), vec![value.into()], false);
        let (a, _b) = (series("a").unwrap(), series("b").unwrap());
        let MetricError::TooMany(why) = series("c").unwrap_err() else { panic!() };
        assert!(why.contains("2 series already"), "{why}");
        drop(a);
        let _c = series("c").unwrap();
        let others: Vec<_> = (1..MOST_METRICS)
            .map(|number| {
                metrics.series(counter(&format!("m{number}"), 0), vec!["a".into()], false).unwrap()
            })
            .collect();
        let one_more = || metrics.series(counter("more", 0), vec!["a".into()], false);
        assert!(matches!(one_more(), Err(MetricError::TooMany(_))));
        drop(others);
        one_more().unwrap();
    }

    #[test]
    fn a_name_has_one_type() {
        let metrics = CustomMetrics::default();
        let first = metrics.series(counter("c", 0), vec!["a".into()], false).unwrap();
        let other = || CustomMetric { help: "other".into(), ..counter("c", 0) };
        let MetricError::Invalid(why) =
            metrics.series(other(), vec!["a".into()], false).unwrap_err()
        else {
            panic!()
        };
        assert!(why.contains("another help"), "{why}");
        let second = metrics.series(other(), vec!["a".into()], true).unwrap();
        assert_eq!(metrics.stats()[0].help, "other");
        drop((first, second));
        // Nobody has a series of it any more.
        metrics.series(counter("c", 0), vec!["a".into()], false).unwrap();
    }
}
