//! Which group a backend belongs to.
//!
//! Must not depend on: how groups are used.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::Groups;
use crate::endpoints::{AttributeValue, EndpointDescriptor};
use crate::hashing::of_address;

/// The place of a group: the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A place that the config or the attribute gives.
    Given(i64),
    /// After all others: the backend has no place.
    Last,
}

/// The backends of a group.
pub(super) struct Members {
    /// What people call it.
    pub(super) name: String,
    pub(super) endpoints: Vec<Arc<EndpointDescriptor>>,
}

/// The groups of a list that have backends, the best first.
pub(super) fn grouped(
    groups: &Groups,
    list: &[Arc<EndpointDescriptor>],
) -> BTreeMap<Place, Members> {
    let mut grouped: BTreeMap<Place, Members> = BTreeMap::new();
    for endpoint in list {
        let (place, name) = place_of(groups, endpoint);
        let group = grouped.entry(place);
        let group = group.or_insert_with(|| Members { name: name(), endpoints: Vec::new() });
        group.endpoints.push(Arc::clone(endpoint));
    }
    grouped
}

/// The place of a backend's group, and what makes the group's name.
fn place_of<'a>(
    groups: &'a Groups,
    endpoint: &'a EndpointDescriptor,
) -> (Place, Box<dyn Fn() -> String + 'a>) {
    let last = || (Place::Last, Box::new(|| "others".to_owned()) as Box<dyn Fn() -> String>);
    match groups {
        Groups::Addresses(groups) => {
            let mut addresses = endpoint.addresses.iter();
            match addresses.find_map(|address| groups.get(&*of_address(address))) {
                Some(&group) => {
                    (Place::Given(group as i64), Box::new(move || format!("groups[{group}]")))
                }
                None => last(),
            }
        }
        Groups::Values { attribute, order } => {
            let value = text_of(endpoint, attribute);
            let place = value.and_then(|value| order.iter().position(|of| *of == value));
            match place {
                Some(place) => (Place::Given(place as i64), Box::new(move || order[place].clone())),
                None => last(),
            }
        }
        Groups::Numbers { attribute } => {
            let number = text_of(endpoint, attribute).and_then(|text| text.parse::<i64>().ok());
            match number {
                Some(number) => {
                    (Place::Given(number), Box::new(move || format!("{attribute} {number}")))
                }
                None => last(),
            }
        }
    }
}

/// An attribute as text. Without it, the part of the locality that has this name.
fn text_of(endpoint: &EndpointDescriptor, key: &str) -> Option<String> {
    let Some(found) = endpoint.attributes.iter().find(|attribute| attribute.key == key) else {
        let part = match key {
            "region" => &endpoint.locality.region,
            "zone" => &endpoint.locality.zone,
            "sub_zone" => &endpoint.locality.sub_zone,
            _ => return None,
        };
        return Some(part.clone()).filter(|part| !part.is_empty());
    };
    Some(match &found.value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Integer(number) => number.to_string(),
    })
}
