//! Configs and JSON.

use super::*;

#[test]
fn configs_are_refused_with_their_faults() {
    let world = registered("mine_configs");
    let refused = |json: &str| parse("mine_configs", json).unwrap_err().1;
    assert_eq!(
        refused(r#"{"do": 5}"#),
        "errors validating mine_configs LB policy config: \
         [field:mine_configs.do error:must be a string; field:mine_configs.do error:and is none]"
    );
    assert!(refused(r#"{"do": "refuse"}"#).contains("error:no such config today"));
    assert!(refused("[]").contains("is not an object"));
    assert_eq!(world.count(|world| &world.configs), 0);
}

#[test]
fn json_is_read() {
    let value: serde_json::Value =
        serde_json::from_str(r#"{"a": [1, 2.5, true, null, "x"], "b": -3}"#).unwrap();
    let json = ptr::from_ref(&value).cast::<steer_json>();
    let api = api();
    // SAFETY: the JSON value is valid during the test.
    unsafe {
        assert_eq!(api.json_kind.unwrap()(json), 5);
        assert_eq!(
            (api.json_size.unwrap()(json), text(api.json_key.unwrap()(json, 1))),
            (2, "b".into())
        );
        let list = api.json_get.unwrap()(json, steer_str::borrow("a"));
        assert_eq!(text(api.json_text.unwrap()(list)), r#"[1,2.5,true,null,"x"]"#);
        let at = |index| api.json_at.unwrap()(list, index);
        let (mut integer, mut number, mut truth, mut word) = (0, 0.0, 0, steer_str::empty());
        assert_eq!((api.json_integer.unwrap()(at(0), &mut integer), integer), (1, 1));
        assert_eq!((api.json_number.unwrap()(at(1), &mut number), number), (1, 2.5));
        assert_eq!(api.json_integer.unwrap()(at(1), &mut integer), 0);
        assert_eq!((api.json_bool.unwrap()(at(2), &mut truth), truth), (1, 1));
        assert_eq!((api.json_kind.unwrap()(at(3)), api.json_kind.unwrap()(ptr::null())), (0, 0));
        assert_eq!((api.json_string.unwrap()(at(4), &mut word), text(word)), (1, "x".into()));
        assert!(at(5).is_null() && api.json_get.unwrap()(list, steer_str::borrow("a")).is_null());
    }
}
