//! Updates of the list.

use super::*;

#[test]
fn an_update_keeps_connections() {
    let channel = connected("abc", json!({}));
    channel.update("dcb").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready), Asked::Dropped("a".into())]);
    let ring = ring("dcb");
    for (hash, owner) in ring.entries() {
        let expected = ["queue", "c", "b"][owner];
        assert_eq!(channel.pick_hash(hash), expected);
    }
    assert_eq!(channel.held_connections(), 2);
    channel.run();
    channel.ready("d");
    for (hash, owner) in ring.entries() {
        assert_eq!(channel.pick_hash(hash), ["d", "c", "b"][owner]);
    }
}

#[test]
fn a_changed_endpoint_is_replaced_and_connected_at_once() {
    let channel = connected("ab", json!({}));
    let endpoint = |index: u32, name: &str, weight| {
        let addresses = vec![name.to_owned()];
        Arc::new(EndpointDescriptor {
            index: index.into(),
            addresses,
            weight,
            ..EndpointDescriptor::default()
        })
    };
    channel.update_with(Ok(vec![endpoint(0, "a", 0), endpoint(1, "b", 5)])).unwrap();
    assert_eq!(
        channel.asked(),
        [
            Asked::New("b".into()),
            Asked::Connect("b".into()),
            Asked::State(Connectivity::Ready),
            Asked::Dropped("b".into())
        ]
    );
}

/// The requests of an update that replaces the connected endpoints `made`, and drops `dropped`.
fn requests(made: &str, dropped: &str) -> Vec<Asked> {
    let again = |name: char| [Asked::New(name.into()), Asked::Connect(name.into())];
    let drops = made.chars().chain(dropped.chars()).map(|name| Asked::Dropped(name.into()));
    let state = [Asked::State(Connectivity::Ready)];
    made.chars().flat_map(again).chain(state).chain(drops).collect()
}

#[test]
fn endpoints_with_other_args_are_replaced() {
    for numbers in [true, false] {
        let channel = connected("abc", json!({}));
        channel.number_args(numbers);
        channel.change_args_of('b');
        channel.update("abc").unwrap();
        assert_eq!(channel.asked(), requests("b", ""), "in the same list");
        channel.ready("b");
        channel.asked();
        channel.change_args_of('c');
        channel.update("dbc").unwrap();
        assert_eq!(channel.asked(), requests("c", "a"), "in a list with one change");
        channel.change_args();
        channel.update("dba").unwrap();
        channel.check_args();
        assert_eq!(channel.alive(), "b", "it was READY");
    }
}

#[test]
fn in_a_list_of_equal_length_an_address_may_come_twice_or_move() {
    let channel = connected("abcd", json!({}));
    channel.update("adcb").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready)]);
    for (hash, owner) in ring("adcb").entries() {
        assert_eq!(channel.pick_hash(hash), ["a", "d", "c", "b"][owner]);
    }
    channel.update("adab").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready), Asked::Dropped("c".into())]);
    let share = |name: char| {
        let picks = (0..1000_u64).map(|part| channel.pick_hash((part << 54) | 1));
        picks.filter(|pick| *pick == name.to_string()).count()
    };
    assert!(share('a') > share('b') + 100, "{} and {}", share('a'), share('b'));
    channel.update("xdab").unwrap();
    assert_eq!((channel.held_connections(), channel.alive().as_str()), (3, "abd"));
}

#[test]
fn after_an_update_the_last_backend_of_the_list_that_has_failed_is_named() {
    let channel = connected("abc", json!({}));
    channel.fail("cab");
    channel.update("ac").unwrap();
    let text = "no reachable subchannels; last error: c is down";
    assert_eq!(channel.status(), Status::unavailable(text));
}

#[test]
fn an_error_keeps_the_list_and_an_empty_list_fails_calls() {
    let channel = connected("ab", json!({}));
    let error = Status::unavailable("no answer");
    assert_eq!(channel.update_with(Err(error.clone())), Err(error.clone()));
    assert_eq!(channel.asked(), []);
    assert_eq!(channel.pick_hash(hashes("ab")[&'a']), "a");
    let empty = Status::unavailable("empty address list: the note");
    assert_eq!(channel.update(""), Err(empty.clone()));
    assert_eq!((channel.state(), channel.status()), (Some(Connectivity::TransientFailure), empty));
    assert_eq!(channel.pick_hash(1), "fail UNAVAILABLE: empty address list: the note");
    assert_eq!((channel.alive(), channel.held_connections()), (String::new(), 0));
    assert_eq!(channel.update_with(Err(error.clone())), Err(error.clone()));
    assert_eq!(channel.status(), error);
    channel.update("ab").unwrap();
    assert_eq!(channel.state(), Some(Connectivity::Idle));
}

#[test]
fn an_address_listed_twice_is_one_endpoint_when_all_have_failed() {
    let channel = channel(json!({}));
    channel.update("aab").unwrap();
    for name in ["a", "b"] {
        channel.pick_hash(hashes("ab")[&name.chars().next().unwrap()]);
        channel.run();
        channel.fail(name);
    }
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!((channel.runner.faults(), channel.alive().as_str()), (0, "ab"));
}

#[test]
fn a_list_of_failed_endpoints_has_their_status() {
    let channel = channel(json!({}));
    channel.update("ab").unwrap();
    for hash in hashes("ab").values() {
        channel.pick_hash(*hash);
    }
    channel.run();
    channel.ready("a");
    channel.fail("b");
    assert_eq!(channel.state(), Some(Connectivity::Ready));
    channel.update("b").unwrap();
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert!(channel.status().message.ends_with("b is down"), "{}", channel.status());
}

#[test]
fn an_empty_list_has_no_backends_in_the_statistics() {
    let mut channel = channel(json!({}));
    channel.target = "none are left".to_owned();
    channel.update("ab").unwrap();
    let backends = || {
        let all = steer::stats::snapshot();
        let own = all.iter().find(|one| one.target == "none are left");
        own.expect("it is alive").backends.len()
    };
    assert_eq!(backends(), 2);
    channel.update("").unwrap_err();
    assert_eq!(backends(), 0);
}
