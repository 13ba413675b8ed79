//! What a custom metric is, and the limits of its names and labels.
//!
//! Must not depend on: its values.

use std::fmt;

/// The longest name of a metric or label.
const LONGEST_NAME: usize = 64;
/// The longest help, and the longest value of a label, in bytes: Prometheus holds each of them in
/// memory once for each series.
const LONGEST_TEXT: usize = 200;
/// The most labels.
const MOST_LABELS: usize = 8;
/// The most bounds of a histogram.
const MOST_BOUNDS: usize = 64;
/// The series of a metric whose author names no limit.
const USUAL_SERIES: u32 = 100;
/// The highest limit that an author may name: what one Prometheus server takes from one process
/// without trouble.
const MOST_SERIES: u32 = 10_000;

/// Ends of names that the text for Prometheus adds itself.
const RESERVED_ENDS: [&str; 6] = ["_total", "_count", "_sum", "_bucket", "_created", "_info"];

/// Labels that Steer's own samples have, or Prometheus' histograms.
const RESERVED: [&str; 5] = ["channel", "policy", "child", "plugin", "le"];

/// Prometheus' usual bounds, for times in seconds.
const USUAL_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The kind of a custom metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts values by their size.
    Histogram,
}

impl MetricKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

/// Why a series was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricError {
    /// A field is out of its range. The text says which, and what to do.
    Invalid(String),
    /// There are as many series, or metrics, as the limit allows.
    TooMany(String),
}

impl fmt::Display for MetricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MetricError::Invalid(text) | MetricError::TooMany(text) => f.write_str(text),
        }
    }
}

/// A custom metric, without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomMetric {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// What it measures, for people.
    pub help: String,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// The greatest value of each bucket of a histogram, rising. Empty for other kinds.
    pub bounds: Vec<f64>,
    /// The most series at one time.
    pub most_series: u32,
}

impl CustomMetric {
    /// Checks the fields. Zeros and empty bounds stand for the usual values.
    pub fn checked(mut self) -> Result<CustomMetric, MetricError> {
        let invalid = |text: String| Err(MetricError::Invalid(text));
        let CustomMetric { name, kind, help, labels, bounds, most_series } = &mut self;
        let title = format!("{} {name:?}", kind.name());
        if !is_name(name) || RESERVED_ENDS.iter().any(|end| name.ends_with(end)) {
            return invalid(format!(
                "{title}: a name has lower-case letters, digits and '_', at most {LONGEST_NAME}, \
                 begins with a letter and does not end in {}",
                RESERVED_ENDS.join(", ")
            ));
        }
        if help.len() > LONGEST_TEXT || help.contains('\n') {
            return invalid(format!(
                "{title}: its help is one line of at most {LONGEST_TEXT} bytes"
            ));
        }
        if labels.len() > MOST_LABELS {
            return invalid(format!(
                "{title}: it has {} labels, and at most {MOST_LABELS} are allowed",
                labels.len()
            ));
        }
        for (index, label) in labels.iter().enumerate() {
            if !is_name(label) || RESERVED.contains(&&**label) || labels[..index].contains(label) {
                return invalid(format!(
                    "{title}: label {label:?}: labels are different names, written as that of a \
                     metric, and not {}",
                    RESERVED.join(", ")
                ));
            }
        }
        if *kind != MetricKind::Histogram && !bounds.is_empty() {
            return invalid(format!("{title}: only histograms have bounds"));
        }
        if *kind == MetricKind::Histogram {
            if bounds.is_empty() {
                *bounds = USUAL_BOUNDS.to_vec();
            }
            let rise = bounds.windows(2).all(|pair| pair[0] < pair[1]);
            if bounds.len() > MOST_BOUNDS || !rise || !bounds.iter().all(|bound| bound.is_finite())
            {
                return invalid(format!(
                    "{title}: its bounds are at most {MOST_BOUNDS} finite numbers that rise"
                ));
            }
        }
        if *most_series > MOST_SERIES {
            return invalid(format!(
                "{title}: most_series is {most_series}, and at most {MOST_SERIES} are allowed"
            ));
        }
        if *most_series == 0 {
            *most_series = USUAL_SERIES;
        }
        Ok(self)
    }

    /// Checks the values of the labels of one series.
    pub(super) fn check_values(&self, values: &[String]) -> Result<(), MetricError> {
        let title = || format!("{} {:?}", self.kind.name(), self.name);
        if values.len() != self.labels.len() {
            let text =
                format!("{}: {} labels, {} values", title(), self.labels.len(), values.len());
            return Err(MetricError::Invalid(text));
        }
        match self.labels.iter().zip(values).find(|(_, value)| value.len() > LONGEST_TEXT) {
            None => Ok(()),
            Some((label, value)) => Err(MetricError::Invalid(format!(
                "{}: the value of label {label:?} has {} bytes, and at most {LONGEST_TEXT} are \
                 allowed",
                title(),
                value.len()
            ))),
        }
    }
}

fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase();
    name.len() <= LONGEST_NAME
        && name.as_bytes().first().copied().is_some_and(letter)
        && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn metric(kind: MetricKind) -> CustomMetric {
        CustomMetric {
            name: "name".into(),
            kind,
            help: "help".into(),
            labels: vec!["label".into()],
            bounds: Vec::new(),
            most_series: 0,
        }
    }

    #[track_caller]
    fn assert_invalid(metric: CustomMetric, text: &str) {
        match metric.checked() {
            Err(MetricError::Invalid(why)) => assert!(why.contains(text), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn zeros_stand_for_the_usual_values() {
        let histogram = metric(MetricKind::Histogram).checked().unwrap();
        assert_eq!((histogram.bounds.len(), histogram.most_series), (11, 100));
        let counter = metric(MetricKind::Counter).checked().unwrap();
        assert_eq!((counter.bounds.len(), counter.most_series), (0, 100));
    }

    #[test]
    fn fields_out_of_range_are_refused() {
        let counter = || metric(MetricKind::Counter);
        for name in ["", "Upper", "1st", "a-b", "a_total", "a_sum", &"a".repeat(65)] {
            assert_invalid(CustomMetric { name: name.into(), ..counter() }, "a name has");
        }
        assert_invalid(CustomMetric { help: "a\nb".into(), ..counter() }, "one line");
        let labels = vec!["a".to_owned(); 9];
        assert_invalid(CustomMetric { labels, ..counter() }, "9 labels");
        for labels in [vec!["policy".into()], vec!["a".into(), "a".into()], vec!["".into()]] {
            assert_invalid(CustomMetric { labels, ..counter() }, "different names");
        }
        assert_invalid(CustomMetric { bounds: vec![1.0], ..counter() }, "only histograms");
        for bounds in [vec![2.0, 1.0], vec![1.0, 1.0], vec![f64::INFINITY], vec![0.0; 65]] {
            let histogram = CustomMetric { bounds, ..metric(MetricKind::Histogram) };
            assert_invalid(histogram, "numbers that rise");
        }
        assert_invalid(CustomMetric { most_series: 10_001, ..counter() }, "10001");
    }

    #[test]
    fn values_of_labels_are_checked() {
        let counter = metric(MetricKind::Counter).checked().unwrap();
        assert_eq!(counter.check_values(&["any\n\"text\"".into()]), Ok(()));
        assert!(counter.check_values(&[]).is_err());
        assert!(counter.check_values(&["a".repeat(201)]).is_err());
    }
}
