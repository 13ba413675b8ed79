//! Texts in a policy's config that stand for what differs from client to client.
//!
//! Must not depend on: policies, how a client is modelled.

use serde_json::Value;

use super::PolicyChoice;

/// The client's number among all clients, from 0 on.
const INDEX: &str = "$CLIENT_INDEX";

/// The number of clients.
const COUNT: &str = "$CLIENT_COUNT";

/// The client's zone.
const ZONE: &str = "$CLIENT_ZONE";

impl PolicyChoice {
    /// Whether the config differs from client to client.
    pub(crate) fn differs(&self) -> bool {
        differs(&self.config)
    }

    /// The config of the client with this number, of so many clients, in this zone.
    pub(crate) fn config_of(&self, index: usize, count: usize, zone: &str) -> Value {
        filled(&self.config, &|text| match text {
            INDEX => Some(index.to_string()),
            COUNT => Some(count.to_string()),
            ZONE => Some(zone.to_owned()),
            _ => None,
        })
    }
}

/// Whether the config differs from client to client.
fn differs(config: &Value) -> bool {
    match config {
        Value::String(text) => [INDEX, COUNT, ZONE].contains(&&**text),
        Value::Array(list) => list.iter().any(differs),
        Value::Object(fields) => fields.values().any(differs),
        _ => false,
    }
}

/// The config with other texts where `fill` gives some.
fn filled(config: &Value, fill: &dyn Fn(&str) -> Option<String>) -> Value {
    match config {
        Value::String(text) => Value::String(fill(text).unwrap_or_else(|| text.clone())),
        Value::Array(list) => list.iter().map(|value| filled(value, fill)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), filled(value, fill)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_replaced_wherever_they_are() {
        let config = json!({"zone": ZONE, "other": "$CLIENT", "list": [{"clientIndex": INDEX}]});
        let policy = PolicyChoice { name: "p".into(), config };
        assert!(policy.differs());
        let expected = json!({"zone": "b", "other": "$CLIENT", "list": [{"clientIndex": "3"}]});
        assert_eq!(policy.config_of(3, 8, "b"), expected);
        let same = PolicyChoice { name: "p".into(), config: json!({"a": [1, "x"]}) };
        assert!(!same.differs());
        assert_eq!(same.config_of(3, 8, "b"), same.config);
    }
}
