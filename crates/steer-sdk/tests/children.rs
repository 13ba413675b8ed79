//! Tests custom policies with children, from their traits through the ABI and the real engine to
//! calls in a test channel.
#![allow(missing_docs, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use steer_sdk::testkit::{Conformance, Picked, TestBackend, TestCall, TestChannel};
use steer_sdk::{
    Backends, Channel, Child, ChildId, Code, NoConfig, Pick, Picker, PickerFactory, Policy,
    PolicyFactory, PolicyHelper, Status, TimerId, Update, Wants, picker,
};

steer_sdk::steer_plugin! {
    name: "children of the test",
    pickers: [Last],
    policies: [Counting, Halves, Split],
}

type Helper<'a> = PolicyHelper<'a, Box<dyn Picker>>;

/// Drops calls with the header `x-block`, and counts how the others end.
struct Counting;

impl PolicyFactory for Counting {
    const NAME: &'static str = "counting";
    const TAKES_CHILD: bool = true;
    type Config = NoConfig;
    type Policy = Counted;

    fn new_policy(&self, _channel: &Channel) -> Counted {
        Counted::default()
    }
}

#[derive(Default)]
struct Counted(Option<Child>);

/// The calls that have ended well and badly.
static ENDED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

impl Policy for Counted {
    type Config = NoConfig;
    type Picker = Box<dyn Picker>;

    fn update(&mut self, _: &Update<'_, NoConfig>, helper: &Helper<'_>) -> Result<(), Status> {
        helper.update_child(self.0.get_or_insert_with(|| helper.new_child("counted")))
    }

    fn child_changed(&mut self, child: ChildId, helper: &Helper<'_>) {
        assert!(helper.child_state(child).is_some());
        let pick = picker(|call| match call.header("x-block") {
            Some(_) => Pick::drop(Status::unavailable("blocked")),
            None => Pick::child(0).on_finish(|end| {
                ENDED[usize::from(!end.is_ok())].fetch_add(1, Ordering::Relaxed);
            }),
        });
        helper.publish_children([child], Box::new(pick.wants(Wants::nothing().header("x-block"))));
    }
}

/// Gives its child every other endpoint, and after 10 s the others.
struct Halves;

impl PolicyFactory for Halves {
    const NAME: &'static str = "halves";
    const TAKES_CHILD: bool = true;
    type Config = NoConfig;
    type Policy = Half;

    fn new_policy(&self, _channel: &Channel) -> Half {
        Half::default()
    }
}

#[derive(Default)]
struct Half(Option<Child>, usize);

impl Half {
    fn update_child(&mut self, helper: &Helper<'_>) -> Result<(), Status> {
        let child = self.0.get_or_insert_with(|| helper.new_child("half"));
        let mine = helper.latest().iter().filter(|one| one.index() % 2 == self.1);
        helper.update_child_with(child, mine.map(|one| (one.index(), None)))
    }
}

impl Policy for Half {
    type Config = NoConfig;
    type Picker = Box<dyn Picker>;

    fn update(&mut self, _: &Update<'_, NoConfig>, helper: &Helper<'_>) -> Result<(), Status> {
        helper.start_timer(Duration::from_secs(10));
        self.update_child(helper)
    }

    fn timer(&mut self, _: TimerId, helper: &Helper<'_>) {
        self.1 = 1;
        // An empty list is no fault here.
        let _ = self.update_child(helper);
    }
}

/// Has a child for each zone. The header `zone` says which one a call goes to. Later, it has none
/// any more.
struct Split;

impl PolicyFactory for Split {
    const NAME: &'static str = "split";
    const TAKES_CHILD: bool = true;
    type Config = NoConfig;
    type Policy = Splitting;

    fn new_policy(&self, _channel: &Channel) -> Splitting {
        Splitting::default()
    }
}

#[derive(Default)]
struct Splitting(Vec<(String, Child)>);

impl Policy for Splitting {
    type Config = NoConfig;
    type Picker = Box<dyn Picker>;

    fn update(&mut self, update: &Update<'_, NoConfig>, helper: &Helper<'_>) -> Result<(), Status> {
        let backends = update.endpoints.map_err(Status::clone)?;
        let zone = |index: usize| backends[index].locality().zone.to_owned();
        let zones: Vec<String> = (0..backends.len()).map(zone).collect();
        self.0.retain(|(zone, _)| zones.contains(zone));
        for name in &zones {
            if !self.0.iter().any(|(zone, _)| zone == name) {
                self.0.push((name.clone(), helper.new_child(name)));
            }
        }
        for (name, child) in &self.0 {
            let mine = (0..zones.len()).filter(|index| zones[*index] == *name);
            // The heavier, the later in the list.
            helper.update_child_with(child, mine.map(|index| (index, Some(index as u32 + 1))))?;
        }
        Ok(())
    }

    fn child_changed(&mut self, _: ChildId, helper: &Helper<'_>) {
        let known = |(_, child): &&(String, Child)| helper.child_state(child.id()).is_some();
        let children: Vec<_> = self.0.iter().filter(known).collect();
        let zones: Arc<[String]> = children.iter().map(|(zone, _)| zone.clone()).collect();
        let pick = picker(move |call| {
            let zone = call.header("zone").unwrap_or_default();
            zones.iter().position(|name| name == zone).map_or(Pick::queue(), Pick::child)
        });
        let pick = Box::new(pick.wants(Wants::nothing().header("zone")));
        helper.publish_children(children.iter().map(|(_, child)| child.id()), pick);
    }
}

/// A custom picker, as a child.
struct Last;

impl PickerFactory for Last {
    const NAME: &'static str = "last";
    type Config = NoConfig;

    fn build(&self, _config: &NoConfig, backends: Backends, _channel: &Channel) -> impl Picker {
        picker(move |call| {
            assert_eq!(call.path(), "/a/b", "what the child wants");
            Pick::complete(&backends[backends.len() - 1])
        })
        .wants(Wants::nothing().path())
    }
}

fn channel(policy: &str, config: &str) -> TestChannel {
    TestChannel::new(plugin(), policy, config).unwrap()
}

#[test]
fn a_wrapper_drops_calls_and_follows_those_of_its_child() {
    let ended = || ENDED.each_ref().map(|count| count.load(Ordering::Relaxed));
    let channel = channel("counting", r#"{"childPolicy": [{"none": {}}, {"last": {}}]}"#);
    let call = TestCall::new().path("/a/b");
    channel.resolve(["a", "b"]);
    assert!(matches!(channel.pick(&call), Picked::Queue));
    channel.all_ready();
    let before = ended();
    let blocked = channel.pick(&call.clone().header("x-block", "1"));
    assert!(matches!(blocked, Picked::Drop(_)));
    for code in [Code::Ok, Code::Internal] {
        let picked = channel.pick(&call);
        assert_eq!(picked.backend(), Some("b"));
        picked.finish(code);
    }
    drop(channel.pick(&call));
    assert_eq!(ended(), [before[0] + 1, before[1] + 2]);
    channel.fails("a");
    channel.fails("b");
    match channel.pick(&call) {
        Picked::Fail(status) => assert_eq!(status.code, Code::Unavailable),
        other => panic!("{other:?}"),
    }
    assert_eq!(channel.faults(), 0);
}

#[test]
fn a_filter_gives_its_child_a_part_of_the_list() {
    let channel = channel("halves", "{}");
    channel.resolve(["a", "b", "c", "d"]);
    channel.all_ready();
    let counts = |names: [&str; 4]| {
        let picks = channel.picks(100, &TestCall::new());
        names.map(|name| picks.count(name))
    };
    let all = ["a", "b", "c", "d"];
    assert_eq!(counts(all), [50, 0, 50, 0]);
    channel.advance(Duration::from_secs(10));
    channel.all_ready();
    assert_eq!(counts(all), [0, 50, 0, 50]);
    // The answer of the child for the resolver.
    assert_eq!(channel.try_resolve([] as [&str; 0]).unwrap_err().code, Code::Unavailable);
    assert_eq!(channel.faults(), 0);
}

#[test]
fn a_policy_has_a_child_for_each_zone_with_weights_of_its_own() {
    let config = r#"{"childPolicy": [{"steer_weighted_round_robin": {}}]}"#;
    let channel = channel("split", config);
    let zone = |name: &str, zone: &str| TestBackend::new(name).locality("", zone, "");
    channel.resolve([zone("a", "x"), zone("b", "y"), zone("c", "y")]);
    channel.all_ready();
    let counts = |zone: &str| {
        let picks = channel.picks(50, &TestCall::new().header("zone", zone));
        ["a", "b", "c"].map(|name| picks.count(name))
    };
    assert_eq!(counts("x"), [50, 0, 0]);
    assert_eq!(counts("y"), [0, 20, 30]);
    channel.resolve([zone("b", "y")]);
    assert!(matches!(channel.pick(&TestCall::new().header("zone", "x")), Picked::Queue));
    assert_eq!(channel.pick(&TestCall::new().header("zone", "y")).backend(), Some("b"));
    channel.resolver_fails(&Status::unavailable("no"));
    assert_eq!(channel.pick(&TestCall::new().header("zone", "y")).backend(), Some("b"));
    assert_eq!(channel.faults(), 0);
}

#[test]
fn wrappers_nest_and_faults_have_the_whole_path() {
    let inner = r#"{"halves": {"childPolicy": [{"steer_random": {}}]}}"#;
    let channel = channel("counting", &format!(r#"{{"childPolicy": [{inner}]}}"#));
    channel.resolve(["a", "b"]);
    channel.all_ready();
    assert_eq!(channel.picks(10, &TestCall::new()).count("a"), 10);
    assert_eq!(channel.faults(), 0);
    let bad =
        r#"{"childPolicy": [{"halves": {"childPolicy": [{"steer_subset": {"subsetSize": -1}}]}}]}"#;
    let error = TestChannel::new(plugin(), "counting", bad).unwrap_err();
    let path = "counting.childPolicy[0].halves.childPolicy[0].steer_subset.subsetSize";
    assert!(error.contains(path), "{error}");
}

#[test]
fn policies_with_children_follow_the_rules() {
    for policy in ["counting", "halves"] {
        Conformance::new(plugin(), policy, "{}").check().unwrap();
    }
}
