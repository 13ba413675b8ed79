//! Right scenarios, and the values that are read from them.
//!
//! Must not depend on: how scenarios are simulated.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use steer::Code;
use steer_sim::file;
use steer_sim::scenario::{
    Arrivals, Discipline, Distribution, Event, Happening, ListOrder, Load, Measure, Scenario,
    ServerFault, Threshold,
};

fn parse(text: &str) -> Scenario {
    file::parse("some/name.toml", text, Path::new("tests/data"))
        .unwrap_or_else(|faults| panic!("{faults}"))
}

/// A scenario of one client and one server, with more text at its end.
fn with(text: &str) -> Scenario {
    let groups = "[[servers]]\nname = \"a\"\n[[clients]]\nname = \"b\"\nrate = \"1/s\"\n";
    parse(&format!("{groups}{text}"))
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn a_small_scenario_has_defaults() {
    let scenario = with("");
    assert_eq!(scenario.name, "name");
    assert_eq!(scenario.title, "name");
    assert_eq!(scenario.duration, ms(60_000));
    assert_eq!(scenario.warm_up, ms(0));
    assert_eq!(scenario.interval, ms(100));
    assert_eq!(scenario.policies.len(), 4);
    assert_eq!(scenario.policies[0].config, json!({}));
    assert_eq!(scenario.network.round_trip, Distribution::Constant(Duration::from_micros(500)));
    let servers = &scenario.servers[0];
    assert_eq!((servers.count, servers.concurrency, servers.weight), (1, 8, 0));
    assert_eq!(servers.zones, ["a"]);
    assert_eq!(servers.service_time, Distribution::Exponential { mean: ms(10) });
    assert_eq!(servers.queue.length, None);
    assert_eq!(servers.queue.discipline, Discipline::Fifo);
    assert_eq!(servers.queue.shed_after, None);
    assert_eq!(servers.speed, 1.0);
    assert!(servers.warm_up.is_none());
    assert!(servers.listed && !servers.stops_cancelled_calls);
    assert!(servers.reports.with_calls && servers.reports.out_of_band);
    assert_eq!((servers.reports.over, servers.reports.delay), (ms(1000), ms(0)));
    assert!(!servers.reports.queue_metrics);
    let clients = &scenario.clients[0];
    assert_eq!((clients.count, clients.subset), (1, None));
    assert_eq!(clients.zones, ["a"]);
    assert!(matches!(clients.load, Load::Open { rate: 1.0, arrivals: Arrivals::Poisson }));
    assert_eq!((&clients.deadline, &clients.cancel_after), (&None, &None));
    assert_eq!(clients.list_order, ListOrder::Same);
    assert_eq!(clients.resolver_delay, Distribution::Constant(ms(0)));
    assert!(clients.retries.is_none() && clients.hedging.is_none() && clients.stream.is_none());
}

#[test]
fn reads_every_distribution() {
    let read = |text: &str| {
        let servers = format!("[[servers]]\nname = \"a\"\nservice_time = {text}\n");
        let scenario = parse(&format!("{servers}[[clients]]\nname = \"b\"\ncallers = 1\n"));
        scenario.servers[0].service_time.clone()
    };
    assert_eq!(read("\"0.5ms\""), Distribution::Constant(Duration::from_micros(500)));
    assert_eq!(
        read("{ distribution = \"log_normal\", median = \"5ms\", sigma = 1 }"),
        Distribution::LogNormal { median: ms(5), sigma: 1.0 }
    );
    assert_eq!(
        read(
            "{ distribution = \"bimodal\", fast = \"1ms\", slow = \"1s\", share_of_slow = \"5%\" }"
        ),
        Distribution::Bimodal { fast: ms(1), slow: ms(1000), share_of_slow: 0.05 }
    );
    assert_eq!(
        read("{ distribution = \"uniform\", least = \"1ms\", most = \"1min 1s\" }"),
        Distribution::Uniform { least: ms(1), most: ms(61_000) }
    );
    assert_eq!(
        read("{ distribution = \"samples\", file = \"times.txt\" }"),
        Distribution::Samples([ms(10), ms(20), ms(1000)].into())
    );
}

#[test]
fn reads_the_load_of_clients() {
    let read = |text: &str| {
        let servers = "[[servers]]\nname = \"a\"\n[[clients]]\nname = \"b\"\n";
        parse(&format!("{servers}{text}")).clients.remove(0)
    };
    let rate = |text: &str| match read(text).load {
        Load::Open { rate, .. } => rate,
        Load::Closed { .. } => panic!("{text}"),
    };
    assert_eq!(rate("rate = \"300/s\""), 300.0);
    assert_eq!(rate("rate = \"6 / min\""), 0.1);
    assert_eq!(rate("rate = \"1.5e3/h\""), 1500.0 / 3600.0);
    let bursts = read("rate = \"3/s\"\narrivals = { bursts = 5 }").load;
    assert!(matches!(bursts, Load::Open { arrivals: Arrivals::Bursts(5), .. }));
    match read("arrivals = { file = \"times.txt\" }").load {
        Load::Open { rate, arrivals: Arrivals::Times(times) } => {
            assert_eq!((rate, times[2]), (3.0, ms(1000)));
        }
        other => panic!("{other:?}"),
    }
    let closed = read("callers = 4\nthink_time = \"1s\"").load;
    let think = Distribution::Constant(ms(1000));
    assert!(matches!(closed, Load::Closed { callers: 4, think_time } if think_time == think));
    let retries = read(
        "rate = \"3/s\"\nretries = { codes = [\"ABORTED\"], throttling = { max_tokens = 10, \
         token_ratio = 0.1 } }",
    );
    let retries = retries.retries.unwrap();
    assert_eq!((retries.max_attempts, retries.codes), (3, vec![Code::Aborted]));
    assert_eq!(retries.throttling, Some((10.0, 0.1)));
    let keys = read("rate = \"3/s\"\nkeys = { count = 10, zipf = 1.1 }").keys.unwrap();
    assert_eq!((keys.header.as_str(), keys.count, keys.zipf), ("key", 10, 1.1));
}

#[test]
fn reads_every_event() {
    let read = |text: &str| {
        let text = text.replace(", ", "\n");
        let Event { at, what } = with(&format!("[[events]]\nat = \"1s\"\n{text}")).events.remove(0);
        assert_eq!(at, ms(1000));
        what
    };
    let fault = |text: &str| match read(&format!("servers = [\"zone:a\"], {text}")) {
        Happening::Fault { servers, fault, .. } => {
            assert_eq!(servers, ["zone:a"]);
            fault
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(fault("slow = 20"), ServerFault::Slow(20.0));
    assert_eq!(fault("hang = true"), ServerFault::Hang);
    assert_eq!(fault("fail = \"UNKNOWN\""), ServerFault::FailAtOnce(Code::Unknown));
    let errors = fault("errors.share = \"0.1%\", errors.code = \"INTERNAL\"");
    assert_eq!(errors, ServerFault::Errors(0.001, Code::Internal));
    assert_eq!(fault("reset_calls = true"), ServerFault::ResetCalls);
    assert_eq!(fault("close_connections = true"), ServerFault::CloseConnections);
    assert_eq!(fault("crash = true"), ServerFault::Crash);
    assert_eq!(fault("overload = 0.5"), ServerFault::Overload(0.5));
    assert_eq!(fault("unreachable = true"), ServerFault::Unreachable);
    let text = "servers = [\"a\"], hang = true, lasts = \"5s\"";
    assert!(matches!(read(text), Happening::Fault { lasts: Some(lasts), .. } if lasts == ms(5000)));
    assert!(matches!(read("servers = [\"a\"], add = true"), Happening::Add(s) if s == ["a"]));
    assert!(matches!(read("servers = [\"a\"], remove = true"), Happening::Remove(s) if s == ["a"]));
    let weight = read("servers = [\"a\"], weight = 3");
    assert!(matches!(weight, Happening::Weight(s, 3) if s == ["a"]));
    assert!(matches!(read("clients = [\"b\"], load = 1.3"), Happening::Load(_, 1.3)));
    assert!(matches!(read("resolve = true"), Happening::Resolve));
    match read("servers = [\"a\"], rolling.batch = 2, rolling.every = \"5s\"") {
        Happening::Rolling(rolling) => {
            assert_eq!((rolling.batch, rolling.every), (2, ms(5000)));
            assert_eq!((rolling.drain, rolling.down), (ms(0), ms(0)));
            assert!(rolling.servers == ["a"] && !rolling.new_address);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_every_limit() {
    let read = |text: &str| {
        let text = text.replace(", ", "\n");
        with(&format!("[[limits]]\nmeasure = {text}")).limits.remove(0)
    };
    let a = || vec!["a".to_owned()];
    for (text, measure, threshold) in [
        ("\"latency\", at_most = \"50ms\"", Measure::Latency(0.99), 0.05),
        ("\"latency\", quantile = \"50%\", at_most = \"1s\"", Measure::Latency(0.5), 1.0),
        ("\"errors\", at_most = \"1%\"", Measure::Errors, 0.01),
        ("\"share\", servers = [\"a\"], at_most = 0.5", Measure::Share(a()), 0.5),
        ("\"fair_share\", servers = [\"a\"], at_most = 2", Measure::FairShare(a()), 2.0),
        ("\"peak_fair_share\", servers = [\"a\"], at_most = 2", Measure::PeakFairShare(a()), 2.0),
        ("\"fullest\", at_most = 1.2", Measure::Fullest, 1.2),
        ("\"in_flight\", servers = [\"a\"], at_most = 30", Measure::InFlight(a()), 30.0),
        (
            "\"queue_above_others\", servers = [\"a\"], at_most = 3",
            Measure::QueueAboveOthers(a()),
            3.0,
        ),
        ("\"attempts\", at_most = 1.1", Measure::Attempts, 1.1),
        ("\"fullest_connections\", at_most = 1.5", Measure::FullestConnections, 1.5),
    ] {
        let limit = read(text);
        assert_eq!((limit.measure, limit.threshold), (measure, Threshold::AtMost(threshold)));
        assert_eq!((limit.window.from, limit.window.until), (ms(0), ms(60_000)));
        assert_eq!(limit.line, 6);
    }
    let limit = read(
        "\"errors\", at_least = 0, from = \"5s\", until = \"10s\", because = \"x\", \
         policies = [\"steer_peak_ewma\"], not_yet = [\"steer_peak_ewma\"]",
    );
    assert_eq!(limit.threshold, Threshold::AtLeast(0.0));
    assert_eq!((limit.window.from, limit.window.until), (ms(5000), ms(10_000)));
    assert_eq!(limit.policies, ["steer_peak_ewma"]);
    assert_eq!((limit.not_yet, limit.not_yet_because.as_str()), (limit.policies, "x"));
}

#[test]
fn a_window_begins_after_the_warm_up() {
    let text = r#"
        warm_up = "5s"
        duration = "10s"
        limits = [{ measure = "errors", at_most = 0 }]
        servers = [{ name = "a" }]
        clients = [{ name = "b", callers = 1 }]
    "#;
    let window = parse(text).limits[0].window;
    assert_eq!((window.from, window.until), (ms(5000), ms(10_000)));
}

#[test]
fn the_config_of_a_policy_becomes_json() {
    let text = r#"
        servers = [{ name = "a" }]
        clients = [{ name = "b", callers = 1 }]
        policies = ["steer_random", { name = "steer_ring_hash", config.minRingSize = 2048,
            config.requestHashHeader = "key", config.other = [1.5, { x = true }] }]
    "#;
    let scenario = parse(text);
    let config = json!({"requestHashHeader": "key", "minRingSize": 2048,
                        "other": [1.5, {"x": true}]});
    assert_eq!(scenario.policies[1].name, "steer_ring_hash");
    assert_eq!(scenario.policies[1].config, config);
}

#[test]
fn servers_and_zones_are_found_by_their_names() {
    let text = r#"
        [[events]]
        at = "1s"
        servers = ["a", "c", "c-1", "c-20", "zone:x", "zone:a"]
        hang = true
        [[servers]]
        name = "c"
        count = 20
        zones = ["x", "y"]
        [network]
        round_trip = "1ms"
        between = [
            { zones = ["x", "y"], round_trip = "2ms" },
            { zones = ["x", "x"], round_trip = "0.1ms" },
        ]
    "#;
    assert_eq!(with(text).network.between.len(), 2);
}
