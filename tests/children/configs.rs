//! The field `childPolicy`, and its faults.

use super::*;

const PARENTS: [&str; 4] = ["steer_subset", "steer_priority", "steer_locality", "steer_slow_start"];

#[test]
fn the_first_known_policy_of_the_list_is_the_child() {
    let child = json!({"childPolicy": [{"tomorrows_policy": {"a": 1}}, {"steer_random": {}},
                                       {"steer_maglev": {"tableSize": "wrong"}}]});
    let channel = statistics::channel("steer_subset", child);
    channel.update("ab").unwrap();
    let children = statistics::children(&channel);
    assert_eq!(children, ["subset: steer_random"]);
}

#[test]
fn without_the_field_the_child_is_round_robin() {
    for parent in PARENTS {
        let channel = Channel::with(parent, json!({}));
        channel.update("abc").unwrap();
        channel.ready("abc");
        assert_eq!(channel.picked(6), "aabbcc", "{parent}");
    }
}

#[test]
fn a_fault_has_its_whole_path() {
    let fault = |policy, config| {
        let error = Channel::config_fault(policy, config);
        let faults = error.split_once('[').unwrap().1;
        faults.strip_suffix(']').unwrap().to_owned()
    };
    assert_eq!(
        fault("steer_subset", with_child("steer_least_request", json!({"choiceCount": 1}))),
        "field:steer_subset.childPolicy[0].steer_least_request.choiceCount \
         error:must be at least 2"
    );
    let deep = json!({
        "childPolicy": [{"nobodys": {}}, {"steer_priority": {
            "failoverTimeout": 5,
            "childPolicy": [{"steer_subset": {
                "subsetSize": 0,
                "childPolicy": [{"steer_random": []}],
            }}],
        }}],
    });
    assert_eq!(
        fault("steer_subset", deep),
        "field:steer_subset.childPolicy[1].steer_priority.failoverTimeout \
         error:invalid duration 5: expected one such as \"10s\"; \
         field:steer_subset.childPolicy[1].steer_priority.childPolicy[0].steer_subset.subsetSize \
         error:must be at least 1; \
         field:steer_subset.childPolicy[1].steer_priority.childPolicy[0].steer_subset\
         .childPolicy[0].steer_random error:is not an object"
    );
}

#[test]
fn a_list_without_a_known_policy_is_a_fault() {
    for parent in PARENTS {
        for list in [json!([]), json!([{"nobodys": {}}])] {
            let error = Channel::config_fault(parent, json!({"childPolicy": list}));
            let field = format!("field:{parent}.childPolicy error:names no policy that is known");
            assert!(error.contains(&field) && error.contains("steer_round_robin"), "{error}");
        }
        for list in [json!([{}]), json!([{"steer_random": {}, "steer_maglev": {}}])] {
            let error = Channel::config_fault(parent, json!({"childPolicy": list}));
            let field = format!("field:{parent}.childPolicy[0] error:must have one field");
            assert!(error.contains(&field), "{error}");
        }
        for list in [json!({"steer_random": {}}), json!("steer_random"), json!([1])] {
            let error = Channel::config_fault(parent, json!({"childPolicy": list}));
            assert!(error.contains(&format!("field:{parent}.childPolicy")), "{error}");
            assert!(!error.contains("names no policy"), "one fault is enough: {error}");
        }
    }
}

#[test]
fn several_connections_are_asked_of_the_outermost_policy() {
    let config = with_child("steer_round_robin", json!({"connectionsPerBackend": 2}));
    let error = Channel::config_fault("steer_subset", config);
    assert!(
        error.contains("field:steer_subset.childPolicy[0].steer_round_robin.connectionsPerBackend")
            && error.contains("belongs into the config of the outermost policy"),
        "{error}"
    );
}

#[test]
fn a_misspelt_field_of_a_child_is_logged() {
    let config = with_child("steer_peak_ewma", json!({"decyaTime": "1s"}));
    let channel = Channel::with("steer_subset", config);
    channel.update("a").unwrap();
    let logs = logs(&channel);
    let expected = "steer_peak_ewma: the config's field \"decyaTime\" is not known, and ignored: \
                    did you mean \"decayTime\"?";
    assert!(logs.iter().any(|line| line == expected), "{logs:?}");
}
