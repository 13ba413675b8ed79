//! A child that panics falls back alone.

use std::sync::atomic::{AtomicBool, Ordering};

use steer::calls::Call;
use steer::endpoints::Connectivity::Ready;
use steer::policy::{
    BuiltIn, Fields, Helper, LeafFactory, NoFields, Pick, Picker, PickerFactory, Ready as Backends,
};

use super::*;

/// Whether picks of [`Panicking`] panic.
static PANICS: AtomicBool = AtomicBool::new(false);

struct PanickingPickers;

impl BuiltIn for PanickingPickers {
    const NAME: &'static str = "children_panicking";

    fn parse(_fields: &mut Fields<'_>) -> NoFields {
        NoFields {}
    }

    fn new(_helper: &dyn Helper) -> Self {
        PanickingPickers
    }
}

impl PickerFactory for PanickingPickers {
    type Config = NoFields;

    fn build(
        &mut self,
        _config: &Arc<NoFields>,
        ready: &Backends<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let first = ready.backends().next().expect("there is at least one");
        Box::new(Panicking(first.connection))
    }
}

struct Panicking(steer::endpoints::Connection);

impl Picker for Panicking {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        assert!(!PANICS.load(Ordering::Relaxed), "a faulty child");
        Pick::Complete(&self.0)
    }
}

#[test]
fn only_the_child_falls_back() {
    let factory = Arc::new(LeafFactory::<PanickingPickers>::new());
    steer::policies::registry().register(factory).unwrap();
    let config = with_child("children_panicking", json!({}));
    let mut channel = Channel::with(
        "steer_priority",
        json!({
            "childPolicy": [{"steer_subset": config}],
        }),
    );
    channel.target = "children faults".to_owned();
    channel.update("ab").unwrap();
    channel.ready("ab");
    assert_eq!(channel.picks(2), "aa");
    PANICS.store(true, Ordering::Relaxed);
    let failed = channel.pick();
    assert_eq!(failed, "fail INTERNAL: children_panicking: pick panicked: a faulty child");
    assert_eq!(channel.pick(), "queue", "calls wait for the fallback");
    channel.run();
    channel.ready("ab");
    assert_eq!((channel.state(), channel.picked(4).as_str()), (Some(Ready), "aabb"));
    assert_eq!(channel.runner.fallback(), None, "the outermost policy works");
    let outer = statistics::seen(&channel);
    assert_eq!((outer.faults, outer.fallen_back), (0, false));
    let leaf = &outer.children[0].children[0];
    assert_eq!((leaf.policy.as_str(), leaf.faults), ("children_panicking", 1));
    assert_eq!(leaf.fallback.as_ref().unwrap().mode, "round_robin");
    let logged = logs(&channel);
    assert!(logged.iter().any(|line| line.starts_with("children_panicking: pick panicked")));
}
