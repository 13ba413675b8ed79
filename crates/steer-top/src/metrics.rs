//! The custom metrics of a channel as rows: of its policy, of the policy's children, and of the
//! plugins of the process.
//!
//! Must not depend on: where statistics come from, how rows are shown.

use std::collections::HashMap;

use crate::stats::{Channel, CustomMetric, Plugin, Value};

/// One series of a custom metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRow {
    /// The metric's name.
    pub name: String,
    /// Its labels with their values, as text.
    pub labels: String,
    /// Its value.
    pub value: Value,
    /// What a counter, or the number of values in a histogram, grew by per second.
    pub rate: Option<f64>,
}

impl MetricRow {
    /// The mean of the values in a histogram.
    pub fn mean(&self) -> Option<f64> {
        match self.value {
            Value::Histogram { count, sum } if count > 0 => Some(sum? / count as f64),
            _ => None,
        }
    }

    /// The number that only grows.
    fn count(&self) -> Option<u64> {
        match self.value {
            Value::Count { value: count } | Value::Histogram { count, .. } => Some(count),
            Value::Number { .. } => None,
        }
    }
}

/// All rows of a channel. Without rates.
pub fn rows(channel: &Channel, plugins: &[Plugin]) -> Vec<MetricRow> {
    let mut rows = Vec::new();
    of_policy(channel, "", &mut rows);
    for plugin in plugins {
        add(&plugin.custom_metrics, &[("plugin", &plugin.name)], &mut rows);
    }
    rows
}

fn of_policy(channel: &Channel, child: &str, rows: &mut Vec<MetricRow>) {
    let common = [("child", child)];
    add(&channel.custom_metrics, if child.is_empty() { &[] } else { &common }, rows);
    for one in &channel.children {
        let name = one.child.as_deref().unwrap_or_default();
        let path = if child.is_empty() { name.to_owned() } else { format!("{child}/{name}") };
        of_policy(one, &path, rows);
    }
}

fn add(metrics: &[CustomMetric], common: &[(&str, &str)], rows: &mut Vec<MetricRow>) {
    for metric in metrics {
        for series in &metric.series {
            let common = common.iter().copied();
            let own = series.labels.iter().map(|(name, value)| (&**name, &**value));
            let labels: Vec<String> =
                common.chain(own).map(|(name, value)| format!("{name}={value}")).collect();
            let (name, labels) = (metric.name.clone(), labels.join(" "));
            rows.push(MetricRow { name, labels, value: series.value.clone(), rate: None });
        }
    }
}

/// Sets the rates, from the rows of the previous poll and the seconds since then.
pub fn set_rates(rows: &mut [MetricRow], before: &[MetricRow], seconds: f64) {
    let before: HashMap<_, _> =
        before.iter().map(|row| ((&row.name, &row.labels), row.count())).collect();
    for row in rows {
        let former = before.get(&(&row.name, &row.labels)).copied().flatten();
        let more = row.count().zip(former).and_then(|(now, former)| now.checked_sub(former));
        row.rate = more.filter(|_| seconds > 0.0).map(|more| more as f64 / seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stats;

    fn poll(calls: u64) -> Vec<MetricRow> {
        let text = r#"{"steer":"0.1.0","channels":[{"id":1,"policy":"p","state":"READY",
            "custom_metrics":[{"name":"calls","kind":"counter","help":"","series":[
              {"labels":{"zone":"a","why":"b c"},"value":CALLS}]},
             {"name":"depth","kind":"gauge","help":"","series":[
              {"labels":{},"value":1.5},{"labels":{"of":"x"},"value":null}]}],
            "children":[{"id":2,"policy":"q","state":"READY","child":"inner","custom_metrics":[
             {"name":"sizes","kind":"histogram","help":"","series":[
              {"labels":{},"count":4,"sum":6.0,"cumulative":[[1.0,2]]}]}]}]}],
            "plugins":[{"name":"mine","custom_metrics":[
             {"name":"loads","kind":"counter","help":"","series":[{"labels":{},"value":2}]}]}]}"#;
        let stats: Stats =
            serde_json::from_str(&text.replace("CALLS", &calls.to_string())).unwrap();
        rows(&stats.channels[0], &stats.plugins)
    }

    #[test]
    fn rows_are_those_of_the_policy_its_children_and_plugins() {
        let (before, mut now) = (poll(10), poll(16));
        set_rates(&mut now, &before, 2.0);
        let shown: Vec<_> = now
            .iter()
            .map(|row| (&*row.name, &*row.labels, row.count(), row.rate, row.mean()))
            .collect();
        assert_eq!(
            shown,
            [
                ("calls", "why=b c zone=a", Some(16), Some(3.0), None),
                ("depth", "", None, None, None),
                ("depth", "of=x", None, None, None),
                ("sizes", "child=inner", Some(4), Some(0.0), Some(1.5)),
                ("loads", "plugin=mine", Some(2), Some(0.0), None),
            ]
        );
        assert_eq!(now[1].value, Value::Number { value: Some(1.5) });
        assert_eq!(now[2].value, Value::Number { value: None });
        // A process that was restarted.
        let mut restarted = poll(5);
        set_rates(&mut restarted, &before, 2.0);
        assert_eq!(restarted[0].rate, None);
    }
}
