//! Configs.

use super::*;

#[test]
fn every_fault_of_a_config_is_reported() {
    assert_eq!(
        fault(json!({
            "minRingSize": 0, "maxRingSize": 8388609, "requestHashHeader": "key-bin",
            "hashBalanceFactor": 99,
        })),
        "errors validating steer_ring_hash LB policy config: [\
         field:steer_ring_hash.requestHashHeader error:\"key-bin\" is a binary header, which \
         cannot be hashed; \
         field:steer_ring_hash.hashBalanceFactor error:must be 0 or at least 100; \
         field:steer_ring_hash.minRingSize error:must be in the range [1, 8388608]; \
         field:steer_ring_hash.maxRingSize error:must be in the range [1, 8388608]]"
    );
    for (config, field) in [
        (json!({"minRingSize": 4097}), "maxRingSize error:must not be below minRingSize"),
        (json!({"minRingSize": -1}), "minRingSize error:expected a whole number"),
        (json!({"maxRingSize": "x"}), "maxRingSize error:expected a whole number"),
        (json!({"requestHashHeader": 5}), "requestHashHeader error:expected a string, found 5"),
        (
            json!({"requestHashHeader": "a b"}),
            "requestHashHeader error:\"a b\" cannot name a header",
        ),
        (json!({"hashBalanceFactor": 1}), "hashBalanceFactor error:must be 0 or at least 100"),
    ] {
        let fault = fault(config);
        assert!(fault.contains(&format!("field:steer_ring_hash.{field}")), "{fault}");
    }
    let factory = steer::policies::registry().find("steer_ring_hash").unwrap();
    for config in
        [json!(null), json!({}), json!({"minRingSize": "8388608", "maxRingSize": 8388608})]
    {
        assert!(factory.parse_config(&config, steer::policies::registry()).is_ok());
    }
}

#[test]
fn another_config_makes_another_ring() {
    let mut channel = connected("ab", json!({}));
    channel.config = json!({"minRingSize": 1, "maxRingSize": 2, "requestHashHeader": "key"});
    channel.update("ab").unwrap();
    let members = |key| Member { key: Cow::Borrowed(key), weight: 1 };
    let ring = Ring::new(&[members(b"a"), members(b"b")], 1, 2);
    for value in ["1", "2", "3", "4", "5"] {
        let hash = twox_hash::XxHash64::oneshot(0, value.as_bytes());
        let expected = ["a", "b"][ring.owner(ring.find(hash))];
        assert_eq!(channel.pick_header("key", value), expected);
    }
}

#[test]
fn the_log_names_backends_that_have_no_entry() {
    let mut channel = channel(json!({"minRingSize": 1, "maxRingSize": 2}));
    let logs = |channel: &Channel| -> Vec<String> {
        let text = |asked| if let Asked::Log(text) = asked { Some(text) } else { None };
        channel.asked().into_iter().filter_map(text).collect()
    };
    channel.update("ab").unwrap();
    assert!(logs(&channel).is_empty());
    channel.update("abcde").unwrap();
    assert_eq!(
        logs(&channel),
        ["steer_ring_hash: 3 of 5 backends get no calls, because the ring of 2 \
             entries has none for them: set maxRingSize, which is 2, to several times the number \
             of backends"]
    );
    // Once, and not with each list.
    channel.update("abcdf").unwrap();
    assert!(logs(&channel).is_empty());
    channel.config = json!({"minRingSize": 16, "maxRingSize": 16});
    channel.update("abcdf").unwrap();
    channel.update("abcdefgh").unwrap();
    assert!(logs(&channel).is_empty());
}
