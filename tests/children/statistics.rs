//! The tree in the statistics.

use std::sync::atomic::{AtomicU64, Ordering};

use steer::stats::{self, ChannelStats};

use super::*;

/// The statistics of this channel, whose target nobody else has.
pub(super) fn seen(channel: &Channel) -> ChannelStats {
    let mut seen = stats::snapshot();
    seen.retain(|other| other.target == channel.target);
    assert_eq!(seen.len(), 1, "one channel is one channel");
    seen.remove(0)
}

/// The children of a channel's policy, as `name: policy`.
pub(super) fn children(channel: &Channel) -> Vec<String> {
    let mine = |other: &ChannelStats| other.target == channel.target;
    let describe = |child: &ChannelStats| {
        format!("{}: {}", child.child.as_deref().expect("a child has a name"), child.policy)
    };
    let all = stats::snapshot();
    let policies = all.iter().filter(|channel| mine(channel));
    policies.flat_map(|channel| channel.children.iter().map(describe)).collect()
}

/// A channel whose target nobody else has.
pub(super) fn channel(policy: &str, config: Value) -> Channel {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut channel = Channel::with(policy, config);
    channel.target = format!("children {}", NEXT.fetch_add(1, Ordering::Relaxed));
    channel
}

#[test]
fn a_parent_knows_what_its_children_know() {
    let channel = channel(
        "steer_priority",
        json!({
            "order": ["blue", "green"], "attribute": "colour",
            "childPolicy": [{"steer_least_request": {}}],
        }),
    );
    let colour =
        |name, colour: &str| described(name, "colour", AttributeValue::Text(colour.into()));
    let list = vec![colour('a', "blue"), colour('b', "green"), colour('c', "blue")];
    channel.update_with(Ok(list)).unwrap();
    channel.ready("ac");
    for _ in 0..4 {
        let (_, mut call) = channel.start();
        call.call_mut().finish(&steer::Status::OK, None);
    }
    let outer = seen(&channel);
    assert!(outer.calls_tracked);
    assert_eq!((outer.policy.as_str(), outer.child.as_deref()), ("steer_priority", None));
    let picks: u64 = outer.backends.iter().filter_map(|backend| backend.picks).sum();
    assert_eq!((picks, outer.backends.len()), (4, 2), "b was not tried");
    let [blue] = &outer.children[..] else { panic!("{:?}", outer.children) };
    assert_eq!(
        (blue.child.as_deref(), blue.policy.as_str()),
        (Some("blue"), "steer_least_request")
    );
    assert_eq!(blue.backends, outer.backends);
    let json = stats::to_json(&[outer], &[], &[]);
    assert!(json.contains(r#""children":[{"id":"#), "{json}");
    assert!(json.contains(r#""child":"blue","policy":"steer_least_request""#), "{json}");
    let id = seen(&channel).id;
    let of_a = seen(&channel).backends[0].picks.unwrap();
    let text = stats::to_prometheus(vec![seen(&channel)], vec![], &[]);
    let of = |labels: &str| format!("{{channel=\"{id}\",{labels}}}");
    for sample in [
        format!("steer_policy_faults_total{} 0", of(r#"policy="steer_priority""#)),
        format!(
            "steer_policy_faults_total{} 0",
            of(r#"policy="steer_least_request",child="blue""#)
        ),
        format!("steer_picks_total{} {of_a}", of(r#"policy="steer_priority",backend="a""#)),
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample} is not in\n{text}");
    }
    assert!(!text.contains(r#"child="blue",backend"#), "{text}");
}

#[test]
fn children_leave_with_their_channel() {
    let channel = channel("steer_subset", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    let target = channel.target.clone();
    assert_eq!(children(&channel).len(), 1);
    channel.runner.close();
    assert!(stats::snapshot().iter().all(|other| other.target != target));
}
