use proptest::prelude::*;

use super::*;
use crate::Status;
use crate::load::FailureCodes;

const fn ms(milliseconds: u64) -> Nanos {
    Nanos::new(milliseconds * 1_000_000)
}

/// A new estimate at 0, with a decay time of 10 s and a default RTT of 30 ms.
fn ewma() -> PeakEwma {
    let rule = EwmaRule::new(ms(10_000).into(), ms(30).into(), FailureCodes::default());
    PeakEwma::new(&Arc::new(rule), ms(0))
}

/// The estimate of a backend without calls, in milliseconds.
fn idle(ewma: &PeakEwma, now: u64) -> f64 {
    ewma.estimate(0, ms(now)) / 1e6
}

/// The estimate of a backend with a call, in milliseconds.
fn busy(ewma: &PeakEwma, now: u64) -> f64 {
    ewma.estimate(1, ms(now)) / 1e6
}

/// The cost of another call, in milliseconds.
fn cost(ewma: &PeakEwma, in_flight: u32, now: u64) -> f64 {
    ewma.cost(in_flight, ms(now)) / 1e6
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-5 * expected.max(1.0), "{value}, expected {expected}");
}

#[test]
fn begins_at_the_default_and_decays_without_calls() {
    let ewma = ewma();
    assert_near(idle(&ewma, 0), 30.0);
    assert_near(idle(&ewma, 10_000), 30.0 / std::f64::consts::E);
    assert_near(idle(&ewma, 20_000), 30.0 * (-2.0f64).exp());
}

#[test]
fn rises_at_once_and_falls_slowly() {
    let ewma = ewma();
    ewma.observe(Code::Ok, ms(100), ms(0));
    assert_near(busy(&ewma, 0), 100.0);
    ewma.observe(Code::Ok, ms(50), ms(10_000));
    let fallen = 50.0 + 50.0 * (-1.0f64).exp();
    assert_near(busy(&ewma, 10_000), fallen);
    // At the same time: the estimate does not fall again.
    ewma.observe(Code::Ok, ms(10), ms(10_000));
    assert_near(busy(&ewma, 10_000), fallen);
    ewma.observe(Code::Ok, ms(10), ms(15_000));
    assert_near(busy(&ewma, 15_000), 10.0 + (fallen - 10.0) * (-0.5f64).exp());
    ewma.observe(Code::Ok, ms(80), ms(15_001));
    assert_near(busy(&ewma, 15_001), 80.0);
}

#[test]
fn an_earlier_update_lets_no_time_pass() {
    let ewma = ewma();
    ewma.observe(Code::Ok, ms(100), ms(5_000));
    ewma.observe(Code::Ok, ms(10), ms(4_000));
    assert_near(idle(&ewma, 5_000), 100.0);
    assert_near(idle(&ewma, 4_000), 100.0);
}

/// A backend that hangs is as expensive as the time for which nothing has ended there.
#[test]
fn while_no_call_ends_it_rises_with_the_time() {
    let ewma = ewma();
    ewma.picked_at(0, ms(0));
    assert_near(busy(&ewma, 20), 30.0);
    assert_near(busy(&ewma, 500), 500.0);
    ewma.picked_at(1, ms(15_000));
    assert_near(busy(&ewma, 15_000), 15_000.0);
    // Without a pick for two decay times it is tried again, and then expensive again.
    assert_near(busy(&ewma, 34_000), 34_000.0);
    assert!(busy(&ewma, 36_000) < 5.0, "{}", busy(&ewma, 36_000));
    ewma.picked_at(2, ms(36_000));
    assert_near(busy(&ewma, 36_001), 36_001.0);
    // After longer and longer pauses.
    ewma.picked_at(3, ms(100_000));
    assert_near(busy(&ewma, 140_000), 140_000.0);
    assert!(busy(&ewma, 210_000) < 1.0);
}

#[test]
fn a_call_that_ends_shows_that_it_does_not_hang() {
    let ewma = ewma();
    ewma.picked_at(0, ms(0));
    ewma.observe(Code::Ok, ms(10), ms(5_000));
    assert!(busy(&ewma, 5_010) < 30.0);
}

#[test]
fn an_idle_time_before_a_call_lets_it_decay() {
    let ewma = ewma();
    ewma.picked_at(0, ms(10_000));
    assert_near(busy(&ewma, 10_000), 30.0 / std::f64::consts::E);
}

#[test]
fn errors_and_cancellations_only_raise_it() {
    for code in Code::ALL.into_iter().filter(|code| *code != Code::Ok) {
        let ewma = ewma();
        ewma.observe(code, ms(1), ms(100));
        assert!(busy(&ewma, 100) >= 30.0, "{code:?}");
        ewma.observe(code, ms(400), ms(500));
        assert_near(busy(&ewma, 500), 400.0);
    }
}

#[test]
fn failures_divide_the_cost_by_the_success_rate() {
    let failing = ewma();
    (0..100).for_each(|call| failing.observe(Code::Unknown, ms(1), ms(call)));
    assert!(cost(&failing, 0, 100) > 2_500.0, "{}", cost(&failing, 0, 100));
    // Which it stays for some time, and not for ever.
    assert!(cost(&failing, 0, 10_100) > 100.0);
    assert!(cost(&failing, 0, 60_000) < 1.0);
}

#[test]
fn a_backend_that_fails_mostly_is_not_quick() {
    let ewma = ewma();
    ewma.observe(Code::Ok, ms(1), ms(1_000_000));
    assert_near(busy(&ewma, 1_000_000), 1.0);
    ewma.observe(Code::Internal, ms(1), ms(1_000_000));
    assert_near(busy(&ewma, 1_000_000), 1.0);
    (0..3).for_each(|_| ewma.observe(Code::Internal, ms(1), ms(1_000_000)));
    assert_near(busy(&ewma, 1_000_000), 30.0);
}

/// A backend that answers INVALID_ARGUMENT at once has as many calls as one that serves them.
#[test]
fn quick_errors_of_callers_do_not_make_it_look_idle() {
    let ewma = ewma();
    ewma.observe(Code::Ok, ms(100), ms(0));
    for call in 0..1000 {
        ewma.picked_at(0, ms(call * 10));
        ewma.observe(Code::InvalidArgument, ms(1), ms(call * 10 + 1));
    }
    // 100 calls per second, 0.1 s each: 10 calls, and one more.
    let cost = cost(&ewma, 0, 10_000);
    assert!((900.0..1_200.0).contains(&cost), "{cost}");
}

#[test]
fn a_backend_that_is_back_is_like_the_others() {
    let ewma = ewma();
    ewma.restart(50e6, 4.0, ms(300_000));
    assert_near(idle(&ewma, 300_000), 50.0);
    assert_near(cost(&ewma, 0, 300_000), 250.0);
    ewma.restart(5e6, 0.0, ms(600_000));
    assert_near(idle(&ewma, 600_000), 30.0);
}

#[test]
fn learns_from_the_end_of_a_call() {
    let ewma = ewma();
    let (latency, ended) = (ms(100), ms(10_000));
    ewma.ended(&CallEnd::Finished { status: &Status::OK, latency, ended, metrics: None });
    assert_near(busy(&ewma, 10_000), 100.0);
    ewma.ended(&CallEnd::Abandoned);
    assert_near(busy(&ewma, 10_000), 100.0);
}

#[test]
fn a_call_that_takes_no_time_costs_something() {
    let ewma = ewma();
    ewma.observe(Code::Ok, ms(0), ms(100_000_000));
    assert_eq!(ewma.estimate(1, ms(100_000_000)), 1.0);
}

#[test]
fn a_changed_rule_holds_at_once() {
    let rule = Arc::new(EwmaRule::new(ms(10_000).into(), ms(30).into(), FailureCodes::default()));
    let ewma = PeakEwma::new(&rule, ms(0));
    rule.set(ms(1_000).into(), ms(500).into(), FailureCodes::NONE);
    assert_near(idle(&ewma, 1_000), 30.0 / std::f64::consts::E);
    (0..100).for_each(|_| ewma.observe(Code::Internal, ms(1), ms(1_000)));
    assert_near(cost(&ewma, 1, 1_000) / busy(&ewma, 1_000), 2.0 + ewma.charged.count(ms(1_000)));
    assert_near(PeakEwma::new(&rule, ms(0)).estimate(0, ms(0)) / 1e6, 500.0);
}

fn codes() -> impl Strategy<Value = Code> {
    prop::sample::select(vec![Code::Ok, Code::Unavailable, Code::NotFound, Code::Cancelled])
}

proptest! {
    /// The estimate stays between the observed latencies, and only a served call lowers it.
    #[test]
    fn stays_within_what_was_observed(
        calls in prop::collection::vec((codes(), 1u64..20_000, 0u64..30_000), 1..50),
    ) {
        let ewma = ewma();
        let (mut now, mut before) = (0, 30.0);
        for (code, latency, passed) in calls {
            now += passed;
            ewma.observe(code, ms(latency), ms(now));
            let after = busy(&ewma, now);
            let r = latency as f64;
            if code == Code::Ok {
                prop_assert!(after >= r - 1e-5 && after <= r.max(before) + 1e-5);
            } else {
                prop_assert!(after >= before.max(r) - 1e-5);
            }
            before = after;
        }
    }
}
