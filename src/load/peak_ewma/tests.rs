use proptest::prelude::*;

use super::*;
use crate::Status;

#[test]
fn the_short_series_equals_the_exponential() {
    for x in [0.0, 1e-12, 1e-5, 9.99e-4, 1e-3, 0.1, 700.0_f64] {
        for x in [x, -x] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-13, "{x}");
        }
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A new estimate at 0, with a decay time of 10 s and a default RTT of 30 ms.
fn ewma() -> PeakEwma {
    PeakEwma::new(&Arc::new(EwmaRule::new(ms(10_000), ms(30))), ms(0))
}

/// In milliseconds.
fn estimate(ewma: &PeakEwma, now: u64) -> f64 {
    ewma.estimate(ms(now)).as_secs_f64() * 1e3
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-5, "{value}, expected {expected}");
}

#[test]
fn begins_at_the_default_and_decays() {
    let ewma = ewma();
    assert_near(estimate(&ewma, 0), 30.0);
    assert_near(estimate(&ewma, 10_000), 30.0 / std::f64::consts::E);
    assert_near(estimate(&ewma, 20_000), 30.0 * (-2.0f64).exp());
}

#[test]
fn rises_at_once_and_falls_slowly() {
    let ewma = ewma();
    ewma.observe(Outcome::Served, ms(100), ms(0));
    assert_near(estimate(&ewma, 0), 100.0);
    ewma.observe(Outcome::Served, ms(50), ms(10_000));
    let fallen = 50.0 + 50.0 * (-1.0f64).exp();
    assert_near(estimate(&ewma, 10_000), fallen);
    // At the same time: the estimate does not fall again.
    ewma.observe(Outcome::Served, ms(10), ms(10_000));
    assert_near(estimate(&ewma, 10_000), fallen);
    ewma.observe(Outcome::Served, ms(10), ms(15_000));
    assert_near(estimate(&ewma, 15_000), 10.0 + (fallen - 10.0) * (-0.5f64).exp());
    ewma.observe(Outcome::Served, ms(80), ms(15_001));
    assert_near(estimate(&ewma, 15_001), 80.0);
}

#[test]
fn an_earlier_update_lets_no_time_pass() {
    let ewma = ewma();
    ewma.observe(Outcome::Served, ms(100), ms(5_000));
    ewma.observe(Outcome::Served, ms(10), ms(4_000));
    assert_near(estimate(&ewma, 5_000), 100.0);
    assert_near(estimate(&ewma, 4_000), 100.0);
}

#[test]
fn failures_in_a_row_double_it_up_to_the_limit() {
    let ewma = ewma();
    let after: Vec<u64> = (0..12)
        .map(|_| {
            ewma.observe(Outcome::Failed, ms(1), ms(0));
            ewma.estimate(ms(0)).as_millis() as u64
        })
        .collect();
    assert_eq!(after, [60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_000, 30_000, 30_000]);
}

#[test]
fn a_failure_costs_at_least_its_latency_and_the_default() {
    let fast = ewma();
    fast.observe(Outcome::Served, ms(1), ms(1_000_000));
    assert_near(estimate(&fast, 1_000_000), 1.0);
    fast.observe(Outcome::Failed, ms(2), ms(1_000_000));
    assert_near(estimate(&fast, 1_000_000), 30.0);
    let slow = ewma();
    slow.observe(Outcome::Failed, ms(40_000), ms(0));
    assert_near(estimate(&slow, 0), 40_000.0);
    // Above the limit, nothing doubles, and the estimate stays.
    slow.observe(Outcome::Failed, ms(1), ms(0));
    assert_near(estimate(&slow, 0), 40_000.0);
}

#[test]
fn statuses_that_are_failures() {
    let codes_with = |outcome| {
        let codes = (0..17).map(Code::from_number);
        codes.filter(|code| Outcome::from_code(*code) == outcome).collect::<Vec<_>>()
    };
    let failures =
        [Code::DeadlineExceeded, Code::ResourceExhausted, Code::Internal, Code::Unavailable];
    assert_eq!(codes_with(Outcome::Failed), failures);
    assert_eq!(codes_with(Outcome::Cancelled), [Code::Cancelled]);
}

#[test]
fn learns_from_the_end_of_a_call() {
    let ewma = ewma();
    let status = Status::unavailable("down");
    let (latency, ended) = (ms(100), ms(10_000));
    ewma.ended(&CallEnd::Finished { status: &status, latency, ended, metrics: None });
    assert_near(estimate(&ewma, 10_000), 100.0);
    ewma.ended(&CallEnd::Abandoned);
    assert_near(estimate(&ewma, 10_000), 100.0);
}

#[test]
fn a_cancelled_call_only_raises_it() {
    let ewma = ewma();
    ewma.observe(Outcome::Cancelled, ms(1), ms(10_000));
    assert_near(estimate(&ewma, 10_000), 30.0 / std::f64::consts::E);
    ewma.observe(Outcome::Cancelled, ms(40), ms(10_000));
    assert_near(estimate(&ewma, 10_000), 40.0);
}

#[test]
fn a_call_that_takes_no_time_costs_something() {
    let ewma = ewma();
    ewma.observe(Outcome::Served, ms(0), ms(100_000_000));
    assert_eq!(ewma.estimate(ms(100_000_000)), Duration::from_nanos(1));
}

#[test]
fn a_changed_rule_holds_at_once() {
    let rule = Arc::new(EwmaRule::new(ms(10_000), ms(30)));
    let ewma = PeakEwma::new(&rule, ms(0));
    rule.set(ms(1_000), ms(500));
    assert_near(estimate(&ewma, 1_000), 30.0 / std::f64::consts::E);
    ewma.observe(Outcome::Failed, ms(1), ms(1_000));
    assert_near(estimate(&ewma, 1_000), 500.0);
    assert_near(PeakEwma::new(&rule, ms(0)).estimate(ms(0)).as_secs_f64(), 0.5);
}

#[test]
fn a_cost_counts_the_calls_in_flight() {
    let rate = DecayRate::from_decay_time(ms(10_000));
    let (a, b) = (ewma(), ewma());
    b.observe(Outcome::Served, ms(100), ms(0));
    assert!(a.cost(2).is_below(&b.cost(0), rate));
    assert!(!a.cost(3).is_below(&b.cost(0), rate));
    assert!(b.cost(0).is_below(&a.cost(3), rate));
    assert!(!a.cost(1).is_below(&a.cost(1), rate));
}

#[test]
fn an_old_cost_is_below_any_other() {
    let rate = DecayRate::from_decay_time(ms(1));
    let (a, b) = (ewma(), ewma());
    b.observe(Outcome::Served, ms(1), ms(100_000_000));
    assert!(a.cost(1000).is_below(&b.cost(0), rate));
    assert!(!b.cost(0).is_below(&a.cost(1000), rate));
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![Outcome::Served, Outcome::Failed, Outcome::Cancelled])
}

proptest! {
    /// The comparison without a clock agrees with the decayed estimates at any time.
    #[test]
    fn costs_compare_as_decayed_estimates(
        a in (1u64..1000, 0u64..20_000, 0u32..10),
        b in (1u64..1000, 0u64..20_000, 0u32..10),
        later in 0u64..10_000,
    ) {
        let cost = |(latency, at, in_flight): (u64, u64, u32)| {
            let ewma = ewma();
            ewma.observe(Outcome::Served, ms(latency), ms(at));
            let decayed = estimate(&ewma, 20_000 + later) * f64::from(in_flight + 1);
            (ewma.cost(in_flight), decayed)
        };
        let ((a, decayed_a), (b, decayed_b)) = (cost(a), cost(b));
        prop_assume!((decayed_a / decayed_b - 1.0).abs() > 1e-3);
        let rate = DecayRate::from_decay_time(ms(10_000));
        prop_assert_eq!(a.is_below(&b, rate), decayed_a < decayed_b);
    }

    /// The estimate stays between the observed latencies, and a failure never lowers it.
    #[test]
    fn stays_within_what_was_observed(
        calls in prop::collection::vec((outcomes(), 1u64..20_000, 0u64..30_000), 1..50),
    ) {
        let ewma = ewma();
        let (mut now, mut before) = (0, 30.0);
        for (outcome, latency, passed) in calls {
            now += passed;
            ewma.observe(outcome, ms(latency), ms(now));
            let after = estimate(&ewma, now);
            let r = latency as f64;
            match outcome {
                Outcome::Served => {
                    prop_assert!(after >= r - 1e-5 && after <= r.max(before) + 1e-5);
                    before = after;
                }
                Outcome::Failed => {
                    prop_assert!(after >= before.max(r).max(30.0) - 1e-5);
                    before = after;
                }
                Outcome::Cancelled => {
                    prop_assert!(r <= before || (after - r).abs() < 1e-5);
                    before = before.max(r);
                }
            }
        }
    }
}
