//! Comparisons of made-up outcomes.

mod common;

use common::sample::{self, Sample};
use steer_sim::compare::{self, Verdict, compare};
use steer_sim::outcome::Outcome;

/// Outcomes of one policy with these seeds. Its median latency is this.
fn outcomes(
    policy: &'static str,
    seeds: std::ops::RangeInclusive<u64>,
    median: f64,
) -> Vec<Outcome> {
    let sample = |seed| Sample { policy, seed, median, ..sample::usual() };
    seeds.map(|seed| sample(seed).outcome()).collect()
}

fn verdicts(first: &[Outcome], second: &[Outcome]) -> Vec<Verdict> {
    let comparison = compare(first, second);
    assert_eq!(comparison.scenarios.len(), 1);
    comparison.scenarios[0].measures.iter().map(|measure| measure.verdict).collect()
}

#[test]
fn lower_latency_is_better() {
    let slow = outcomes("round_robin", 1..=8, 0.02);
    let fast = outcomes("steer_peak_ewma", 1..=8, 0.01);
    let comparison = compare(&slow, &fast);
    let scenario = &comparison.scenarios[0];
    assert_eq!(
        (scenario.first.as_str(), scenario.second.as_str()),
        ("round_robin", "steer_peak_ewma")
    );
    assert_eq!(scenario.seeds, (1..=8).collect::<Vec<_>>());
    let p50 = &scenario.measures[0];
    assert_eq!((p50.name.as_str(), p50.pairs, p50.verdict), ("p50", 8, Verdict::Better));
    let (least, most) = p50.interval.unwrap();
    let difference = p50.difference.unwrap();
    assert!(least < difference && difference < most && most < 0.0);
    assert!((difference + 0.01).abs() < 0.001);
    assert_eq!(verdicts(&fast, &slow)[0], Verdict::Worse);
    assert!(comparison.unpaired.is_empty());
}

#[test]
fn equal_outcomes_show_no_difference() {
    let outcomes = outcomes("round_robin", 1..=8, 0.01);
    assert_eq!(verdicts(&outcomes, &outcomes), [Verdict::NoDifferenceShown; 8]);
}

#[test]
fn few_seeds_give_no_verdict() {
    for seeds in [1..=1, 1..=4] {
        let slow = outcomes("round_robin", seeds.clone(), 0.02);
        let fast = outcomes("round_robin", seeds, 0.01);
        assert_eq!(verdicts(&slow, &fast), [Verdict::NotEnoughSeeds; 8]);
    }
}

#[test]
fn only_equal_scenarios_policies_and_seeds_are_paired() {
    let mut first = outcomes("round_robin", 1..=3, 0.02);
    first.extend(outcomes("steer_peak_ewma", 1..=3, 0.01));
    let mut second = outcomes("steer_peak_ewma", 2..=4, 0.01);
    second.extend(outcomes("pick_first", 1..=2, 0.01));
    second.push(sample::one_server());
    let comparison = compare(&first, &second);
    assert_eq!(comparison.scenarios.len(), 1);
    assert_eq!(comparison.scenarios[0].seeds, [2, 3]);
    assert_eq!(
        comparison.unpaired,
        [
            "usual, round_robin, only in the first set: seed 1, 2, 3",
            "usual, steer_peak_ewma, only in the first set: seed 1",
            "usual, steer_peak_ewma, only in the second set: seed 4",
            "usual, pick_first, only in the second set: seed 1, 2",
            "one-server, pick_first, only in the second set: seed 1",
        ]
    );
}

#[test]
fn configs_are_named_if_only_they_differ() {
    let first = outcomes("round_robin", 1..=1, 0.01);
    let mut second = first.clone();
    second[0].config = serde_json::json!({"choiceCount": 5});
    let comparison = compare(&first, &second);
    assert_eq!(comparison.scenarios[0].first, "round_robin {\"choiceCount\":2}");
    assert_eq!(comparison.scenarios[0].second, "round_robin {\"choiceCount\":5}");
}

#[test]
fn outcomes_without_calls_have_nothing_to_compare() {
    let none = [sample::no_calls()];
    let comparison = compare(&none, &none);
    let p50 = &comparison.scenarios[0].measures[0];
    assert_eq!((p50.pairs, p50.first, p50.interval), (0, None, None));
    assert_eq!(p50.verdict, Verdict::NotEnoughSeeds);
    assert_eq!(compare(&[], &[]).scenarios, []);
}

#[test]
fn text_fits_a_terminal_and_json_has_snake_case() {
    let slow = outcomes("round_robin", 1..=8, 0.02);
    let comparison = compare(&slow, &outcomes("steer_outlier_detection", 1..=9, 0.01));
    let text = compare::text(&comparison);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(text.contains("better"), "{text}");
    assert!(text.contains("Not compared: usual, steer_outlier_detection"), "{text}");
    let json = serde_json::to_value(&comparison).unwrap();
    let p50 = &json["scenarios"][0]["measures"][0];
    assert_eq!((&p50["verdict"], &p50["unit"]), (&"better".into(), &"time".into()));
    assert_eq!(p50["interval"].as_array().unwrap().len(), 2);
}
