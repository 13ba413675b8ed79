//! Tests pickers, from their traits through the ABI and the real engine to calls in a test channel.
#![allow(missing_docs, reason = "a test")]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use steer_sdk::testkit::{Conformance, LoadReport, Picked, TestBackend, TestCall, TestChannel};
use steer_sdk::{
    AttributeValue, Backend, Backends, Call, CallEnd, CallTracker, Channel, Code, Faults, Helper,
    NoConfig, OnFault, Pick, Picker, PickerFactory, Severity, State, StatefulPickerFactory, Status,
    TimerId, Wants, picker,
};

steer_sdk::steer_plugin! {
    name: "pickers of the test",
    pickers: [
        Scripted, ByName, Remembering, Tracking, Timed, Describing, Broken, FailsToBuild, Isolated,
    ],
}

fn channel(policy: &str, config: &str) -> TestChannel {
    TestChannel::new(plugin(), policy, config).unwrap()
}

/// A channel whose backends `a`, `b`, … are READY.
fn ready_channel(policy: &str, config: &str, names: &str) -> TestChannel {
    let channel = channel(policy, config);
    channel.resolve(names.chars());
    channel.all_ready();
    channel
}

fn errors(channel: &TestChannel) -> Vec<String> {
    let errors = channel.log().into_iter().filter(|(severity, _)| *severity == Severity::Error);
    errors.map(|(_, text)| text).collect()
}

// --- Choices -------------------------------------------------------------------------------------
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Script {
    #[serde(default)]
    steps: Vec<Step>,
    max_steps: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Complete(usize),
    Queue,
    Fail(i32),
    Drop(i32),
    Panic,
}

/// Makes the choices that its config lists, one after another.
struct Scripted;

impl PickerFactory for Scripted {
    const NAME: &'static str = "scripted";
    type Config = Script;

    fn build(&self, config: &Script, backends: Backends, _channel: &Channel) -> impl Picker {
        let steps = config.steps.clone();
        let next = AtomicU64::new(0);
        picker(move |_| {
            let step = next.fetch_add(1, Ordering::Relaxed) as usize;
            match &steps[step % steps.len()] {
                Step::Complete(index) => Pick::complete(&backends[*index]),
                Step::Queue => Pick::queue(),
                Step::Fail(code) => Pick::fail(Status::new(Code::from_number(*code), "on purpose")),
                Step::Drop(code) => Pick::drop(Status::new(Code::from_number(*code), "on purpose")),
                Step::Panic => panic!("on purpose"),
            }
        })
    }

    fn check_config(&self, config: &Script, faults: &mut Faults) {
        if config.max_steps.is_some_and(|most| config.steps.len() > most) {
            faults.add("steps", "are too many");
            faults.add("maxSteps", "is too small");
        }
    }
}

#[test]
fn choices_pass_unchanged_through_the_abi() {
    let script = r#"{"steps": [{"complete": 1}, "queue", {"fail": 14}, {"drop": 8}]}"#;
    let channel = ready_channel("scripted", script, "abc");
    let picked: Vec<String> = (0..8)
        .map(|_| match channel.pick(&TestCall::new()) {
            Picked::Complete { backend, headers } => {
                assert!(headers.is_empty());
                backend
            }
            Picked::Tracked { .. } => unreachable!("nobody tracks"),
            Picked::Queue => "queue".to_owned(),
            Picked::Fail(status) => format!("fail {status}"),
            Picked::Drop(status) => format!("drop {status}"),
        })
        .collect();
    let once =
        ["b", "queue", "fail UNAVAILABLE: on purpose", "drop RESOURCE_EXHAUSTED: on purpose"];
    assert_eq!(picked, [once, once].concat());
    assert_eq!(channel.faults(), 0);
    assert_eq!(channel.state(), Some(State::Ready));
}

#[test]
fn codes_that_a_data_plane_may_not_produce_become_internal() {
    let channel = ready_channel("scripted", r#"{"steps": [{"fail": 5}]}"#, "a");
    let Picked::Fail(status) = channel.pick(&TestCall::new()) else { panic!("it fails") };
    assert_eq!(status.code, Code::Internal);
    assert!(status.message.ends_with("NOT_FOUND: on purpose"), "{status}");
}

#[test]
fn a_panic_of_a_pick_is_a_fault_and_round_robin_goes_on() {
    let channel = ready_channel("scripted", r#"{"steps": ["queue", "panic"]}"#, "ab");
    assert!(matches!(channel.pick(&TestCall::new()), Picked::Queue));
    assert!(channel.pick(&TestCall::new()).backend().is_none());
    assert_eq!(channel.faults(), 1);
    let errors = errors(&channel);
    assert!(errors[0].contains("on purpose, at "), "{errors:?}");
    let line = line_of("panic!(\"on purpose\")");
    assert!(errors[0].contains(&format!("tests/pickers.rs:{line}")), "{errors:?}");
    assert!(errors[0].contains("(plugin \""), "{errors:?}");
    let why = channel.fallback().expect("round robin is in its place");
    assert!(why.contains(&format!("tests/pickers.rs:{line}")), "{why}");
    let distribution = channel.picks(10, &TestCall::new());
    assert_eq!((distribution.count("a"), distribution.count("b")), (5, 5));
}

/// Returns the first line of this file that contains this text.
fn line_of(text: &str) -> usize {
    include_str!("pickers.rs").lines().position(|line| line.contains(text)).unwrap() + 1
}

/// Chooses the backend that the header names, and never another one. Separating tenants is such a
/// case.
struct Isolated;

impl PickerFactory for Isolated {
    const NAME: &'static str = "isolated";
    const ON_FAULT: OnFault = OnFault::Fail { faults_per_minute: 3 };
    type Config = NoConfig;

    fn build(&self, _config: &NoConfig, backends: Backends, _channel: &Channel) -> impl Picker {
        let wants = Wants::nothing().header("tenant");
        picker(move |call| {
            let tenant = call.header("tenant").expect("the call has a tenant");
            assert_ne!(tenant, "cursed", "a rare case");
            Pick::complete(&backends[0])
        })
        .wants(wants)
    }
}

#[test]
fn a_picker_may_fail_the_calls_that_meet_its_panics() {
    let channel = ready_channel("isolated", "{}", "ab");
    let (cursed, fine) = (TestCall::new().header("tenant", "cursed"), "a");
    let good = TestCall::new().header("tenant", "good");
    for _ in 0..3 {
        let Picked::Fail(status) = channel.pick(&cursed) else { panic!("it fails") };
        assert!(status.message.contains("a rare case"), "{status}");
        assert_eq!(channel.pick(&good).backend(), Some(fine));
    }
    assert_eq!((channel.faults(), channel.fallback()), (3, None));
    // One panic more in this minute, and all calls fail.
    let _ = channel.pick(&cursed);
    assert!(channel.fallback().is_some());
    let Picked::Fail(status) = channel.pick(&good) else { panic!("all calls fail") };
    assert!(status.message.contains("a rare case"), "{status}");
    // A new list ends that, after a pause.
    channel.resolve(["a", "b"]);
    assert!(channel.fallback().is_some());
    channel.advance(Duration::from_secs(10));
    channel.resolve(["a", "b"]);
    channel.all_ready();
    assert_eq!(channel.fallback(), None);
    assert_eq!(channel.pick(&good).backend(), Some(fine));
}

#[test]
fn an_index_out_of_range_is_the_pickers_own_panic() {
    let channel = ready_channel("scripted", r#"{"steps": [{"complete": 7}]}"#, "ab");
    let _ = channel.pick(&TestCall::new());
    assert!(errors(&channel)[0].contains("index out of bounds"), "{:?}", errors(&channel));
}

#[test]
fn faults_of_a_config_are_named_by_their_fields() {
    let refused = |config: &str| TestChannel::new(plugin(), "scripted", config).unwrap_err();
    let error = refused(r#"{"steps": ["queue", {"fail": "x"}]}"#);
    assert!(error.contains("field:scripted.steps[1].fail error:invalid type"), "{error}");
    let error = refused(r#"{"steps": ["queue"], "maxSteps": 0}"#);
    assert!(error.contains("field:scripted.steps error:are too many"), "{error}");
    assert!(error.contains("field:scripted.maxSteps error:is too small"), "{error}");
    let error = refused("[]");
    assert!(error.contains("is not an object"), "{error}");
    assert!(TestChannel::new(plugin(), "no_such", "{}").unwrap_err().contains("no_such"));
}

#[test]
fn a_config_that_changes_makes_a_new_picker() {
    let channel = ready_channel("scripted", r#"{"steps": [{"complete": 0}]}"#, "ab");
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("a"));
    channel.configure(r#"{"steps": [{"complete": 1}]}"#).unwrap();
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("b"));
    assert!(channel.configure(r#"{"steps": 5}"#).is_err());
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("b"));
}

// --- What a picker sees of a call ----------------------------------------------------------------
#[derive(Deserialize)]
struct Seeing {
    headers: Vec<String>,
    path: bool,
}

/// Chooses the backend that a header or the path names, and adds a header.
struct ByName;

impl PickerFactory for ByName {
    const NAME: &'static str = "by_name_in_rust";
    type Config = Seeing;

    fn build(&self, config: &Seeing, backends: Backends, _channel: &Channel) -> impl Picker {
        let mut wants = config.headers.iter().fold(Wants::nothing(), Wants::header);
        if config.path {
            wants = wants.path().request_hash();
        }
        picker(move |call: &Call<'_>| {
            let name = call.header("to").or(call.path().strip_prefix("/to/"));
            if let Some(hash) = call.request_hash() {
                return Pick::complete(&backends[hash as usize]);
            }
            let found = backends.iter().find(|backend| Some(backend.address()) == name);
            let seen = format!("{:?} {:?}", call.header("secret"), call.header_bytes("to"));
            call.add_header("seen", seen);
            assert!(!call.add_header("Not A Name", ""));
            found.map_or(Pick::fail(Status::unavailable("no such backend")), Pick::complete)
        })
        .wants(wants)
    }
}

#[test]
fn declared_headers_are_seen_and_others_are_not() {
    let channel = ready_channel("by_name_in_rust", r#"{"headers": ["To"], "path": false}"#, "abc");
    let call = TestCall::new().header("to", "c").header("secret", "x").path("/to/a");
    let picked = channel.pick(&call);
    assert_eq!(picked.backend(), Some("c"));
    let added = picked.added_headers();
    assert_eq!(added, [("seen".to_owned(), b"None Some([99])".to_vec())]);
    // The values of one name are joined.
    let both = TestCall::new().header("to", "a").header("to", "b");
    assert!(matches!(channel.pick(&both), Picked::Fail(_)));
    // The picker has not declared the path.
    assert!(matches!(channel.pick(&TestCall::new().path("/to/a")), Picked::Fail(_)));
}

#[test]
fn the_path_is_seen_when_it_is_wanted() {
    let channel = ready_channel("by_name_in_rust", r#"{"headers": ["x"], "path": true}"#, "abc");
    assert_eq!(channel.pick(&TestCall::new().path("/to/b")).backend(), Some("b"));
}

#[test]
fn the_hash_of_an_xds_route_is_seen_when_it_is_wanted() {
    let call = TestCall::new().header("to", "c").request_hash(1);
    for (wanted, backend) in [(true, "b"), (false, "c")] {
        let config = format!(r#"{{"headers": ["to"], "path": {wanted}}}"#);
        let channel = ready_channel("by_name_in_rust", &config, "abc");
        assert_eq!(channel.pick(&call).backend(), Some(backend));
    }
}

#[test]
fn too_many_headers_are_a_fault() {
    let names: Vec<String> = (0..65).map(|number| format!("\"h{number}\"")).collect();
    let config = format!(r#"{{"headers": [{}], "path": false}}"#, names.join(","));
    let channel = ready_channel("by_name_in_rust", &config, "a");
    assert_eq!(channel.faults(), 1);
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("a"));
}

// --- State ---------------------------------------------------------------------------------------
static STATES_ALIVE: AtomicI64 = AtomicI64::new(0);

struct Remembered {
    number: usize,
    picks: AtomicU64,
}

impl Drop for Remembered {
    fn drop(&mut self) {
        STATES_ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Chooses the backend that all pickers together have chosen least often.
struct Remembering;

impl StatefulPickerFactory for Remembering {
    const NAME: &'static str = "remembering";
    type Config = NoConfig;
    type ChannelState = usize;
    type BackendState = Remembered;

    fn new_channel(&self, _channel: &Channel) -> usize {
        0
    }

    fn new_backend(&self, made: &mut usize, _backend: &Backend) -> Remembered {
        *made += 1;
        STATES_ALIVE.fetch_add(1, Ordering::Relaxed);
        Remembered { number: *made, picks: AtomicU64::new(0) }
    }

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends<Remembered>,
        made: &mut usize,
        _helper: &Helper<'_>,
    ) -> impl Picker {
        assert!(backends.iter().all(|backend| backend.state().number <= *made));
        picker(move |_| {
            let picks = |one: &&Backend<Remembered>| one.state().picks.load(Ordering::Relaxed);
            let least = backends.iter().min_by_key(picks).expect("there is one");
            least.state().picks.fetch_add(1, Ordering::Relaxed);
            Pick::complete(least)
        })
    }
}

#[test]
fn the_state_of_a_backend_outlives_pickers_and_is_freed_with_the_backend() {
    let channel = ready_channel("remembering", "{}", "a");
    assert_eq!(channel.picks(10, &TestCall::new()).count("a"), 10);
    // A new backend catches up, because the counts of the old ones are kept.
    channel.resolve(["a", "b"]);
    channel.all_ready();
    let distribution = channel.picks(12, &TestCall::new());
    assert_eq!((distribution.count("a"), distribution.count("b")), (1, 11));
    // A lost connection does not reset the state.
    channel.idle("a");
    channel.all_ready();
    assert_eq!(channel.picks(2, &TestCall::new()).count("a"), 1);
    assert_eq!(STATES_ALIVE.load(Ordering::Relaxed), 2);
    // The state of a backend that has left is freed.
    channel.resolve(["b"]);
    assert_eq!(channel.picks(1, &TestCall::new()).count("b"), 1);
    channel.resolve(["a", "b"]);
    channel.all_ready();
    assert_eq!(channel.picks(10, &TestCall::new()).count("a"), 10);
    assert_eq!(channel.faults(), 0);
    drop(channel);
    assert_eq!(STATES_ALIVE.load(Ordering::Relaxed), 0);
}

// --- Calls to their end --------------------------------------------------------------------------
#[derive(Deserialize)]
struct TrackingConfig {
    /// `picker`, `hook`, `tracker`, `all`, or `panic`.
    by: String,
}

struct Tracking;

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn hear(what: &str, end: Option<&CallEnd<'_>>) {
    let end = end.map_or(String::new(), |end| {
        let named = end.metrics().map(|metrics| {
            let named: Vec<_> = metrics.named().collect();
            format!(" cpu {} {named:?}", metrics.cpu_utilization())
        });
        let (code, message) = (end.code(), end.message());
        format!(": {code:?} {message:?} {:?}{}", end.latency(), named.unwrap_or_default())
    });
    HEARD.lock().unwrap().push(format!("{what}{end}"));
}

struct TrackingPicker(Backends, String);

struct Tracker(&'static str);

impl CallTracker for Tracker {
    fn started(&mut self) {
        hear(&format!("{} started", self.0), None);
    }

    fn finished(self, end: &CallEnd<'_>) {
        hear(&format!("{} finished", self.0), Some(end));
    }
}

impl Picker for TrackingPicker {
    fn pick(&self, _call: &Call<'_>) -> Pick {
        let pick = Pick::complete(&self.0[0]);
        match self.1.as_str() {
            "picker" => pick.tracked(),
            "hook" => pick.on_finish(|end| hear("hook", Some(end))),
            "tracker" => pick.track(Tracker("tracker")),
            "all" => pick.tracked().track(Tracker("first")).track(Tracker("second")),
            _ => pick.on_finish(|_| panic!("in the hook")),
        }
    }

    fn wants(&self) -> Wants {
        if self.1 == "all" { Wants::nothing() } else { Wants::nothing().metrics() }
    }

    fn call_started(&self, backend: usize) {
        hear(&format!("picker started {backend}"), None);
    }

    fn call_finished(&self, backend: usize, end: &CallEnd<'_>) {
        hear(&format!("picker finished {backend}"), Some(end));
    }
}

impl PickerFactory for Tracking {
    const NAME: &'static str = "tracking";
    type Config = TrackingConfig;

    fn build(&self, config: &TrackingConfig, backends: Backends, _: &Channel) -> impl Picker {
        TrackingPicker(backends, config.by.clone())
    }
}

#[test]
fn calls_are_followed_to_their_end_exactly_once() {
    let heard = || std::mem::take(&mut *HEARD.lock().unwrap());
    let report = LoadReport {
        cpu_utilization: 0.5,
        named_metrics: [("x".to_owned(), 1.0), ("y".to_owned(), 2.0)].into(),
        ..LoadReport::default()
    };
    for (by, started, finished, abandoned) in [
        (
            "picker",
            vec!["picker started 0"],
            vec![
                "picker finished 0: Some(Unavailable) \"down\" Some(2s) \
                 cpu 0.5 [(\"x\", 1.0), (\"y\", 2.0)]",
            ],
            vec!["picker finished 0: None \"\" None"],
        ),
        (
            "hook",
            vec![],
            vec!["hook: Some(Unavailable) \"down\" Some(2s) cpu 0.5 [(\"x\", 1.0), (\"y\", 2.0)]"],
            vec!["hook: None \"\" None"],
        ),
        (
            "all",
            vec!["first started", "second started", "picker started 0"],
            vec![
                "picker finished 0: Some(Unavailable) \"down\" Some(2s)",
                "first finished: Some(Unavailable) \"down\" Some(2s)",
                "second finished: Some(Unavailable) \"down\" Some(2s)",
            ],
            vec![
                "picker finished 0: None \"\" None",
                "first finished: None \"\" None",
                "second finished: None \"\" None",
            ],
        ),
    ] {
        let channel = ready_channel("tracking", &format!(r#"{{"by": "{by}"}}"#), "ab");
        let Picked::Tracked { backend, mut call, .. } = channel.pick(&TestCall::new()) else {
            panic!("{by}: the call is tracked")
        };
        assert_eq!(backend, "a");
        assert!(heard().is_empty());
        call.start();
        assert_eq!(heard(), started);
        channel.advance(Duration::from_secs(2));
        call.finish(&Status::unavailable("down"), Some(&report));
        assert_eq!(heard(), finished);
        // Abandoned before it started, also after the channel is gone.
        let picked = channel.pick(&TestCall::new());
        drop(channel);
        assert!(heard().is_empty());
        drop(picked);
        assert_eq!(heard(), abandoned);
    }

    // A panic of a hook is a fault. A choice that does not send the call has no end.
    let channel = ready_channel("tracking", r#"{"by": "panic"}"#, "a");
    channel.pick(&TestCall::new()).finish(Code::Ok);
    assert_eq!(channel.faults(), 1);
    assert!(errors(&channel)[0].contains("in the hook"), "{:?}", errors(&channel));
    let nowhere = Pick::queue().on_finish(|_| hear("never", None)).track(Tracker("never"));
    assert_eq!(nowhere.to_string(), "queue");
    drop(nowhere);
    assert!(heard().is_empty());
}

// --- Timers, clock, random numbers, log ----------------------------------------------------------
/// Lets calls wait until a timer expires, and starts another timer then.
struct Timed;

impl StatefulPickerFactory for Timed {
    const NAME: &'static str = "timed";
    type Config = NoConfig;
    type ChannelState = (Option<TimerId>, bool);
    type BackendState = ();

    fn new_channel(&self, _channel: &Channel) -> (Option<TimerId>, bool) {
        (None, false)
    }

    fn new_backend(&self, _state: &mut (Option<TimerId>, bool), _backend: &Backend) {
        unreachable!("there is nothing to remember");
    }

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends,
        state: &mut (Option<TimerId>, bool),
        helper: &Helper<'_>,
    ) -> impl Picker {
        assert_eq!(backends[0].state(), &());
        if let Some(timer) = state.0.take() {
            helper.cancel_timer(timer);
        }
        state.0 = helper.start_timer(Duration::from_secs(5));
        let (open, channel) = (state.1, (*helper).clone());
        picker(move |_| match open {
            true => Pick::complete(&backends[channel.random() as usize % backends.len()]),
            false => Pick::queue(),
        })
    }

    fn timer(&self, timer: TimerId, state: &mut (Option<TimerId>, bool), helper: &Helper<'_>) {
        assert_eq!(state.0.take(), Some(timer));
        helper.log(Severity::Info, &format!("open at {:?}", helper.now()));
        state.1 = true;
        helper.request_rebuild();
    }
}

#[test]
fn timers_run_out_in_virtual_time() {
    let channel = ready_channel("timed", "{}", "ab");
    let call = TestCall::new();
    assert!(matches!(channel.pick(&call), Picked::Queue));
    channel.advance(Duration::from_secs(3));
    // A new picker starts its timer again.
    channel.configure("{}").unwrap();
    channel.advance(Duration::from_secs(4));
    assert!(matches!(channel.pick(&call), Picked::Queue));
    channel.advance(Duration::from_secs(1));
    assert!(channel.pick(&call).backend().is_some());
    let infos: Vec<_> = channel.log();
    assert_eq!(infos, [(Severity::Info, "open at 9s".to_owned())]);

    // The test controls the random numbers.
    let backends = |_| channel.pick(&call).backend().map(str::to_owned);
    channel.seed(7);
    let first: Vec<_> = (0..20).map(backends).collect();
    channel.seed(7);
    assert_eq!(first, (0..20).map(backends).collect::<Vec<_>>());
    let distribution = channel.picks(1000, &call);
    assert!(distribution.chi_square(&[("a", 1.0), ("b", 1.0)]) > 0.001, "{distribution:?}");
    assert_eq!(channel.faults(), 0);
}

// --- Backends as the resolver describes them -----------------------------------------------------
struct Describing;

impl PickerFactory for Describing {
    const NAME: &'static str = "describing";
    type Config = NoConfig;

    fn build(&self, _config: &NoConfig, backends: Backends, channel: &Channel) -> impl Picker {
        for backend in &backends {
            let addresses: Vec<_> = backend.addresses().collect();
            let attributes: Vec<_> = backend.attributes().collect();
            channel.log(
                Severity::Info,
                &format!(
                    "{} {addresses:?} {:?} {:?} {} {attributes:?}",
                    backend.index(),
                    backend.weight(),
                    backend.locality(),
                    backend.hash_key()
                ),
            );
            let zone_id = backend.attribute("zone-id");
            assert!(matches!(zone_id, None | Some(AttributeValue::Integer(7))));
        }
        let backends = Arc::new(backends.clone());
        picker(move |_| backends.last().map_or(Pick::queue(), Pick::complete))
    }
}

#[test]
fn pickers_see_backends_as_the_resolver_describes_them() {
    let channel = channel("describing", "{}");
    channel.resolve([
        TestBackend::new("a"),
        TestBackend::new("b")
            .address("b2")
            .weight(3)
            .locality("r", "z", "s")
            .hash_key("k")
            .text("name", "bee")
            .integer("zone-id", 7),
    ]);
    channel.ready("a");
    channel.all_ready();
    let lines: Vec<String> = channel.log().into_iter().map(|(_, text)| text).collect();
    let a = "0 [\"a\"] None Locality { region: \"\", zone: \"\", sub_zone: \"\" } a []";
    let b = "1 [\"b\", \"b2\"] Some(3) Locality { region: \"r\", zone: \"z\", sub_zone: \"s\" } k \
             [(\"name\", Text(\"bee\")), (\"zone-id\", Integer(7))]";
    assert_eq!(lines, [a, a, b]);
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("b"));
}

// --- Faults --------------------------------------------------------------------------------------
/// Panics in the hook that its config names.
struct Broken;

#[derive(Deserialize)]
struct BrokenConfig {
    #[serde(default)]
    place: String,
}

impl StatefulPickerFactory for Broken {
    const NAME: &'static str = "broken";
    type Config = BrokenConfig;
    type ChannelState = ();
    type BackendState = u8;

    fn new_channel(&self, _channel: &Channel) {}

    fn new_backend(&self, _state: &mut (), backend: &Backend) -> u8 {
        assert_ne!(backend.address(), "bad", "a bad backend");
        0
    }

    fn build(
        &self,
        config: &BrokenConfig,
        backends: Backends<u8>,
        _state: &mut (),
        helper: &Helper<'_>,
    ) -> impl Picker {
        assert_ne!(config.place, "build", "a bad build");
        helper.start_timer(Duration::from_secs(1));
        picker(move |_| Pick::complete(&backends[0]))
    }

    fn timer(&self, _timer: TimerId, _state: &mut (), _helper: &Helper<'_>) {
        panic!("a bad timer");
    }

    fn check_config(&self, config: &BrokenConfig, _faults: &mut Faults) {
        assert_ne!(config.place, "config", "a bad check");
    }
}

/// Panics for every list.
struct FailsToBuild;

impl PickerFactory for FailsToBuild {
    const NAME: &'static str = "fails_to_build";
    type Config = NoConfig;

    #[allow(unreachable_code, reason = "it has a type to return")]
    fn build(&self, _config: &NoConfig, _backends: Backends, _channel: &Channel) -> impl Picker {
        panic!("no picker");
        picker(|_| Pick::queue())
    }
}

#[test]
fn a_panic_of_any_hook_is_a_fault_with_its_text() {
    let error = TestChannel::new(plugin(), "broken", r#"{"place": "config"}"#).unwrap_err();
    assert!(error.contains("a bad check"), "{error}");

    let channel = ready_channel("broken", r#"{"place": "build"}"#, "ab");
    assert!(errors(&channel)[0].contains("a bad build"), "{:?}", errors(&channel));
    assert_eq!(channel.picks(10, &TestCall::new()).completed(), 10);

    let channel = ready_channel("broken", "{}", "a");
    assert_eq!(channel.faults(), 0);
    channel.advance(Duration::from_secs(1));
    assert!(errors(&channel)[0].contains("a bad timer"), "{:?}", errors(&channel));

    let channel = channel_with_bad_backend();
    assert!(errors(&channel)[0].contains("a bad backend"), "{:?}", errors(&channel));
    assert_eq!(channel.picks(10, &TestCall::new()).completed(), 10);
}

fn channel_with_bad_backend() -> TestChannel {
    let channel = channel("broken", "{}");
    channel.resolve(["bad", "good"]);
    channel.all_ready();
    channel
}

// --- Conformance ---------------------------------------------------------------------------------
#[test]
fn sound_pickers_conform() {
    for (policy, config) in [
        ("scripted", r#"{"steps": [{"complete": 0}, "queue", {"fail": 14}]}"#),
        ("by_name_in_rust", r#"{"headers": ["to"], "path": true}"#),
        ("describing", "{}"),
        ("remembering", "{}"),
        ("timed", "{}"),
    ] {
        let named = |number| TestCall::new().header("to", format!("ipv4:10.0.0.{number}:80"));
        Conformance::new(plugin(), policy, config).calls(named).check().unwrap();
    }
}

#[test]
fn broken_pickers_do_not_conform() {
    for (policy, config, why) in [
        ("scripted", r#"{"steps": ["queue", "panic"]}"#, "on purpose"),
        ("scripted", r#"{"steps": [{"complete": 1}]}"#, "index out of bounds"),
        ("fails_to_build", "{}", "no picker"),
        ("broken", "{}", "a bad timer"),
        ("broken", r#"{"place": "config"}"#, "a bad check"),
    ] {
        let error = Conformance::new(plugin(), policy, config).check().unwrap_err().to_string();
        assert!(error.contains(why), "{policy}: {error}");
    }
}
