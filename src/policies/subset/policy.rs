//! What the child of `steer_subset` gets.
//!
//! Must not depend on: how the part is chosen.

use std::sync::Arc;

use hashbrown::HashMap;

use super::config::SubsetConfig;
use super::{aperture, random};
use crate::Status;
use crate::endpoints::{EndpointDescriptor, Index};
use crate::policy::{BuiltInParent, Child, Children, Fields, Parent, ParentConfig, Update};

type List = Arc<[Arc<EndpointDescriptor>]>;

/// Shares become weights, which are whole numbers, by this factor, or by the greatest with which
/// the weights fit.
const WEIGHT_FACTOR: f64 = 1000.0;

/// The policy `steer_subset`.
pub struct Subset {
    children: Children,
    child: Child,
    /// Decides about the random part. Stays, so that updates keep most of it.
    seed: u64,
    /// The latest list of the resolver, with the part of it, for the config that it was chosen by.
    latest: Option<(SubsetConfig, List, List)>,
}

impl BuiltInParent for Subset {
    const NAME: &'static str = "steer_subset";

    fn parse(fields: &mut Fields<'_>) -> SubsetConfig {
        SubsetConfig::parse(fields)
    }

    fn new(children: &Children) -> Subset {
        let (children, child) = (children.clone(), children.child("subset"));
        let seed = children.helper().random();
        Subset { children, child, seed, latest: None }
    }
}

impl Parent for Subset {
    type Config = SubsetConfig;

    fn update(
        &mut self,
        config: &Arc<ParentConfig<SubsetConfig>>,
        update: &Update,
    ) -> Result<(), Status> {
        let endpoints = update.endpoints.clone().map(|list| self.part(&config.own, list));
        self.child.update(&config.child, &Update { endpoints, ..update.clone() })
    }

    fn publish(&mut self) {
        if let Some(published) = self.child.published() {
            self.children.publish_as_is(published);
        }
    }
}

impl Subset {
    /// The part of this list that the child gets, in the resolver's order. The same list has the
    /// same part, as the same object.
    fn part(&mut self, config: &SubsetConfig, list: List) -> List {
        if let Some((known, resolved, part)) = &self.latest {
            if known == config && Arc::ptr_eq(resolved, &list) {
                return Arc::clone(part);
            }
        }
        let part = self.choose(config, &list);
        self.latest = Some((config.clone(), list, Arc::clone(&part)));
        part
    }

    fn choose(&self, config: &SubsetConfig, list: &List) -> List {
        // Several endpoints with the same addresses are one backend.
        let mut numbers: HashMap<&[String], usize> = HashMap::with_capacity(list.len());
        let mut addresses: Vec<&str> = Vec::with_capacity(list.len());
        for endpoint in &**list {
            numbers.entry(&endpoint.addresses).or_insert_with(|| {
                addresses.push(endpoint.addresses.first().map_or("", String::as_str));
                addresses.len() - 1
            });
        }
        let mut shares = vec![0.0; addresses.len()];
        let size = config.size as usize;
        match config.place {
            Some(place) => {
                for member in aperture::part(&addresses, size, place) {
                    shares[member.number] = member.share;
                }
            }
            None => {
                for number in random::part(&addresses, size, self.seed) {
                    shares[number] = 1.0;
                }
            }
        }
        let heaviest = list.iter().map(|endpoint| endpoint.weight.max(1)).max().unwrap_or(1);
        let factor = WEIGHT_FACTOR.min(f64::from(u32::MAX) / f64::from(heaviest));
        let whole = shares.iter().all(|share| *share == 0.0 || *share == 1.0);
        let chosen = list.iter().filter_map(|endpoint| {
            let share = shares[numbers[&*endpoint.addresses]];
            match share {
                0.0 => None,
                _ if whole => Some(Arc::clone(endpoint)),
                share => Some(weighted(endpoint, share * factor)),
            }
        });
        chosen.collect()
    }
}

/// The endpoint with its weight, by this factor.
fn weighted(endpoint: &Arc<EndpointDescriptor>, factor: f64) -> Arc<EndpointDescriptor> {
    let weight = ((f64::from(endpoint.weight.max(1)) * factor).round() as u32).max(1);
    let index = Index::of(endpoint);
    Arc::new(EndpointDescriptor { index, weight, ..EndpointDescriptor::clone(endpoint) })
}
