//! Tests what pickers see of a call: headers, path, and the hash of an xDS route.

use serde::Deserialize;
use steer_sdk::testkit::{Picked, TestCall};
use steer_sdk::{Backends, Call, Channel, Pick, Picker, PickerFactory, Status, Wants, picker};

use crate::ready_channel;

#[derive(Deserialize)]
pub(crate) struct Seeing {
    headers: Vec<String>,
    path: bool,
}

/// Chooses the backend that a header or the path names, and adds a header.
pub(crate) struct ByName;

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
