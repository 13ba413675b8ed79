//! Weights that the config, the resolver or EDS gives.

use super::*;

#[test]
fn static_weights_give_exact_sequences() {
    let channel = channel(json!({"weights": {"a": 1, "b": 2, "c": 4}}), "abc");
    // Weights 16384, 32768, 65535.
    assert_eq!(sequence(&channel, 28), "bccbcacbccbcacbccbcacbccbcac");
    assert_eq!(shares(&channel, 7000), [('a', 1000), ('b', 2000), ('c', 4000)].into());
}

#[test]
fn the_sequence_goes_on_with_another_picker() {
    let one = channel(json!({"weights": {"a": 1, "b": 2, "c": 4}}), "abc");
    let other = channel(json!({"weights": {"a": 1, "b": 2, "c": 4}}), "abc");
    let expected = sequence(&one, 50);
    let mut picks = String::new();
    for _ in 0..50 {
        picks += &other.pick();
        other.update("abc").unwrap();
    }
    assert_eq!(picks, expected);
}

#[test]
fn each_client_begins_at_a_random_backend() {
    let first = |random: u64| {
        let channel = Channel::with_random(POLICY, json!({}), random);
        channel.update("abc").unwrap();
        channel.ready("abc");
        channel.pick()
    };
    assert_eq!([first(0), first(1), first(2), first(3)], ["a", "b", "c", "a"]);
}

#[test]
fn an_address_without_a_weight_has_the_mean() {
    let channel = channel(json!({"weights": {"a": 1, "c": 3}}), "abc");
    assert_eq!(shares(&channel, 6000), [('a', 1000), ('b', 2000), ('c', 3000)].into());
}

/// The resolver gives these weights.
fn update_weights(channel: &Channel, weights: &[(char, u32)]) {
    let endpoint = |(index, (name, weight)): (usize, &(char, u32))| {
        let (index, addresses) = ((index as u32).into(), vec![name.to_string()]);
        Arc::new(EndpointDescriptor { index, addresses, weight: *weight, ..Default::default() })
    };
    channel.update_with(Ok(weights.iter().enumerate().map(endpoint).collect())).unwrap();
    for (name, _) in weights {
        report_newest(channel, *name, &[Ready]);
    }
}

#[test]
fn an_address_that_the_config_does_not_name_has_the_resolvers_weight() {
    let channel = Channel::with(POLICY, json!({"weights": {"a": "1", "b": 2.0}}));
    // The last one has the mean of the others.
    update_weights(&channel, &[('a', 7), ('b', 0), ('c', 3), ('d', 0)]);
    let expected = [('a', 1000), ('b', 2000), ('c', 3000), ('d', 2000)];
    assert_eq!(shares(&channel, 8000), expected.into());
    assert!(!channel.picker().wants().metrics);
}

#[test]
fn the_resolvers_weights_are_used_until_reports_are_usable() {
    let channel = Channel::with(POLICY, json!({}));
    update_weights(&channel, &[('a', 1), ('b', 2), ('c', 3)]);
    assert!(channel.picker().wants().metrics);
    let given = [('a', 1000), ('b', 2000), ('c', 3000)];
    assert_eq!(shares(&channel, 6000), given.into());
    // One report says nothing about the others.
    report_with_calls(&channel, &[("a", 0.1)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 6000), given.into());
    // The first two have given weights 1 and 2, and 600 and 300 by their reports.
    report_with_calls(&channel, &[("a", 1.0 / 6.0), ("b", 1.0 / 3.0)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 6000), [('a', 2000), ('b', 1000), ('c', 3000)].into());
    report_with_calls(&channel, &[("c", 1.0 / 3.0)]);
    channel.advance(s(10));
    assert_eq!(shares(&channel, 4000), [('a', 2000), ('b', 1000), ('c', 1000)].into());
    // Expired reports make room for the resolver's weights again.
    channel.advance(s(180));
    assert_eq!(shares(&channel, 6000), given.into());
}

#[test]
fn weights_that_the_control_plane_pushes_often_switch_reports_off_never() {
    let channel = Channel::with(POLICY, json!({}));
    update_weights(&channel, &[('a', 1), ('b', 1), ('c', 1)]);
    report_with_calls(&channel, &[("a", 1.0), ("b", 0.5), ("c", 0.25)]);
    for push in 2..20 {
        channel.advance(s(1));
        update_weights(&channel, &[('a', push), ('b', push + 1), ('c', push + 2)]);
    }
    assert_eq!(shares(&channel, 7000), [('a', 1000), ('b', 2000), ('c', 4000)].into());
}

#[test]
fn weights_that_name_no_backend_are_logged_once() {
    let logged = |channel: &Channel| -> Vec<String> {
        let asked = channel.asked().into_iter();
        asked
            .filter_map(|asked| if let Asked::Log(text) = asked { Some(text) } else { None })
            .collect()
    };
    let names: serde_json::Map<String, Value> =
        "abcdefghi".chars().map(|name| (name.to_string(), json!(1))).collect();
    let mut channel = channel(json!({ "weights": names }), "ab");
    let text =
        |names: &str| format!("{POLICY}: no backend has these addresses in \"weights\": {names}");
    assert_eq!(logged(&channel), [text("c, d, e, f, g and 2 more")]);
    channel.update("ba").unwrap();
    channel.config["weights"]["a"] = json!(2);
    channel.update("ab").unwrap();
    assert_eq!(logged(&channel), Vec::<String>::new());
    channel.config = json!({"weights": {"a": 2, "x": 1}});
    channel.update("ab").unwrap();
    assert_eq!(logged(&channel), [text("x")]);
    channel.config = json!({"weights": {"a": 2}});
    channel.update("ab").unwrap();
    assert_eq!(logged(&channel), Vec::<String>::new());
}

#[test]
fn with_fewer_than_two_weights_all_take_turns() {
    let channel = channel(json!({"weights": {"a": 5, "x": 1}}), "abc");
    assert_eq!(sequence(&channel, 7), "abcabca");
}

#[test]
fn static_weights_find_addresses_with_and_without_their_scheme() {
    let config = json!({"weights": {
        "10.0.0.1:80": 1, "ipv4:10.0.0.2:80": 2, "[::1]:80": 3, "ipv6:%5B::2%5D:80": 4,
        "second:1": 5,
    }});
    let channel = Channel::with(POLICY, config);
    let addresses: [&[&str]; 5] = [
        &["ipv4:10.0.0.1:80"],
        &["ipv4:10.0.0.2:80"],
        &["ipv6:%5B::1%5D:80"],
        &["ipv6:[::2]:80"],
        &["first:1", "second:1"],
    ];
    let endpoint = |(index, addresses): (usize, &&[&str])| {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        Arc::new(EndpointDescriptor {
            index: (index as u32).into(),
            addresses,
            ..Default::default()
        })
    };
    channel.update_with(Ok(addresses.iter().enumerate().map(endpoint).collect())).unwrap();
    channel.ready_all();
    let mut shares = BTreeMap::new();
    for _ in 0..15_000 {
        *shares.entry(channel.pick()).or_insert(0) += 1;
    }
    let shares: Vec<usize> = addresses.iter().map(|addresses| shares[addresses[0]]).collect();
    assert_eq!(shares, [1000, 2000, 3000, 4000, 5000]);
}

#[test]
fn static_weights_need_no_tracking_reports_or_timers() {
    let config = json!({"weights": {"a": 1, "b": 2}, "enableOobLoadReport": true});
    let channel = channel(config, "ab");
    let asked = channel.asked();
    let wants = |asked: &Asked| matches!(asked, Asked::StartTimer(_) | Asked::LoadReports(_));
    assert!(!asked.iter().any(wants), "{asked:?}");
    assert!(!channel.picker().wants().metrics);
    channel.load_report('a', &load(1.0, 1.0));
    assert_eq!(shares(&channel, 3000), [('a', 1000), ('b', 2000)].into());
}

#[test]
fn an_address_that_is_listed_twice_takes_part_once() {
    let channel = channel(json!({"weights": {"a": 1, "b": 2}}), "aba");
    assert_eq!(shares(&channel, 3000), [('a', 1000), ('b', 2000)].into());
    let reported = Channel::with(POLICY, json!({}));
    reported.update("aba").unwrap();
    reported.ready("ab");
    assert_eq!(sequence(&reported, 4), "abab");
}
