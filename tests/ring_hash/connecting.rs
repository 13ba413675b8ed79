//! When connections are made, and the state of the channel.

use super::*;

#[test]
fn connections_are_made_for_calls() {
    let channel = channel(json!({}));
    channel.update("abc").unwrap();
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Idle)]);
    let hashes = hashes("abc");
    assert_eq!(channel.pick_hash(hashes[&'b']), "queue");
    assert_eq!(channel.pick_hash(hashes[&'b']), "queue");
    assert_eq!(channel.asked(), [Asked::RunLater]);
    channel.run();
    assert_eq!(channel.asked(), [Asked::New("b".into()), Asked::Connect("b".into())]);
    channel.idle("b");
    assert_eq!(channel.asked(), []);
    channel.connecting("b");
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Connecting)]);
    assert_eq!(channel.pick_hash(hashes[&'b']), "queue");
    assert_eq!(channel.asked(), []);
    channel.ready("b");
    assert_eq!(channel.asked(), [Asked::State(Connectivity::Ready)]);
    assert_eq!(channel.pick_hash(hashes[&'b']), "b");
    // A call of another endpoint waits for it, although one endpoint is READY.
    assert_eq!(channel.pick_hash(hashes[&'a']), "queue");
    channel.run();
    assert_eq!(
        channel.asked(),
        [Asked::RunLater, Asked::New("a".into()), Asked::Connect("a".into())]
    );
    assert_eq!(channel.alive(), "ab");
}

#[test]
fn a_lost_connection_is_made_again_for_a_call() {
    let channel = connected("ab", json!({}));
    channel.idle("a");
    assert_eq!(channel.asked(), [Asked::Reresolve, Asked::State(Connectivity::Ready)]);
    assert_eq!(channel.pick_hash(hashes("ab")[&'a']), "queue");
    channel.run();
    assert_eq!(channel.asked(), [Asked::RunLater, Asked::Connect("a".into())]);
}

#[test]
fn connections_requested_before_an_update_are_not_made() {
    let channel = channel(json!({}));
    channel.update("ab").unwrap();
    let hashes = hashes("ab");
    let picker = channel.picker();
    let call = Call { request_hash: Some(hashes[&'a']), ..*Call::UNKNOWN };
    assert!(matches!(picker.pick(&call), steer::policy::Pick::Queue));
    channel.update("ba").unwrap();
    channel.asked();
    channel.run();
    assert_eq!(channel.asked(), []);
    // A waiting call asks the new picker. The old one does no harm.
    assert!(matches!(picker.pick(&call), steer::policy::Pick::Queue));
    assert_eq!(channel.pick_hash(hashes[&'a']), "queue");
    channel.run();
    assert_eq!(channel.alive(), "a");
}

#[test]
fn a_call_waits_for_the_next_endpoint_on_the_ring() {
    let channel = channel(json!({}));
    channel.update("ab").unwrap();
    let hash = hashes("ab")[&'a'];
    assert_eq!(channel.pick_hash(hash), "queue");
    channel.run();
    channel.connecting("a");
    channel.asked();
    channel.fail("a");
    // One of two has failed: the state is still CONNECTING, and the other is tried without a call.
    assert_eq!(
        channel.asked(),
        [
            Asked::Reresolve,
            Asked::State(Connectivity::Connecting),
            Asked::New("b".into()),
            Asked::Connect("b".into())
        ]
    );
    assert_eq!(channel.pick_hash(hash), "queue");
    channel.ready("b");
    assert_eq!(channel.pick_hash(hash), "b");
}

#[test]
fn the_state_by_the_states_of_endpoints() {
    use Connectivity::*;
    // The states of endpoints: Ready, Idle, Connecting, Failed.
    for (states, expected) in [
        ("I", Idle),
        ("II", Idle),
        ("C", Connecting),
        ("R", Ready),
        ("F", TransientFailure),
        ("RFF", Ready),
        ("RI", Ready),
        ("CI", Connecting),
        ("FI", Connecting),
        ("FC", Connecting),
        ("FF", TransientFailure),
        ("FFC", TransientFailure),
        ("FFI", TransientFailure),
        ("FFF", TransientFailure),
        ("FII", Connecting),
    ] {
        let names = &"abc"[..states.len()];
        let channel = channel(json!({}));
        channel.update(names).unwrap();
        let hashes = hashes(names);
        let not_idle = || names.chars().zip(states.chars()).filter(|(_, state)| *state != 'I');
        for (name, _) in not_idle() {
            channel.pick_hash(hashes[&name]);
        }
        channel.run();
        for (name, state) in not_idle() {
            let name = name.to_string();
            channel.connecting(&name);
            match state {
                'R' => channel.ready(&name),
                'F' => channel.fail(&name),
                _ => {}
            }
        }
        assert_eq!(channel.state(), Some(expected), "{states}");
        if expected == TransientFailure {
            let last = names.chars().rfind(|name| states[*name as usize - 97..].starts_with('F'));
            let message =
                format!("no reachable subchannels; last error: {} is down", last.unwrap());
            assert_eq!(channel.status(), Status::new(Code::Unavailable, message), "{states}");
        }
    }
}

#[test]
fn in_transient_failure_one_attempt_goes_on() {
    let channel = channel(json!({}));
    channel.update("abcd").unwrap();
    channel.pick_hash(hashes("abcd")[&'c']);
    channel.run();
    let connects = |channel: &Channel| -> Vec<Asked> {
        channel.asked().into_iter().filter(|asked| matches!(asked, Asked::Connect(_))).collect()
    };
    let connect = |name: &str| Asked::Connect(name.into());
    channel.connecting("c");
    assert_eq!(connects(&channel), [connect("c")]);
    channel.fail("c");
    assert_eq!(connects(&channel), [connect("a")]);
    channel.connecting("a");
    assert_eq!(connects(&channel), []);
    channel.fail("a");
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!(connects(&channel), [connect("b")]);
    channel.connecting("b");
    channel.fail("b");
    assert_eq!(connects(&channel), [connect("d")]);
    channel.connecting("d");
    channel.fail("d");
    assert_eq!(connects(&channel), []);
    // Endpoints that have failed retry by themselves.
    channel.connecting("a");
    channel.idle("b");
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!(connects(&channel), [connect("b")]);
    channel.ready("b");
    assert_eq!(channel.state(), Some(Connectivity::Ready));
}

#[test]
fn a_call_without_the_header_goes_to_a_ready_endpoint_and_connects_one_at_most() {
    let channel = channel(json!({"requestHashHeader": "session"}));
    channel.update("abc").unwrap();
    let hashes = hashes("abc");
    channel.set_random(hashes[&'a']);
    assert_eq!(channel.pick(), "queue");
    channel.run();
    assert_eq!(channel.alive(), "a");
    channel.connecting("a");
    // One attempt is in progress, so there is no second.
    channel.set_random(hashes[&'b']);
    channel.asked();
    assert_eq!(channel.pick(), "queue");
    assert_eq!(channel.asked(), []);
    channel.ready("a");
    channel.asked();
    // The call goes to the READY endpoint. Its own endpoint is connected for later calls.
    assert_eq!(channel.pick(), "a");
    channel.run();
    assert_eq!(
        channel.asked(),
        [Asked::RunLater, Asked::New("b".into()), Asked::Connect("b".into())]
    );
    channel.connecting("b");
    channel.ready("b");
    assert_eq!(channel.pick(), "b");
}

#[test]
fn a_refused_endpoint_counts_as_failed() {
    let channel = channel(json!({}));
    channel.refuse("ab");
    channel.update("abc").unwrap();
    channel.asked();
    channel.pick_hash(hashes("abc")[&'a']);
    channel.run();
    let asked = channel.asked();
    // One after the other, until the host accepts one.
    assert_eq!(asked.last(), Some(&Asked::Connect("c".into())));
    assert_eq!(channel.state(), Some(Connectivity::TransientFailure));
    assert_eq!(channel.status().message, "no reachable subchannels; last error: refused");
    channel.ready("c");
    assert_eq!(channel.pick_hash(hashes("abc")[&'a']), "c");
    // The next update tries them again.
    channel.refuse("");
    channel.update("abc").unwrap();
    channel.pick_hash(hashes("abc")[&'a']);
    channel.run();
    channel.ready("a");
    assert_eq!(channel.pick_hash(hashes("abc")[&'a']), "a");
}

#[test]
fn a_refused_endpoint_is_tried_again_when_another_changes() {
    let channel = channel(json!({}));
    channel.refuse("a");
    channel.update("abc").unwrap();
    let hash = hashes("abc")[&'a'];
    channel.pick_hash(hash);
    channel.run();
    channel.refuse("");
    channel.update("abd").unwrap();
    assert_eq!(channel.pick_hash(hashes("abd")[&'a']), "queue");
    channel.run();
    channel.ready("a");
    assert_eq!(channel.pick_hash(hashes("abd")[&'a']), "a");
}

#[test]
fn with_a_host_that_cannot_run_later_calls_fail() {
    let channel = channel(json!({}));
    channel.cannot_run_later();
    channel.update("ab").unwrap();
    assert!(channel.pick_hash(0).starts_with("fail INTERNAL: the host cannot connect"));
}

#[test]
fn backoff_is_reset_for_endpoints_that_exist() {
    let channel = channel(json!({}));
    channel.update("abc").unwrap();
    channel.pick_hash(hashes("abc")[&'b']);
    channel.run();
    channel.asked();
    channel.runner.reset_backoff();
    assert_eq!(channel.asked(), [Asked::ResetBackoff("b".into())]);
}

#[test]
fn late_reports_are_ignored() {
    let channel = connected("ab", json!({}));
    let gone = channel.ids('a')[0];
    channel.update("b").unwrap();
    assert!(!channel.runner.endpoint_report(gone, steer::endpoints::Report::Connecting));
}

#[test]
fn exit_idle_connects_one_endpoint() {
    let channel = channel(json!({}));
    channel.runner.exit_idle();
    assert_eq!(channel.asked(), [], "there is no list yet");
    channel.update("abc").unwrap();
    channel.asked();
    let ring = ring("abc");
    // As a call with a random hash. Endpoints without entries never get a call.
    channel.set_random(hashes("abc")[&'b']);
    channel.runner.exit_idle();
    assert_eq!(channel.asked(), [Asked::New("b".into()), Asked::Connect("b".into())]);
    // Every call that waits in a parent policy asks. None of them leads to another connection.
    channel.set_random(hashes("abc")[&'c']);
    channel.runner.exit_idle();
    assert_eq!(channel.asked(), [Asked::Connect("b".into())]);
    channel.connecting("b");
    channel.runner.exit_idle();
    channel.ready("b");
    channel.runner.exit_idle();
    let states = [Connectivity::Connecting, Connectivity::Ready].map(Asked::State);
    assert_eq!(channel.asked(), states);
    assert_eq!(channel.pick_hash(ring.entries().find(|entry| entry.1 == 1).unwrap().0), "b");
    // The connection is lost, and the channel is IDLE again.
    channel.idle("b");
    assert_eq!(channel.state(), Some(Connectivity::Idle));
    channel.asked();
    channel.runner.exit_idle();
    assert_eq!(channel.asked(), [Asked::New("c".into()), Asked::Connect("c".into())]);
}

#[test]
fn exit_idle_goes_on_to_an_endpoint_that_the_host_makes() {
    let channel = channel(json!({}));
    channel.refuse("ab");
    channel.update("abc").unwrap();
    channel.set_random(hashes("abc")[&'a']);
    channel.runner.exit_idle();
    assert_eq!(channel.alive(), "c");
    assert_eq!(channel.asked().last(), Some(&Asked::Connect("c".into())));
}

#[test]
fn exit_idle_of_a_list_without_endpoints_does_nothing() {
    let channel = channel(json!({}));
    channel.update("").unwrap_err();
    channel.asked();
    channel.runner.exit_idle();
    assert_eq!((channel.asked(), channel.runner.faults()), (vec![], 0));
}
