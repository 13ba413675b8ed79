//! Numbers over time, as plots and their tables show them.
//!
//! Must not depend on: what a report looks like.

use crate::outcome::{Intervals, Outcome};

/// The most steps of a timeline. A plot is some 350 pixels wide, and a table has a row for each
/// step, so intervals are merged if there are more.
const MOST_STEPS: usize = 120;

/// A part of the simulation with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its start.
    pub from: f64,
    /// Its end.
    pub until: f64,
    /// The number. `None` if there is none, for example no latency without calls.
    pub value: Option<f64>,
}

/// So many intervals become one step.
pub fn intervals_per_step(intervals: &Intervals) -> usize {
    intervals.calls.len().div_ceil(MOST_STEPS).max(1)
}

/// Counts of intervals, per second.
pub fn rates(outcome: &Outcome, counts: &[u64]) -> Vec<Step> {
    steps(&outcome.intervals, outcome.duration, |range, seconds| {
        let count: u64 = counts.get(range).unwrap_or_default().iter().sum();
        (seconds > 0.0).then(|| count as f64 / seconds)
    })
}

/// The greatest value of the intervals of each step.
pub fn greatest(outcome: &Outcome, value: impl Fn(usize) -> Option<f64>) -> Vec<Step> {
    steps(&outcome.intervals, outcome.duration, |range, _| {
        range.filter_map(&value).reduce(f64::max)
    })
}

/// The share of a group in all attempts.
pub fn shares(outcome: &Outcome, group: usize) -> Vec<Step> {
    let attempts = &outcome.intervals.attempts;
    let sum = |list: &[u64], range: std::ops::Range<usize>| -> u64 {
        list.get(range).unwrap_or_default().iter().sum()
    };
    steps(&outcome.intervals, outcome.duration, |range, _| {
        let all: u64 = attempts.iter().map(|list| sum(list, range.clone())).sum();
        let group = attempts.get(group).map_or(0, |list| sum(list, range));
        (all > 0).then(|| group as f64 / all as f64)
    })
}

/// Merges intervals to steps. `value` has the indices of a step's intervals and their seconds.
fn steps(
    intervals: &Intervals,
    duration: f64,
    value: impl Fn(std::ops::Range<usize>, f64) -> Option<f64>,
) -> Vec<Step> {
    let count = intervals.calls.len();
    let merged = intervals_per_step(intervals);
    let starts = (0..count).step_by(merged);
    starts
        .map(|start| {
            let end = (start + merged).min(count);
            let from = start as f64 * intervals.width;
            // The last interval may end after the simulation.
            let until = (end as f64 * intervals.width).min(duration.max(from));
            Step { from, until, value: value(start..end, until - from) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds of the steps of so many intervals of two seconds.
    fn bounds(intervals: usize, duration: f64) -> Vec<(f64, f64)> {
        let intervals = Intervals { width: 2.0, calls: vec![1; intervals], ..Intervals::default() };
        let steps = steps(&intervals, duration, |range, seconds| {
            (seconds > 0.0).then_some(range.len() as f64)
        });
        steps.iter().map(|step| (step.from, step.until)).collect()
    }

    #[test]
    fn last_step_ends_with_the_simulation() {
        assert_eq!(bounds(3, 5.0), [(0.0, 2.0), (2.0, 4.0), (4.0, 5.0)]);
        assert_eq!(bounds(0, 5.0), []);
    }

    #[test]
    fn many_intervals_are_merged() {
        assert_eq!(bounds(MOST_STEPS, 240.0).len(), MOST_STEPS);
        let merged = bounds(MOST_STEPS + 1, 242.0);
        assert_eq!(merged.len(), 61);
        assert_eq!((merged[0], merged[60]), ((0.0, 4.0), (240.0, 242.0)));
    }
}
