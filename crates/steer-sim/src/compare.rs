//! Compares two sets of outcomes: two policies, or two versions of one, or of this program.
//!
//! Outcomes of the same scenario and the same seed make a pair: both simulations had the same
//! calls, so much of the noise is in both and cancels out. For each measure, the differences of the
//! pairs give a mean and a 95% interval by Student's t.
//!
//! Must not depend on: how outcomes come about, files, the command line.

mod render;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::outcome::Outcome;
use crate::outcome::Unit;
use crate::report::cases::{Case, PolicyRuns, cases};
use crate::report::measures::{self, Measure};

pub use render::{html, text};

/// What is compared. Lower is better for all of them.
const MEASURES: [&Measure; 8] = [
    &measures::P50,
    &measures::P95,
    &measures::P99,
    &measures::P99_9,
    &measures::ERRORS,
    &measures::FULLEST_OVER_MEAN,
    &measures::ATTEMPTS_PER_CALL,
    &measures::MOST_IN_FLIGHT,
];
/// The share of intervals that contain the real difference.
const CONFIDENCE: f64 = 0.95;
/// The fewest pairs for a verdict. With fewer, counts that differ by the same number in each pair
/// have no spread, and would look certain.
const LEAST_PAIRS: usize = 5;

/// What became better and worse from the first to the second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Each scenario and pair of policies.
    pub scenarios: Vec<ScenarioComparison>,
    /// The outcomes that have no counterpart, in words.
    pub unpaired: Vec<String>,
}

/// A scenario, with a policy of the first set and one of the second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioComparison {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The policy of the first set.
    pub first: String,
    /// The policy of the second set.
    pub second: String,
    /// The seeds that both have.
    pub seeds: Vec<u64>,
    /// The measures.
    pub measures: Vec<MeasureComparison>,
}

/// A measure of two policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasureComparison {
    /// Its name.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
    /// The pairs that have a value on both sides.
    pub pairs: usize,
    /// The mean of the first side. `None` without pairs. So are all of these.
    pub first: Option<f64>,
    /// The mean of the second side.
    pub second: Option<f64>,
    /// The mean difference: second minus first. Negative is better.
    pub difference: Option<f64>,
    /// The interval that contains the real difference with a confidence of 95%. `None` with fewer
    /// than two pairs.
    pub interval: Option<(f64, f64)>,
    /// What the interval shows.
    pub verdict: Verdict,
}

/// What a comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second is better: the interval is below 0.
    Better,
    /// The second is worse: the interval is above 0.
    Worse,
    /// The interval contains 0.
    NoDifferenceShown,
    /// There are too few pairs to say.
    NotEnoughSeeds,
}

/// Compares outcomes. If a scenario has one policy on each side, these two are compared. Otherwise
/// equal policies with equal configs are.
pub fn compare(first: &[Outcome], second: &[Outcome]) -> Comparison {
    let mut comparison = Comparison { scenarios: Vec::new(), unpaired: Vec::new() };
    let (first, second) = (cases(first), cases(second));
    for case in &first {
        let other = second.iter().find(|other| other.first.scenario == case.first.scenario);
        for policy in &case.policies {
            let counterpart = other.and_then(|other| counterpart(case, policy, other));
            match counterpart {
                Some(counterpart) => add(&mut comparison, policy, counterpart),
                None => comparison.add_unpaired("first", policy, &[]),
            }
        }
    }
    for case in &second {
        let other = first.iter().find(|other| other.first.scenario == case.first.scenario);
        for policy in &case.policies {
            if other.and_then(|other| counterpart(case, policy, other)).is_none() {
                comparison.add_unpaired("second", policy, &[]);
            }
        }
    }
    comparison
}

/// The policy of the other side that a policy is compared with.
fn counterpart<'a>(
    case: &Case,
    policy: &PolicyRuns,
    other: &'a Case,
) -> Option<&'a PolicyRuns<'a>> {
    if let ([_], [only]) = (&case.policies[..], &other.policies[..]) {
        return Some(only);
    }
    let key =
        |policy: &PolicyRuns| (policy.plotted().policy.clone(), policy.plotted().config.clone());
    other.policies.iter().find(|other| key(other) == key(policy))
}

/// Adds the comparison of two policies, with the seeds that both have.
fn add(comparison: &mut Comparison, first: &PolicyRuns, second: &PolicyRuns) {
    let with_seed =
        |policy: &PolicyRuns, seed| policy.outcomes.iter().position(|outcome| outcome.seed == seed);
    let mut pairs = Vec::new();
    for outcome in &first.outcomes {
        if let Some(index) = with_seed(second, outcome.seed) {
            pairs.push((*outcome, second.outcomes[index]));
        }
    }
    let seeds: Vec<u64> = pairs.iter().map(|(outcome, _)| outcome.seed).collect();
    comparison.add_unpaired("first", first, &seeds);
    comparison.add_unpaired("second", second, &seeds);
    if pairs.is_empty() {
        return;
    }
    let (first_label, second_label) = labels(first, second);
    comparison.scenarios.push(ScenarioComparison {
        scenario: first.plotted().scenario.clone(),
        title: first.plotted().title.clone(),
        first: first_label,
        second: second_label,
        seeds,
        measures: MEASURES.iter().map(|measure| compare_measure(measure, &pairs)).collect(),
    });
}

/// The labels of two policies. If only their configs differ, these are in the labels.
fn labels(first: &PolicyRuns, second: &PolicyRuns) -> (String, String) {
    let (one, other) = (&first.plotted().config, &second.plotted().config);
    if first.label == second.label && one != other {
        (format!("{} {one}", first.label), format!("{} {other}", second.label))
    } else {
        (first.label.clone(), second.label.clone())
    }
}

impl Comparison {
    /// Notes the outcomes of a policy whose seeds are not among the paired ones.
    fn add_unpaired(&mut self, side: &str, policy: &PolicyRuns, paired: &[u64]) {
        let seeds = policy.outcomes.iter().map(|outcome| outcome.seed);
        let alone: Vec<_> =
            seeds.filter(|seed| !paired.contains(seed)).map(|seed| seed.to_string()).collect();
        if !alone.is_empty() {
            self.unpaired.push(format!(
                "{}, {}, only in the {side} set: seed {}",
                policy.plotted().scenario,
                policy.label,
                alone.join(", ")
            ));
        }
    }
}

fn compare_measure(measure: &Measure, pairs: &[(&Outcome, &Outcome)]) -> MeasureComparison {
    let values = pairs
        .iter()
        .filter_map(|(first, second)| Some(((measure.value)(first)?, (measure.value)(second)?)));
    let values: Vec<(f64, f64)> = values.collect();
    let differences: Vec<f64> = values.iter().map(|(first, second)| second - first).collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    let interval = interval(&differences);
    let verdict = match interval {
        Some(_) if differences.len() < LEAST_PAIRS => Verdict::NotEnoughSeeds,
        Some((_, most)) if most < 0.0 => Verdict::Better,
        Some((least, _)) if least > 0.0 => Verdict::Worse,
        Some(_) => Verdict::NoDifferenceShown,
        None => Verdict::NotEnoughSeeds,
    };
    MeasureComparison {
        name: measure.name.to_string(),
        unit: measure.unit,
        pairs: values.len(),
        first: mean(&mut values.iter().map(|(first, _)| *first)),
        second: mean(&mut values.iter().map(|(_, second)| *second)),
        difference: mean(&mut differences.iter().copied()),
        interval,
        verdict,
    }
}

/// The interval of the mean of these differences, by Student's t. `None` with fewer than two.
fn interval(differences: &[f64]) -> Option<(f64, f64)> {
    let count = differences.len() as f64;
    let t = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let mean = differences.iter().sum::<f64>() / count;
    let squares: f64 = differences.iter().map(|value| (value - mean) * (value - mean)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let half = t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error;
    Some((mean - half, mean + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_is_that_of_a_paired_t_test() {
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&[1.0]), None);
        // Gosset's example of 1908: the hours of sleep that ten patients gained by one drug over
        // another. R: t.test(extra ~ group, sleep, paired) gives 0.7001142 and 2.4598858.
        let sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let (least, most) = interval(&sleep).unwrap();
        assert!((least - 0.700_114_2).abs() < 1e-6, "{least}");
        assert!((most - 2.459_885_8).abs() < 1e-6, "{most}");
        assert_eq!(interval(&[2.0, 2.0, 2.0]), Some((2.0, 2.0)));
    }
}
