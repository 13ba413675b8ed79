//! What an outcome is measured by, and the spread of such a number over seeds.
//!
//! Must not depend on: what a report looks like.

use crate::outcome::{Outcome, Server, Unit};

/// A number that an outcome has. Lower is better for all of them.
pub struct Measure {
    /// Its name, such as `p99`.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// Its value. `None` if the outcome has none, for example no latency without calls.
    pub value: fn(&Outcome) -> Option<f64>,
}

/// The median latency.
pub const P50: Measure = Measure { name: "p50", unit: Unit::Time, value: |o| o.latency.at(0.5) };
/// The latency that 95% of calls do not exceed.
pub const P95: Measure = Measure { name: "p95", unit: Unit::Time, value: |o| o.latency.at(0.95) };
/// The latency that 99% of calls do not exceed.
pub const P99: Measure = Measure { name: "p99", unit: Unit::Time, value: |o| o.latency.at(0.99) };
/// The latency that 99.9% of calls do not exceed.
pub const P99_9: Measure =
    Measure { name: "p99.9", unit: Unit::Time, value: |o| o.latency.at(0.999) };
/// The greatest latency.
pub const MAX: Measure = Measure {
    name: "max",
    unit: Unit::Time,
    value: |o| (!o.latency.quantiles.is_empty()).then_some(o.latency.max),
};
/// The share of calls that failed.
pub const ERRORS: Measure =
    Measure { name: "errors", unit: Unit::Share, value: |o| (o.calls > 0).then_some(o.errors) };
/// The greatest share of a server in all attempts.
pub const FULLEST_SHARE: Measure =
    Measure { name: "fullest server", unit: Unit::Share, value: fullest_share };
/// As the limit `Fullest` of scenarios: a multiple of the mean of the servers that had any call.
pub const FULLEST_OVER_MEAN: Measure =
    Measure { name: "fullest over mean", unit: Unit::Number, value: fullest_over_mean };
/// Attempts for each call.
pub const ATTEMPTS_PER_CALL: Measure = Measure {
    name: "attempts per call",
    unit: Unit::Number,
    value: |o| (o.calls > 0).then(|| o.attempts as f64 / o.calls as f64),
};
/// The most calls that were in flight at one server at once.
pub const MOST_IN_FLIGHT: Measure = Measure {
    name: "most in flight",
    unit: Unit::Number,
    value: |o| o.servers.iter().map(|server| server.most_in_flight as f64).reduce(f64::max),
};

/// The server with the most attempts. `None` if there was no attempt.
fn fullest(outcome: &Outcome) -> Option<&Server> {
    outcome.servers.iter().max_by_key(|server| server.attempts).filter(|s| s.attempts > 0)
}

fn fullest_share(outcome: &Outcome) -> Option<f64> {
    fullest(outcome).map(|server| server.share)
}

fn fullest_over_mean(outcome: &Outcome) -> Option<f64> {
    let most = fullest(outcome)?.attempts as f64;
    let used = outcome.servers.iter().filter(|server| server.attempts > 0).count() as f64;
    let sum: u64 = outcome.servers.iter().map(|server| server.attempts).sum();
    Some(most * used / sum as f64)
}

/// The median of a number over seeds, with its least and greatest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least value.
    pub least: f64,
    /// The greatest value.
    pub most: f64,
}

impl Spread {
    /// The spread of a measure over outcomes. `None` if no outcome has a value.
    pub fn over_seeds(measure: &Measure, outcomes: &[&Outcome]) -> Option<Spread> {
        Spread::from_values(outcomes.iter().filter_map(|outcome| (measure.value)(outcome)))
    }

    /// The spread of these values. `None` if there are none.
    pub fn from_values(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => return None,
            length if length % 2 == 1 => values[middle],
            _ => (values[middle - 1] + values[middle]) / 2.0,
        };
        Some(Spread { median, least: values[0], most: values[values.len() - 1] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_has_median_least_and_most() {
        let spread = |values: &[f64]| Spread::from_values(values.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[2.0]), Some(Spread { median: 2.0, least: 2.0, most: 2.0 }));
        let odd = Spread { median: 2.0, least: 1.0, most: 9.0 };
        assert_eq!(spread(&[9.0, 1.0, 2.0]), Some(odd));
        let even = Spread { median: 2.5, least: 1.0, most: 4.0 };
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some(even));
    }
}
