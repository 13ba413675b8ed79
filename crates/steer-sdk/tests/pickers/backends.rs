//! Tests backends as the resolver describes them.

use std::sync::Arc;

use steer_sdk::testkit::{TestBackend, TestCall};
use steer_sdk::{
    AttributeValue, Backends, Channel, NoConfig, Pick, Picker, PickerFactory, Severity, Wants,
    picker,
};

use crate::{channel, ready_channel};

pub(crate) struct Describing;

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

#[test]
fn pickers_see_attributes_of_the_config_as_the_resolvers() {
    let config = r#"{"attributes": {"a": {"name": "ay", "weight": 2, "zone": "z", "zone-id": 7}}}"#;
    let channel = channel("describing", config);
    channel.resolve(["a", "b"].map(TestBackend::new));
    channel.ready("a");
    let lines: Vec<String> = channel.log().into_iter().map(|(_, text)| text).collect();
    let a = "0 [\"a\"] Some(2) Locality { region: \"\", zone: \"z\", sub_zone: \"\" } a \
             [(\"name\", Text(\"ay\")), (\"zone-id\", Integer(7))]";
    assert_eq!(lines, [a]);
}

#[test]
fn each_of_several_connections_is_a_backend_of_its_own() {
    let config = r#"{"steps": [{"complete": 3}], "connectionsPerBackend": 2}"#;
    let channel = ready_channel("scripted", config, "ab");
    assert_eq!(channel.held_connections(), 4);
    assert_eq!(channel.pick(&TestCall::new()).backend(), Some("b"));
}

/// Chooses a READY backend of two: those that a call's place in the whole list leads to, whether
/// or not other backends are connected.
pub(crate) struct TwoOfAll;

impl PickerFactory for TwoOfAll {
    const NAME: &'static str = "two_of_all";
    type Config = NoConfig;

    fn build(&self, _config: &NoConfig, backends: Backends, channel: &Channel) -> impl Picker {
        let states: Vec<_> = backends.all().iter().map(|one| one.connectivity()).collect();
        channel.log(Severity::Info, &format!("{} of {states:?}", backends.len()));
        picker(move |call| {
            let first = call.path().len();
            let mut mine =
                (0..2).map(|step| &backends.all()[(first + step) % backends.all().len()]);
            mine.find(|one| one.is_ready()).map_or(Pick::queue(), Pick::complete)
        })
        .wants(Wants::nothing().path())
    }
}

#[test]
fn pickers_see_all_backends_with_their_states() {
    let channel = channel("two_of_all", "{}");
    channel.resolve(["a", "b", "c", "d"]);
    channel.ready("c");
    channel.fails("b");
    let last = || channel.log().pop().map(|(_, text)| text);
    let expected = "1 of [Connecting, TransientFailure, Ready, Connecting]";
    assert_eq!(last().as_deref(), Some(expected));
    let pick = |first: usize| {
        let call = TestCall::new().path("/".repeat(first));
        channel.pick(&call).backend().map(str::to_owned)
    };
    let picks = || (0..4).map(pick).collect::<Vec<_>>();
    let c = || Some("c".to_owned());
    assert_eq!(picks(), [None, c(), c(), None]);
    channel.all_ready();
    assert_eq!(last().as_deref(), Some("4 of [Ready, Ready, Ready, Ready]"));
    assert_eq!(picks(), ["a", "b", "c", "d"].map(|one| Some(one.to_owned())));
    assert_eq!(channel.faults(), 0);
}
