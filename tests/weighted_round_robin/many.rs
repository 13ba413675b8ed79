//! Schedules of so many backends that not all of their places are READY.

use super::*;

/// A channel with more backends than a picker keeps in one array. The first of each five is not
/// READY. `weigh` gives those with odd indices twice the weight of the others. Returns the names by
/// index.
fn many(config: Value, weigh: impl FnOnce(&Channel, &[char])) -> (Channel, Vec<char>) {
    let names: Vec<char> = (0..1500).map(|i| char::from_u32(0x4e00 + i).unwrap()).collect();
    let ready = |(i, name): (usize, &char)| (i % 5 != 0).then_some(*name);
    let channel = Channel::with_seed(POLICY, config, 1);
    channel.update(&names.iter().collect::<String>()).unwrap();
    channel.ready(&names.iter().enumerate().filter_map(ready).collect::<String>());
    weigh(&channel, &names);
    (channel, names)
}

/// Panics unless each READY backend of `names` gets its share, and no other gets calls.
fn assert_shares(channel: &Channel, names: &[char], weight: impl Fn(usize) -> usize) {
    let rounds = 10;
    let expected: Vec<usize> = (0..names.len()).map(weight).collect();
    let shares = shares(channel, rounds * expected.iter().sum::<usize>());
    for (index, name) in names.iter().enumerate() {
        let share = shares.get(name).copied().unwrap_or(0);
        // The first and the last pass are not complete.
        let most = if expected[index] == 0 { 0 } else { 2 };
        assert!(share.abs_diff(rounds * expected[index]) <= most, "{index}: {share}");
    }
}

#[test]
fn of_very_many_backends_each_gets_its_share() {
    let weights: Value = (0..1500)
        .map(|i| (char::from_u32(0x4e00 + i).unwrap().to_string(), json!(1 + i % 2)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let (channel, names) = many(json!({ "weights": weights }), |_, _| {});
    let listed = |index: usize| 1 + index % 2;
    assert_shares(&channel, &names, |index| if index % 5 == 0 { 0 } else { listed(index) });
    // Some leave and others come. Each has its weight.
    channel.fail(&names[..70].iter().collect::<String>());
    channel.ready(&names[1400..].iter().collect::<String>());
    let ready = |index: usize| index >= 70 && (index % 5 != 0 || index >= 1400);
    assert_shares(&channel, &names, |index| if ready(index) { listed(index) } else { 0 });
    // With few enough backends for one array, the shares stay the same.
    channel.fail(&names[70..500].iter().collect::<String>());
    let ready = |index: usize| index >= 500 && (index % 5 != 0 || index >= 1400);
    assert_shares(&channel, &names, |index| if ready(index) { listed(index) } else { 0 });
}

#[test]
fn of_very_many_backends_only_ready_ones_decide_about_the_scale() {
    // Those that are not READY at first are heavier than the others.
    let listed = |index: usize| if index % 5 == 0 { 8 } else { 1 + index % 2 };
    let weights = (0..1500)
        .map(|i: usize| (char::from_u32(0x4e00 + i as u32).unwrap().to_string(), json!(listed(i))));
    let weights: Value = weights.collect::<serde_json::Map<_, _>>().into();
    let (channel, names) = many(json!({ "weights": weights }), |_, _| {});
    let ready = |index: usize| if index % 5 == 0 { 0 } else { listed(index) };
    assert_shares(&channel, &names, ready);
    // A heavy one comes.
    channel.ready(&names[..1].iter().collect::<String>());
    assert_shares(&channel, &names, |index| if index == 0 { 8 } else { ready(index) });
    channel.fail(&names[..1].iter().collect::<String>());
    assert_shares(&channel, &names, ready);
}

#[test]
fn of_very_many_backends_a_new_one_has_the_mean_until_its_weight_is_known() {
    let config = json!({"enableOobLoadReport": true, "blackoutPeriod": "0s"});
    let report = |channel: &Channel, names: &[char]| {
        for (index, name) in names.iter().enumerate() {
            channel.load_report(*name, &load(100.0 * (1 + index % 2) as f64, 0.5));
        }
        channel.advance(s(1));
    };
    let (channel, names) = many(config, report);
    let listed = |index: usize| 1 + index % 2;
    assert_shares(&channel, &names, |index| if index % 5 == 0 { 0 } else { listed(index) });
    // The mean of the weights is 1.5.
    channel.ready(&names[..1].iter().collect::<String>());
    let shares = shares(&channel, 20 * 1800 + 30);
    assert!(shares[&names[0]].abs_diff(30) <= 2, "{}", shares[&names[0]]);
    report(&channel, &names);
    assert_shares(&channel, &names, |index| match index {
        0 => 1,
        _ if index % 5 == 0 => 0,
        _ => listed(index),
    });
}

#[test]
fn of_very_many_backends_those_listed_twice_take_part_once() {
    let names: String = (0..1500).map(|i| char::from_u32(0x4e00 + i % 1200).unwrap()).collect();
    let first: Vec<char> = names.chars().take(1200).collect();
    let channel = Channel::with_seed(POLICY, json!({"enableOobLoadReport": true}), 1);
    channel.update(&names).unwrap();
    channel.ready(&names);
    assert_shares(&channel, &first, |_| 1);
    channel.fail(&first[..1].iter().collect::<String>());
    assert_shares(&channel, &first, |index| usize::from(index != 0));
}
