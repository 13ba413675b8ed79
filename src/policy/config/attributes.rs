//! The config field `attributes`: attributes of backends, for those whose resolver gives none.
//!
//! Must not depend on: what the attributes lead to.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::by_address::ByAddress;
use super::fields::Fields;
use crate::endpoints::{Attribute, AttributeValue, EndpointDescriptor, Index, Locality};

/// The config's field.
pub(super) const FIELD: &str = "attributes";

/// The attributes of one backend.
#[derive(Debug, Default)]
pub(crate) struct GivenAttributes {
    /// 0: none.
    weight: u32,
    locality: Locality,
    /// Empty: none.
    hash_key: String,
    others: Vec<Attribute>,
}

impl GivenAttributes {
    /// Reads the field. It maps addresses to objects.
    pub(super) fn parse(fields: &mut Fields<'_>) -> ByAddress<GivenAttributes> {
        ByAddress::parse(fields, FIELD, |fields, path, value| {
            let Value::Object(object) = value else {
                fields.fault(path, "must be an object: {\"name\": \"text\" or a whole number}");
                return None;
            };
            Some(GivenAttributes::parse_one(fields, path, object))
        })
    }

    fn parse_one(
        fields: &mut Fields<'_>,
        path: &str,
        object: &Map<String, Value>,
    ) -> GivenAttributes {
        let mut given = GivenAttributes::default();
        for (name, value) in object {
            if let Err(error) = given.add(name, value) {
                fields.fault(&format!("{path}[{}]", Value::from(name.as_str())), error);
            }
        }
        given
    }

    /// Adds an attribute. Those of the first five names have places of their own in a descriptor.
    fn add(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        let text = || value.as_str().map(str::to_owned).ok_or("must be text");
        match name {
            "weight" => self.weight = weight(value).ok_or("must be a whole number above 0")?,
            "region" => self.locality.region = text()?,
            "zone" => self.locality.zone = text()?,
            "subZone" => self.locality.sub_zone = text()?,
            "hashKey" => self.hash_key = text()?,
            _ => {
                let value = match (value.as_str(), value.as_i64()) {
                    (Some(text), _) => AttributeValue::Text(text.to_owned()),
                    (None, Some(integer)) => AttributeValue::Integer(integer),
                    (None, None) => return Err("must be text or a whole number"),
                };
                self.others.push(Attribute { key: name.to_owned(), value });
            }
        }
        Ok(())
    }

    /// The resolver's endpoint, with these attributes in addition. The resolver's own win.
    pub(crate) fn added_to(&self, resolved: &Arc<EndpointDescriptor>) -> EndpointDescriptor {
        let mut described = EndpointDescriptor::clone(resolved);
        described.index = Index::of(resolved);
        if described.weight == 0 {
            described.weight = self.weight;
        }
        // Parts of two localities would name a place that is nowhere.
        if described.locality == Locality::default() {
            described.locality.clone_from(&self.locality);
        }
        if described.hash_key.is_empty() {
            described.hash_key.clone_from(&self.hash_key);
        }
        for given in &self.others {
            if !resolved.attributes.iter().any(|attribute| attribute.key == given.key) {
                described.attributes.push(given.clone());
            }
        }
        described
    }
}

/// A weight, in JSON a number or text, as in protobuf's JSON.
fn weight(value: &Value) -> Option<u32> {
    let number = match value {
        Value::String(text) => serde_json::from_str::<Number>(text).ok()?.as_u64(),
        value => value.as_u64(),
    };
    number.and_then(|number| u32::try_from(number).ok()).filter(|weight| *weight > 0)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(attributes: Value) -> Result<ByAddress<GivenAttributes>, String> {
        let json = json!({ "attributes": { "a": attributes } });
        let parsed = Fields::parse("p", &json, GivenAttributes::parse);
        parsed.map_err(|error| error.to_string())
    }

    fn described(attributes: Value, resolved: EndpointDescriptor) -> EndpointDescriptor {
        let resolved = EndpointDescriptor { addresses: vec!["a".into()], ..resolved };
        parse(attributes).unwrap().of(&resolved).unwrap().added_to(&Arc::new(resolved.clone()))
    }

    fn attribute(key: &str, value: AttributeValue) -> Attribute {
        Attribute { key: key.to_owned(), value }
    }

    #[test]
    fn attributes_are_added() {
        let attributes = json!({
            "tier": "gold", "cores": 8, "weight": "3", "region": "r", "zone": "z", "subZone": "s",
            "hashKey": "pod-0",
        });
        let described = described(attributes, EndpointDescriptor::default());
        assert_eq!((described.weight, &*described.hash_key), (3, "pod-0"));
        let Locality { region, zone, sub_zone } = &described.locality;
        assert_eq!([region, zone, sub_zone], ["r", "z", "s"]);
        let (cores, tier) = (AttributeValue::Integer(8), AttributeValue::Text("gold".into()));
        assert_eq!(described.attributes, [attribute("cores", cores), attribute("tier", tier)]);
    }

    #[test]
    fn the_resolvers_own_attributes_win() {
        let tier = attribute("tier", AttributeValue::Integer(1));
        let resolved = EndpointDescriptor {
            weight: 7,
            hash_key: "own".into(),
            locality: Locality { zone: "own".into(), ..Locality::default() },
            attributes: vec![tier.clone()],
            ..EndpointDescriptor::default()
        };
        let attributes = json!({
            "tier": "gold", "other": "x", "weight": 3, "region": "r", "zone": "z", "hashKey": "k",
        });
        let other = attribute("other", AttributeValue::Text("x".into()));
        let described = described(attributes, resolved.clone());
        assert_eq!(described.attributes, [tier, other]);
        assert_eq!(described.locality, resolved.locality);
        assert_eq!((described.weight, &*described.hash_key), (7, "own"));
    }

    #[test]
    fn faults_name_the_attribute() {
        for (wrong, field, error) in [
            (json!(5), "", "must be an object"),
            (json!({"x": 1.5}), "[\"x\"]", "must be text or a whole number"),
            (json!({"x": null}), "[\"x\"]", "must be text or a whole number"),
            (json!({"weight": 0}), "[\"weight\"]", "must be a whole number above 0"),
            (json!({"weight": 4294967296_u64}), "[\"weight\"]", "must be a whole number above 0"),
            (json!({"zone": 3}), "[\"zone\"]", "must be text"),
        ] {
            let text = parse(wrong).unwrap_err();
            let expected = format!("field:p.attributes[\"a\"]{field} error:{error}");
            assert!(text.contains(&expected), "{text}");
        }
    }
}
