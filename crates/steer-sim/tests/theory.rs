//! The model against queueing theory. Each test runs a model with many seeds, and checks that what
//! theory says lies within the interval of confidence of the mean. Every run obeys Little's law.

use std::time::Duration;

use steer_sim::model::simulate;
use steer_sim::outcome::Outcome;
use steer_sim::scenario::{
    Arrivals, ClientGroup, Distribution, Load, Network, PolicyChoice, Scenario, ServerGroup,
};

use crate::confidence::assert_mean;

#[path = "theory/confidence.rs"]
mod confidence;

/// Calls per second that one place serves.
const SERVICE_RATE: f64 = 100.0;

/// Servers whose calls take an exponential time, and one client that calls them by a Poisson
/// process. The network takes no time.
fn queueing(servers: usize, places: usize, rate: f64, seconds: u64) -> Scenario {
    Scenario {
        name: "theory".to_owned(),
        duration: Duration::from_secs(seconds),
        warm_up: Duration::from_secs(seconds / 10),
        network: Network {
            round_trip: Distribution::Constant(Duration::ZERO),
            between: Vec::new(),
        },
        servers: vec![ServerGroup {
            count: servers,
            concurrency: places,
            service_time: Distribution::Exponential { mean: Duration::from_millis(10) },
            ..ServerGroup::default()
        }],
        clients: vec![ClientGroup {
            load: Load::Open { rate, arrivals: Arrivals::Poisson },
            ..ClientGroup::default()
        }],
        ..Scenario::default()
    }
}

/// Runs a scenario with each of these seeds.
fn outcomes(scenario: &Scenario, policy: &str, seeds: u64) -> Vec<Outcome> {
    let policy = PolicyChoice { name: policy.to_owned(), config: serde_json::json!({}) };
    let run = |seed| {
        let outcome = simulate(scenario, &policy, seed, &|_| ()).expect("the policy exists");
        assert_littles_law(&outcome);
        outcome
    };
    (1..=seeds).map(run).collect()
}

/// L = λ W: the calls in the system are the rate of arrivals times the time that calls spend there.
/// Calls that begin before the warm-up ends or end after the run make the small difference.
fn assert_littles_law(outcome: &Outcome) {
    let rate = outcome.calls as f64 / (outcome.duration - outcome.warm_up);
    let expected = rate * outcome.latency.mean;
    let ratio = outcome.calls_in_system / expected;
    assert!((0.98..1.02).contains(&ratio), "L = {}, λW = {expected}", outcome.calls_in_system);
}

fn mean_latency(outcome: &Outcome) -> f64 {
    outcome.latency.mean
}

/// The time in an M/M/1 queue is exponential, of rate μ - λ.
#[test]
fn one_server_with_one_place_is_m_m_1() {
    let rate = 70.0;
    let runs = outcomes(&queueing(1, 1, rate, 600), "steer_round_robin", 30);
    let drain = SERVICE_RATE - rate;
    assert_mean("mean", 1.0 / drain, &runs, mean_latency, 0.03);
    for quantile in [0.5, 0.95, 0.99] {
        let expected = -libm::log(1.0 - quantile) / drain;
        let measured = |outcome: &Outcome| outcome.latency.at(quantile).unwrap();
        assert_mean(&format!("quantile {quantile}"), expected, &runs, measured, 0.05);
    }
    // The number of calls is geometric.
    for at_least in 1..=5 {
        let expected = libm::pow(rate / SERVICE_RATE, f64::from(at_least));
        let measured = |outcome: &Outcome| outcome.calls_at_server[at_least as usize - 1];
        assert_mean(&format!("at least {at_least} calls"), expected, &runs, measured, 0.05);
    }
}

/// Erlang's C formula: the probability that a call finds all places taken.
fn erlang_c(places: u32, load: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 0.0;
    for k in 0..places {
        sum += term;
        term *= load / f64::from(k + 1);
    }
    let waiting = term * f64::from(places) / (f64::from(places) - load);
    waiting / (sum + waiting)
}

#[test]
fn one_server_with_many_places_is_m_m_c() {
    for (places, utilization) in [(2, 0.7), (8, 0.8)] {
        let rate = SERVICE_RATE * f64::from(places) * utilization;
        let runs = outcomes(&queueing(1, places as usize, rate, 200), "steer_round_robin", 30);
        let wait =
            erlang_c(places, rate / SERVICE_RATE) / (f64::from(places) * SERVICE_RATE - rate);
        let name = format!("{places} places");
        assert_mean(&name, wait + 1.0 / SERVICE_RATE, &runs, mean_latency, 0.03);
        let busy = |outcome: &Outcome| outcome.servers[0].utilization;
        assert_mean(&name, utilization, &runs, busy, 0.02);
    }
}

/// Random choice splits a Poisson process into Poisson processes: each server is M/M/1.
#[test]
fn random_choice_makes_every_server_m_m_1() {
    let runs = outcomes(&queueing(4, 1, 4.0 * 70.0, 200), "steer_random", 30);
    assert_mean("mean", 1.0 / (SERVICE_RATE - 70.0), &runs, mean_latency, 0.03);
}

/// Round robin over n servers gives each every nth call of a Poisson process: an Erlang process.
/// The server is G/M/1, whose mean time is 1 / (μ (1 - σ)), where σ is the root below 1 of
/// σ = A(μ (1 - σ)), and A the Laplace transform of the time between calls.
#[test]
fn round_robin_makes_every_server_erlang_m_1() {
    let (servers, per_server) = (4, 70.0);
    let total = f64::from(servers) * per_server;
    let mut sigma = 0.5;
    for _ in 0..1000 {
        let transform = total / (total + SERVICE_RATE * (1.0 - sigma));
        sigma = libm::pow(transform, f64::from(servers));
    }
    let runs = outcomes(&queueing(servers as usize, 1, total, 200), "steer_round_robin", 30);
    let expected = 1.0 / (SERVICE_RATE * (1.0 - sigma));
    assert_mean("mean", expected, &runs, mean_latency, 0.03);
    // Which is why nobody should choose at random: 33 ms become 22.
    assert!(expected < 0.7 / (SERVICE_RATE - per_server), "{expected}");
}

/// Two choices (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"; Vvedenskaya
/// and others): the share of queues with at least k calls is λ^(2^k - 1), for infinitely many
/// servers. With 500, the difference is below a hundredth.
#[test]
fn least_request_has_the_power_of_two_choices() {
    let (servers, utilization) = (500, 0.8);
    let rate = servers as f64 * SERVICE_RATE * utilization;
    let runs = outcomes(&queueing(servers, 1, rate, 30), "steer_least_request", 5);
    for at_least in 1..=4_i32 {
        let expected = libm::pow(utilization, libm::exp2(f64::from(at_least)) - 1.0);
        for outcome in &runs {
            let measured = outcome.calls_at_server[at_least as usize - 1];
            let difference = (measured - expected).abs();
            assert!(difference < 0.01, "at least {at_least}: {measured}, theory {expected}");
        }
    }
}
