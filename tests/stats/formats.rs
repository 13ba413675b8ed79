//! The formats of a snapshot.

use super::*;

#[test]
fn the_json_of_a_policy_that_tracks_calls() {
    let channel = channel("json", "steer_least_request", json!({}));
    channel.update("ab").unwrap();
    channel.ready("a");
    channel.fail("b");
    call(&channel);
    assert_eq!(
        stats::to_json(&seen("json"), &[], &[]),
        concat!(
            r#"{"steer":"0.1.0","channels":[{"id":1,"grpc_channel":1,"target":"json","#,
            r#""policy":"steer_least_request","fallen_back":false,"state":"READY","status":"","#,
            r#""faults":0,"pickers":3,"calls_tracked":true,"backends":["#,
            r#"{"addresses":["a"],"state":"READY","picks":5,"in_flight":1,"abandoned":1,"#,
            r#""finished":{"OK":2,"UNAVAILABLE":1},"latency_seconds":{"count":3,"sum":0.04,"#,
            r#""p50":0.01024,"p90":0.03,"p99":0.03,"p999":0.03,"max":0.03}},"#,
            r#"{"addresses":["b"],"state":"TRANSIENT_FAILURE","picks":0,"in_flight":0,"#,
            r#""abandoned":0,"finished":{}}]}]}"#
        )
    );
}

#[test]
fn the_text_for_prometheus() {
    let channel = channel("a \"quoted\\\ntarget", "steer_least_request", json!({}));
    channel.update("a").unwrap();
    channel.ready("a");
    call(&channel);
    let text = stats::to_prometheus(seen(&channel.target), vec![], &[]);
    assert_eq!(text, include_str!("stats.prometheus"), "{text}");
}

#[test]
fn the_place_of_a_policy() {
    let mut channel = channel("place", "steer_random", json!({}));
    channel.cluster = "greeters".to_owned();
    let locality = Locality { region: "here".into(), zone: "a".into(), ..Default::default() };
    channel.update_with(Ok(vec![located("a", &locality)])).unwrap();
    let json = stats::to_json(&seen("place"), &[], &[]);
    let place = concat!(
        r#""id":1,"grpc_channel":1,"target":"place","cluster":"greeters","#,
        r#""locality":{"region":"here","zone":"a"},"policy":"#
    );
    assert!(json.contains(place), "{json}");
    let text = stats::to_prometheus(seen("place"), vec![], &[]);
    let sample = concat!(
        r#"steer_channel_info{channel="1",policy="steer_random",target="place","#,
        r#"grpc_channel="1",cluster="greeters",region="here",zone="a"} 1"#
    );
    assert!(text.contains(sample), "{text}");
}

/// A target may name each backend, as `ipv4:` does.
#[test]
fn the_text_for_prometheus_grows_linearly_with_the_backends() {
    let length = |backends: usize| {
        let addresses = (0..backends).map(|number| format!("10.0.0.{number:03}:50051"));
        let addresses: Vec<String> = addresses.collect();
        let target = format!("ipv4:{}", addresses.join(","));
        let channel = channel(&target, "steer_least_request", json!({}));
        let endpoint =
            |address| EndpointDescriptor { addresses: vec![address], ..Default::default() };
        channel
            .update_with(Ok(addresses.into_iter().map(endpoint).map(Arc::new).collect()))
            .unwrap();
        channel.ready_all();
        let text = stats::to_prometheus(seen(&target), vec![], &[]);
        assert_eq!(text.matches(&target).count(), 1);
        text.len()
    };
    let (few, many) = (length(50), length(400));
    assert!(many < 9 * few, "{few} bytes for 50 backends, {many} for 400");
}

#[test]
fn names_that_are_taken_over_are_listed() {
    let taken = stats::TakenName { name: "round_robin".into(), policy: "steer_random".into() };
    assert_eq!(
        stats::to_json(&[], std::slice::from_ref(&taken), &[]),
        concat!(
            r#"{"steer":"0.1.0","taken_over":[{"name":"round_robin","policy":"steer_random"}],"#,
            r#""channels":[]}"#
        )
    );
    let text = stats::to_prometheus(vec![], vec![taken], &[]);
    let sample = r#"steer_taken_over_info{name="round_robin",policy="steer_random"} 1"#;
    assert!(text.contains(sample), "{text}");
}
